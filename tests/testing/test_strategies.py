"""Each strategy keeps its promise, reaches the kinds of input it names, and shrinks to something simple."""

import itertools
import math
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import Phase, find, given, settings
from hypothesis import strategies as st

import tinygrad_edu
from tests.oracle import both, to_numpy, torch
from tinygrad_edu.testing import assert_close, strategies

MANY = settings(max_examples=100)


def reaches(strategy, *conditions):
    """Every condition holds for something that the strategy draws."""
    for condition in conditions:
        find(strategy, condition, settings=settings(max_examples=2000, phases=[Phase.generate]))


# ---------------------------------------------------------------------- shapes and dtypes


@MANY
@given(strategies.shapes(1, 4, max_side=5, allow_empty=False))
def test_shapes_keep_within_their_bounds(shape):
    assert 1 <= len(shape) <= 4
    assert all(1 <= n <= 5 for n in shape)


def test_shapes_reach_0d_empty_and_full_size():
    reaches(strategies.shapes(), lambda s: s == (), lambda s: 0 in s, lambda s: s == (3, 3, 3))
    assert find(strategies.shapes(), lambda s: math.prod(s) >= 4) in {(2, 2), (3, 2), (1, 2, 2)}


@MANY
@given(st.integers(1, 4).flatmap(lambda n: strategies.broadcastable_shapes(n)))
def test_broadcastable_shapes_broadcast(shapes):
    assert max(map(len, shapes)) <= 3
    both(lambda t: t.broadcast_shapes(*shapes))
    np.broadcast_shapes(*shapes)


def test_broadcastable_shapes_reach_every_kind_of_broadcasting():
    pairs = strategies.broadcastable_shapes(2)
    reaches(
        pairs,
        lambda s: len(s[0]) < len(s[1]) and s[0],
        lambda s: len(s[1]) < len(s[0]) and s[1],
        lambda s: s[0] != s[1] and len(s[0]) == len(s[1]) and 0 not in s[0] + s[1],
        lambda s: s[0][:1] == (1,) and s[1][:1] == (0,),
        lambda s: s[0] == s[1] == (),
    )
    assert find(pairs, lambda s: s[0] != s[1]) in {((), (1,)), ((1,), ())}
    assert len(find(strategies.broadcastable_shapes(4), lambda s: True)) == 4


@given(strategies.dtypes("floating", "bool"))
def test_dtypes_are_of_the_kinds_asked_for(dtype):
    assert dtype.is_floating_point or dtype is tinygrad_edu.bool


def test_dtypes_reach_all_of_them():
    from tinygrad_edu._dtype import ALL

    reaches(strategies.dtypes(), *[lambda d, wanted=wanted: d is wanted for wanted in ALL])
    with pytest.raises(ValueError, match="'float' is no kind of dtype; choose among 'floating', 'integer', 'bool'"):
        strategies.dtypes("float")


# ---------------------------------------------------------------------- tensors


@MANY
@given(st.data(), strategies.shapes(), strategies.dtypes(), st.booleans(), strategies.layouts())
def test_tensors_are_what_was_asked_for(data, shape, dtype, wanted, layout):
    x = data.draw(strategies.tensors(shape, dtype, requires_grad=wanted, layout=layout))
    assert (tuple(x.shape), x.dtype, x.is_leaf) == (shape, dtype, True)
    assert x.requires_grad == (wanted and dtype.is_floating_point)
    assert all(-9 <= value <= 9 for value in x.flatten().tolist())


def test_tensors_reach_every_layout():
    def strides(layout):
        return find(strategies.tensors((2, 3), layout=layout), lambda x: True).stride()

    assert {name: strides(name) for name in ("contiguous", "transposed", "reversed", "strided", "expanded")} == {
        "contiguous": (3, 1), "transposed": (1, 2), "reversed": (-3, -1), "strided": (12, 2), "expanded": (0, 1),
    }  # fmt: skip
    reaches(strategies.layouts(), *[lambda n, name=name: n == name for name in ("contiguous", "expanded")])


def test_tensors_take_strategies_for_each_setting():
    any_tensor = strategies.tensors(
        strategies.shapes(2, 2), strategies.dtypes(), requires_grad=st.booleans(), layout=strategies.layouts()
    )
    reaches(
        any_tensor,
        lambda x: x.dtype is tinygrad_edu.int16,
        lambda x: x.requires_grad,
        lambda x: not x.requires_grad and x.is_floating_point(),
        lambda x: not x.is_contiguous() and x.numel() > 1,
        lambda x: x.numel() == 0,
        lambda x: (x == 0).any(),
        lambda x: x.numel() > 2 and x.unique().numel() < x.numel(),
    )


