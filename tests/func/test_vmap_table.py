"""vmap over every row of the op table: three examples at once give what three single calls give, gradients included."""

import hypothesis
import numpy as np
import pytest

import tinygrad_edu as torch
from tests.harness import for_each_case, tensors_in
from tests.oracle import assert_close, to_numpy
from tests.test_op_table import NAMED
from tinygrad_edu.func import vmap

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")  # torch's advice, given by us too; tested elsewhere

EXAMPLES = 3
RANDOM = "draws random numbers, which tests/func/test_vmap.py compares with torch's"
DYNAMIC = "the shape of the result depends on the values"
MASK = "a mask of each example picks a different number of elements"
SHARED = "writes what differs between examples into what all of them share"
# Rows that refuse to be batched in the arguments at these positions, and why.
REFUSED = {
    "where-4": ((0,), DYNAMIC),
    "repeat_interleave-3": ((1,), DYNAMIC),
    "__getitem__-3": ((1,), MASK),
    "__getitem__-7": ((1,), SHARED),
    "__getitem__-8": ((1, 2), MASK),
    "__getitem__-9": ((1, 2), SHARED),
    "__getitem__-10": ((1,), SHARED),
    "masked_select": ((1,), MASK),
    "nonzero": ((0,), DYNAMIC),
    "nonzero-2": ((0,), DYNAMIC),
    "unique": ((0,), DYNAMIC),
    "unique-2": ((0,), DYNAMIC),
    "unique-3": ((0,), DYNAMIC),
    "unique_consecutive": ((0,), DYNAMIC),
    "linspace.tensor_overload": ((0, 1), "reads its bounds as numbers"),
    "rand_like": ((0,), RANDOM),
    "randn_like": ((0,), RANDOM),
    "normal-2": ((0, 1), RANDOM),
    "normal.in_place": ((0,), RANDOM),
    "uniform": ((0,), RANDOM),
    "bernoulli": ((0,), RANDOM),
    "bernoulli-2": ((0,), RANDOM),
    "multinomial": ((0,), RANDOM),
    "nn.functional.embedding-3": ((0,), "counts how often each row is looked up"),
    "nn.functional.multilabel_margin_loss": ((1,), "reads the targets as lists that end where a -1 stands"),
}
# Rows that refuse in some cases only: what they say.
SOMETIMES = {
    "nn.functional.batch_norm": "Batch norm got a batched tensor as input",
    "nn.functional.dropout": "called random operation",
    "nn.functional.dropout2d": "called random operation",
    "nn.functional.rrelu": "called random operation",
}
# Where a write meets a batched partner that has the batch as well, it is no longer refused.
WRITES = {"__getitem__-7", "__getitem__-9", "__getitem__-10"}

able = pytest.mark.parametrize("name", NAMED)


def holds_arrays(x):
    return isinstance(x, np.ndarray) or (isinstance(x, list | tuple) and any(holds_arrays(y) for y in x))


def each_array(function, *xs):
    """Apply ``function`` to arrays, or within lists of them; what is no array stays."""
    if isinstance(xs[0], np.ndarray):
        return np.asarray(function(*xs))
    if not holds_arrays(xs[0]):
        return xs[0]
    return type(xs[0])(each_array(function, *ys) for ys in zip(*xs, strict=True))


def scaled(a, factor):
    return (a * factor).astype(a.dtype) if a.dtype.kind == "f" else np.flip(a)


# Ways to another example of the same shape, that keep positive numbers positive, indices in range and matrices well conditioned.
CHANGES = (
    lambda a: a,
    lambda a: np.roll(a.reshape(-1), 1).reshape(a.shape),
    lambda a: scaled(a, 0.9),
    lambda a: scaled(a, 1.05),
    lambda a: np.array(a),
)


def tensors(x, *, wanted):
    """Arrays as tensors; float64 ones want a gradient."""

    def tensor(a):
        t = torch.from_numpy(np.array(a, order="C"))
        return t.requires_grad_() if wanted and a.dtype == np.float64 else t

    if isinstance(x, np.ndarray):
        return tensor(x)
    return type(x)(tensors(y, wanted=wanted) for y in x) if holds_arrays(x) else x


def leaves(x):
    if isinstance(x, torch.Tensor):
        return [x] if x.requires_grad else []
    return [leaf for y in x for leaf in leaves(y)] if isinstance(x, list | tuple) else []


def arguments(row, case):
    return [tensors(x, wanted=row.order > 0 and i not in row.frozen) for i, x in enumerate(case)]


def outputs(row, args):
    return list(tensors_in(row.call(torch, *args)))


def weight(x):
    """How much each element of an output counts, the same for outputs of one shape."""
    return np.cos(1.7 * np.arange(x.numel()) + 0.3).reshape(tuple(x.shape))