def test_tensors_shrink_to_small_shapes_and_simple_numbers():
    assert find(strategies.tensors(), lambda x: (x > 1.5).any()).tolist() == [2.0] or (
        find(strategies.tensors(), lambda x: (x > 1.5).any()).item() == 2.0
    )
    assert find(strategies.tensors((2, 2)), lambda x: x[1, 0] < 0).tolist() == [[0.0, 0.0], [-1.0, 0.0]]


def test_the_elements_of_large_tensors_repeat():
    x = find(strategies.tensors((40, 40), elements=st.sampled_from([1.0, 2.0])), lambda x: x[0, 0] != x[0, 1])
    assert x.flatten()[64:128].equal(x.flatten()[:64])


# ---------------------------------------------------------------------- points


@MANY
@given(
    st.data(),
    strategies.shapes(),
    st.sampled_from([(), (0.0,), (-1.0, 1.0), (0.5,)]),
    st.sampled_from([0.05, 0.2]),
    st.sampled_from([(-2.0, 2.0), (0.0, 1.0), (0.5, 3.0)]),
)
def test_differentiable_points_are_distinct_and_away_from_the_kinks(data, shape, kinks, gap, bounds):
    x = data.draw(strategies.differentiable_points(shape, kinks=kinks, gap=gap, low=bounds[0], high=bounds[1]))
    values = x.flatten().tolist()
    assert (tuple(x.shape), x.dtype, x.requires_grad) == (shape, tinygrad_edu.float64, True)
    assert all(bounds[0] <= v <= bounds[1] for v in values)
    assert all(abs(v - kink) >= gap for v in values for kink in kinks)
    assert all(abs(a - b) > 1e-3 for a, b in itertools.combinations(values, 2))


@given(strategies.differentiable_points((9, 9), kinks=(0.0,)))
def test_large_tensors_have_distinct_points_too(x):
    assert x.unique().numel() == 81
    assert x.detach().abs().min() >= 0.05


@given(strategies.differentiable_points(strategies.shapes(1, 2, allow_empty=False), kinks=(-1.0, 1.0)))
def test_the_points_suit_functions_with_kinks(x):
    assert tinygrad_edu.autograd.gradcheck(lambda x: (x.clamp(-1, 1), x.sort(-1).values, x.max()), (x,))


def test_points_lie_on_both_sides_of_a_kink_and_shrink_to_simple_numbers():
    points = strategies.differentiable_points((2,), kinks=(0.0,))
    reaches(points, lambda x: (x < 0).all(), lambda x: (x > 0).all())
    assert find(points, lambda x: (x < 0).all()).tolist() in ([-1.0, -2.0], [-2.0, -1.0])
    assert find(strategies.differentiable_points(), lambda x: True).shape == ()


def test_a_range_without_room_is_refused():
    with pytest.raises(ValueError, match=r"\[-1.0, 1.0\] has no room for 3 points at least 2 from \[0.0\]"):
        find(strategies.differentiable_points((3,), gap=2, low=-1.0, high=1.0), lambda x: True)


# ---------------------------------------------------------------------- indices


@settings(max_examples=300)
@given(st.data(), strategies.shapes())
def test_torch_takes_every_index_and_reads_the_same(data, shape):
    index = data.draw(strategies.indices(shape))
    x = np.arange(math.prod(shape), dtype=np.float64).reshape(shape)
    # As tensors, since torch counts a NumPy mask of two dimensions as one when it measures an ellipsis.
    found = both(lambda t: t.from_numpy(x)[with_tensors(t, index)], rtol=0, atol=0)
    assert not isinstance(found, Exception), found
    assert_close(tinygrad_edu.from_numpy(x)[index].numpy(), found.numpy())
    assert sum(isinstance(p, np.ndarray) and p.dtype == bool for p in parts(index)) <= 1


@MANY
@given(st.data(), strategies.shapes())
def test_numpy_reads_the_same_at_basic_indices(data, shape):
    index = data.draw(strategies.indices(shape, advanced=False))
    x = np.arange(math.prod(shape)).reshape(shape)
    assert_close(np.asarray(tinygrad_edu.from_numpy(x)[index].numpy()), np.asarray(x[index]))


def parts(index):
    return index if isinstance(index, tuple) else (index,)