def gradients(outs, weights, by):
    """The gradients of the weighted outputs, zeros where there are none."""
    able = [(x, torch.from_numpy(w).to(x.dtype)) for x, w in zip(outs, weights, strict=True) if x.requires_grad]
    if not able or not by:
        return [np.zeros(tuple(x.shape)) for x in by]
    found = torch.autograd.grad([x for x, _ in able], by, [w for _, w in able], allow_unused=True)
    return [np.zeros(tuple(x.shape)) if g is None else to_numpy(g) for g, x in zip(found, by, strict=True)]


def examples_of(row, case, which):
    """Three cases of equal shapes that differ in the arguments ``which``; None where the row does not return tensors."""
    examples, shapes = [], None
    for change in CHANGES:
        example = tuple(each_array(change, x) if i in which else x for i, x in enumerate(case))
        try:
            found = [tuple(x.shape) for x in outputs(row, [tensors(x, wanted=False) for x in example])]
        except Exception:
            if shapes is None:  # a row of refusals
                return None
            continue
        shapes = found if shapes is None else shapes
        if found == shapes:
            examples.append(example)
    return examples[:EXAMPLES] if shapes else None


def ways(case):
    """Which arguments to batch: all of them, and each alone."""
    arrays = tuple(i for i, x in enumerate(case) if holds_arrays(x))
    return [arrays, *[(i,) for i in arrays if len(arrays) > 1]] if arrays else []


def mapped(row, case, which, examples, place):
    """Run the row once for all examples: its arguments, and its outputs. ``place`` is the dimension of the batch."""
    at = lambda a: min(place, a.ndim - 1)
    stacked = [
        each_array(lambda *xs: np.stack(xs, at(np.stack(xs))), *[e[i] for e in examples]) if i in which else x
        for i, x in enumerate(case)
    ]
    args = arguments(row, stacked)
    arrays = [i for i, x in enumerate(case) if holds_arrays(x)]

    def dims(x):
        if isinstance(x, np.ndarray):
            return at(x) - x.ndim if place % 2 else at(x)
        return type(x)(dims(y) if holds_arrays(y) else None for y in x)

    def of_example(*given):
        full = list(args)
        for i, x in zip(arrays, given, strict=True):
            full[i] = x
        return tuple(tensors_in(row.call(torch, *full)))

    in_dims = tuple(dims(stacked[i]) if i in which else None for i in arrays)
    return args, vmap(of_example, in_dims)(*[args[i] for i in arrays])


def check(row, case, which, place):
    """Batched and single calls agree in values, dtypes and gradients. False where there is nothing to compare."""
    examples = examples_of(row, case, which)
    if examples is None:
        return False
    assert len(examples) == EXAMPLES
    args, outs = mapped(row, case, which, examples, place)
    singles = [arguments(row, example) for example in examples]
    found = [outputs(row, single) for single in singles]
    for number, out in enumerate(outs):
        wanted = [single[number] for single in found]
        assert out.dtype == wanted[0].dtype
        assert out.requires_grad == wanted[0].requires_grad
        assert_close(out, np.stack([to_numpy(x) for x in wanted]), rtol=1e-9, atol=1e-10)
    weights = [weight(x) for x in found[0]]
    by = [leaf for x in args for leaf in leaves(x)]
    batched = [i in which for i, x in enumerate(args) for _ in leaves(x)]
    alone = [
        gradients(f, weights, [leaf for x in single for leaf in leaves(x)])
        for f, single in zip(found, singles, strict=True)
    ]
    together = gradients(outs, [np.stack([w] * EXAMPLES) for w in weights], by)
    for number, (g, is_batched) in enumerate(zip(together, batched, strict=True)):
        parts = [gs[number] for gs in alone]
        if is_batched:
            parts = np.stack(parts, min(place, parts[0].ndim))
        assert_close(g, parts if is_batched else sum(parts), rtol=1e-7, atol=1e-9)
    return True


@able
def test_examples_at_once_are_examples_one_by_one(name):
    row = NAMED[name]
    positions, _ = REFUSED.get(name, ((), ""))

    def each_way(case, seed):
        for which in ways(case):
            refused = set(which) & set(positions) and not (name in WRITES and len(which) > 1)
            if refused:
                with pytest.raises(RuntimeError, match=r"^vmap: "):
                    check(row, case, which, seed % 3)
            elif name in SOMETIMES:
                try:
                    check(row, case, which, seed % 3)
                except RuntimeError as error:
                    if SOMETIMES[name] not in str(error):
                        raise
            else:
                check(row, case, which, seed % 3)

    for_each_case(row, each_way, share=0.2)


def test_the_table_is_batched_almost_whole():
    """Count what is compared, so that nothing falls out unnoticed."""
    compared, without_arrays = dict.fromkeys(NAMED, 0), set()

    def count(name, row):
        @hypothesis.settings(max_examples=4, derandomize=True, database=None, phases=[hypothesis.Phase.generate])
        @hypothesis.given(row.sample.strategy())
        def run(case):
            if not ways(case):
                without_arrays.add(name)
            for which in ways(case):
                refused = set(which) & set(REFUSED.get(name, ((),))[0])
                compared[name] += not refused and examples_of(row, case, which) is not None

        run()

    for name, row in NAMED.items():
        count(name, row)
    nothing = {name for name, number in compared.items() if not number} - without_arrays
    numbers = {"empty_like", "clone-2", "item", "allclose", "equal", "equal-2"}  # what they return is no tensor
    refused_by_torch = {name for name in nothing if name.startswith("div.trunc_rounding")}
    whole = {name for name in REFUSED if name in nothing}
    assert nothing == numbers | refused_by_torch | whole, nothing - numbers - refused_by_torch - whole
    assert len(compared) - len(nothing) - len(without_arrays) >= 370
    assert sum(compared.values()) >= 2500
    assert len(REFUSED) <= 25


@pytest.mark.parametrize("name", [name for name, row in NAMED.items() if row.order > 0])
def test_gradients_of_many_seeds_at_once_are_those_of_each(name):
    """One walk of a graph without a batch, with a batch of seeds: each formula runs on batched tensors, to second order."""
    row = NAMED[name]

    def each_seed(case, seed):
        args = arguments(row, case)
        try:
            outs = [x for x in outputs(row, args) if x.requires_grad]
        except RuntimeError:
            return
        by = [leaf for x in args for leaf in leaves(x)]
        if not outs or not by:
            return
        rng = np.random.default_rng(seed)
        draw = lambda x, *lead: torch.from_numpy(np.asarray(rng.uniform(0.5, 1.5, (*lead, *x.shape)))).to(x.dtype)
        seeds = [draw(x, EXAMPLES) for x in outs]
        if row.order > 1:
            seeds = [s.requires_grad_() for s in seeds]

        def first(*weights):
            found = torch.autograd.grad(
                outs, by, weights, retain_graph=True, create_graph=row.order > 1, allow_unused=True
            )
            return tuple(g for g in found if g is not None)

        try:
            alone = [first(*[s[k] for s in seeds]) for k in range(EXAMPLES)]
        except (RuntimeError, NotImplementedError):  # its gradient is refused
            return
        if not alone[0]:
            return
        alone = [torch.stack(gs) for gs in zip(*alone, strict=True)]
        together = vmap(first)(*seeds)
        for g, wanted in zip(together, alone, strict=True):
            assert g.dtype == wanted.dtype
            assert_close(g.detach(), wanted.detach(), rtol=1e-8, atol=1e-9)
        weights = [to_numpy(draw(g)) for g in alone]
        for g, wanted in zip(
            *[second(found, weights, [*by, *seeds]) for found in (together, alone)],
            strict=True,
        ):
            assert_close(g, wanted, rtol=1e-7, atol=1e-8)

    def second(found, weights, by):
        able = [(x, torch.from_numpy(w).to(x.dtype)) for x, w in zip(found, weights, strict=True) if x.requires_grad]
        if not able:
            return []
        by = [x for x in by if x.requires_grad]
        grads = torch.autograd.grad(
            [x for x, _ in able], by, [w for _, w in able], retain_graph=True, allow_unused=True
        )
        return [np.zeros(tuple(x.shape)) if g is None else to_numpy(g) for g, x in zip(grads, by, strict=True)]

    for_each_case(row, each_seed, share=0.1)


@pytest.mark.parametrize("name", [name for name in NAMED if name not in REFUSED and name not in SOMETIMES])
def test_nested_maps_are_one_map_of_more_examples(name):
    row = NAMED[name]

    def nest(case, seed):
        arrays = [i for i, x in enumerate(case) if holds_arrays(x)]
        examples = examples_of(row, case, arrays) if arrays else None
        if examples is None:
            return
        grid = [examples, examples[::-1]]
        rows = [[outputs(row, [tensors(x, wanted=False) for x in e]) for e in line] for line in grid]
        stack = lambda *xs: np.stack(xs)
        lines = [[each_array(stack, *[e[i] for e in line]) for line in grid] for i in arrays]
        stacked = [tensors(each_array(stack, *line), wanted=False) for line in lines]

        def of_example(*given):
            full = list(case)
            for i, x in zip(arrays, given, strict=True):
                full[i] = x
            return tuple(tensors_in(row.call(torch, *full)))

        in_dims = tuple(first_dims(case[i]) for i in arrays)
        found = vmap(vmap(of_example, in_dims), in_dims)(*stacked)
        for number, out in enumerate(found):
            wanted = np.stack([np.stack([to_numpy(single[number]) for single in line]) for line in rows])
            assert_close(out, wanted, rtol=1e-9, atol=1e-10)

    for_each_case(row, nest, share=0.1)


def first_dims(x):
    """in_dims of an argument: 0 for each array in it."""
    return 0 if isinstance(x, np.ndarray) else type(x)(first_dims(y) if holds_arrays(y) else None for y in x)