def with_tensors(t, index):
    """The index with a tensor of ``t`` for each array."""
    items = [t.from_numpy(p) if isinstance(p, np.ndarray) else p for p in parts(index)]
    return tuple(items) if isinstance(index, tuple) else items[0]


def test_indices_reach_every_kind():
    def some(kind):
        return lambda index: any(kind(part) for part in parts(index))

    is_array = lambda p: isinstance(p, np.ndarray)
    reaches(
        strategies.indices((2, 3, 2)),
        some(lambda p: p is None),
        some(lambda p: p is Ellipsis),
        some(lambda p: isinstance(p, int) and p < 0),
        some(lambda p: isinstance(p, slice) and p.step == 2),
        some(lambda p: isinstance(p, slice) and p.start == -4),
        some(lambda p: is_array(p) and p.dtype == bool and p.ndim == 2),
        some(lambda p: is_array(p) and p.dtype != bool and (p < 0).any()),
        some(lambda p: is_array(p) and p.size == 0),
        some(lambda p: is_array(p) and p.dtype != bool and len(set(p.flat)) < p.size),
        lambda index: sum(map(is_array, parts(index))) == 2,
        lambda index: Ellipsis in [p for p in parts(index)[1:-1] if not is_array(p)],
        lambda index: not isinstance(index, tuple),
    )
    assert find(strategies.indices((3,)), lambda index: True) in (Ellipsis, (Ellipsis,))


@given(strategies.indices((2, 0, 3), advanced=False))
def test_without_the_advanced_kind_there_are_no_arrays(index):
    assert not any(isinstance(p, np.ndarray) for p in parts(index))


# ---------------------------------------------------------------------- arguments


@MANY
@given(strategies.matmul_arguments())
def test_torch_multiplies_the_same_matrices(pair):
    assert all(x.requires_grad and x.dtype is tinygrad_edu.float64 for x in pair)
    assert_close(
        tinygrad_edu.matmul(*pair).detach().numpy(),
        to_numpy(torch.matmul(*[torch.from_numpy(to_numpy(x)) for x in pair])),
    )


def test_matmul_arguments_reach_vectors_matrices_batches_and_emptiness():
    reaches(
        strategies.matmul_arguments(),
        lambda p: (p[0].ndim, p[1].ndim) == (1, 1),
        lambda p: (p[0].ndim, p[1].ndim) == (1, 2),
        lambda p: (p[0].ndim, p[1].ndim) == (2, 2),
        lambda p: p[0].ndim == 4 and p[1].ndim == 3,
        lambda p: p[0].numel() == 0,
    )
    x, y = find(strategies.matmul_arguments(dtype=tinygrad_edu.float32, requires_grad=False), lambda pair: True)
    assert (x.dtype, x.requires_grad, y.requires_grad) == (tinygrad_edu.float32, False, False)


@pytest.mark.parametrize("dims", [1, 2, 3])
@given(st.data())
def test_torch_takes_the_arguments_of_a_convolution(dims, data):
    arguments = data.draw(strategies.conv_arguments(dims))
    assert len(arguments) == 7
    theirs = [torch.from_numpy(to_numpy(x)) if isinstance(x, tinygrad_edu.Tensor) else x for x in arguments]
    name = f"conv{dims}d"
    ours = getattr(tinygrad_edu.nn.functional, name)(*arguments)
    assert_close(ours.detach().numpy(), to_numpy(getattr(torch.nn.functional, name)(*theirs)))


def test_conv_arguments_reach_every_setting():
    reaches(
        strategies.conv_arguments(2),
        lambda a: a[0].ndim == 3,
        lambda a: a[2] is None,
        lambda a: a[2] is not None,
        lambda a: a[3] == 2 and a[4] == 1 and a[5] == 2,
        lambda a: a[6] == 2,
    )
    with pytest.raises(ValueError, match="1, 2 or 3 dimensions, not 4"):
        strategies.conv_arguments(4)


# ---------------------------------------------------------------------- without hypothesis


def test_without_hypothesis_the_extra_is_named_and_the_rest_still_works():
    code = """
import sys
sys.modules["hypothesis"] = None
import tinygrad_edu.testing
tinygrad_edu.testing.assert_close(1.0, 1.0)
assert not {"pytest", "torch"} & set(sys.modules)
try:
    import tinygrad_edu.testing.strategies
except ImportError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == (
        "tinygrad_edu.testing draws its cases with hypothesis, which is not installed: pip install 'tinygrad-edu[check]'"
    )
