"""torch.func's derivatives against torch's, and their laws."""

from collections import OrderedDict, defaultdict, deque, namedtuple

import hypothesis
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinygrad_edu
import tinygrad_edu.func
from tests.oracle import assert_same, both
from tinygrad_edu import func
from tinygrad_edu._core.op import unwatch, watch
from tinygrad_edu.func import _derivatives, _rows
from tinygrad_edu.func._trees import flatten, unflatten
from tinygrad_edu.testing.table import ROWS

GIVEN = [0.5, -1.25, 2.0]
OTHER = [1.5, 0.75, -0.5]


def x_of(t, values=GIVEN, requires_grad=False):
    return t.tensor(values, dtype=t.float64, requires_grad=requires_grad)


# ---- functions drawn at random: compositions of smooth operations of two vectors

UNARY = {
    "sin": lambda t, x: x.sin(),
    "tanh": lambda t, x: x.tanh(),
    "exp": lambda t, x: (x / 4).exp(),
    "square": lambda t, x: x * x / 3,
    "sigmoid": lambda t, x: t.sigmoid(x),
    "cumsum": lambda t, x: x.cumsum(0) / 2,
    "flip": lambda t, x: x.flip(0),
    "softmax": lambda t, x: t.softmax(x, 0),
    "mean": lambda t, x: x - x.mean(),
    "index": lambda t, x: x[[1, 0, 1]],
    "reshape": lambda t, x: t.cat([x, x]).reshape(2, 3).t().sum(1),
    "constant": lambda t, x: x * x.detach(),
}
BINARY = {
    "add": lambda t, x, y: x + y,
    "mul": lambda t, x, y: x * y,
    "outer": lambda t, x, y: t.outer(x, y) @ x / 5,
    "where": lambda t, x, y: t.where(x > 0, x * y, y.sin()),
    "hypot": lambda t, x, y: t.hypot(x, y + 4),
    "lerp": lambda t, x, y: t.lerp(x, y, 0.3),
}
STEPS = st.lists(st.sampled_from([*UNARY, *BINARY]), min_size=1, max_size=5)


def composed(t, steps):
    """The function of two vectors of three elements that ``steps`` name."""

    def f(x, y):
        first, second = x, y
        for step in steps:
            if step in UNARY:
                first = UNARY[step](t, first)
            else:
                first, second = BINARY[step](t, first, second), first
        return first

    return f


def loss_of(t, steps):
    return lambda x, y: (composed(t, steps)(x, y) * x_of(t, [1.0, -2.0, 0.5])).sum()


TRANSFORMS = {
    "grad": lambda t, f, loss, x, y: t.func.grad(loss, (0, 1))(x, y),
    "grad_and_value": lambda t, f, loss, x, y: t.func.grad_and_value(loss, 1)(x, y),
    "vjp": lambda t, f, loss, x, y: t.func.vjp(f, x, y)[1](x * y),
    "jvp": lambda t, f, loss, x, y: t.func.jvp(f, (x, y), (y, x)),
    "linearize": lambda t, f, loss, x, y: t.func.linearize(f, x, y)[1](y, x),
    "jacrev": lambda t, f, loss, x, y: t.func.jacrev(f, (1, 0))(x, y),
    "jacfwd": lambda t, f, loss, x, y: t.func.jacfwd(f, (0, 1))(x, y),
    "hessian": lambda t, f, loss, x, y: t.func.hessian(loss, (0, 1))(x, y),
    "jacfwd(jacfwd)": lambda t, f, loss, x, y: t.func.jacfwd(t.func.jacfwd(f), 1)(x, y),
    "jacrev(jacfwd)": lambda t, f, loss, x, y: t.func.jacrev(t.func.jacfwd(f))(x, y),
    "jacrev(grad)": lambda t, f, loss, x, y: t.func.jacrev(t.func.grad(loss, 1))(x, y),
    "jvp of grad": lambda t, f, loss, x, y: t.func.jvp(t.func.grad(loss), (x, y), (y, x)),
    "vjp of jvp": lambda t, f, loss, x, y: t.func.vjp(lambda v: t.func.jvp(f, (x, y), (v, v))[1], y)[1](x),
    "grad of grad": lambda t, f, loss, x, y: t.func.grad(lambda x: (t.func.grad(loss)(x, y) ** 2).sum())(x),
}


@pytest.mark.parametrize("name", TRANSFORMS)
@given(steps=STEPS)
def test_every_transform_of_any_function_is_torchs(name, steps):
    both(lambda t: TRANSFORMS[name](t, composed(t, steps), loss_of(t, steps), x_of(t), x_of(t, OTHER)))


@pytest.mark.parametrize("name", [name for name in TRANSFORMS if name != "linearize"])  # torch's lets nothing through
@given(steps=STEPS)
def test_every_transform_is_differentiated_again_from_outside(name, steps):
    def program(t):
        x, y = x_of(t, requires_grad=True), x_of(t, OTHER, requires_grad=True)
        found, _ = flatten(TRANSFORMS[name](t, composed(t, steps), loss_of(t, steps), x, y))
        total = (
            sum((part * part).sum() for part in found) + 0 * x.sum()
        )  # a derivative that is constant may lack a history
        return t.autograd.grad(total, (x, y), allow_unused=True, materialize_grads=True)

    both(program)


# ---- trees

Pair = namedtuple("Pair", "first second")  # noqa: PYI024  # as users write them
LEAVES = st.sampled_from([(), (2,), (1, 3)])
TREES = st.recursive(
    LEAVES.map(lambda shape: ("leaf", shape)),
    lambda inner: st.one_of(
        st.tuples(st.sampled_from(["tuple", "list", "deque"]), st.lists(inner, min_size=1, max_size=3)),
        st.tuples(st.sampled_from(["dict", "ordered", "default"]), st.lists(inner, min_size=1, max_size=3)),
        st.tuples(st.just("pair"), st.lists(inner, min_size=2, max_size=2)),
    ),
    max_leaves=5,
)


def grown(t, tree, number=None):
    """The tree of tensors that a drawing describes."""
    number = [0] if number is None else number
    kind, inner = tree
    if kind == "leaf":
        number[0] += 1
        return t.arange(1.0, 1 + int(np.prod(inner)), dtype=t.float64).reshape(inner) / 3 + number[0]
    parts = [grown(t, part, number) for part in inner]
    named = list(zip("cabd", parts, strict=False))
    return {
        "tuple": lambda: tuple(parts),
        "list": lambda: parts,
        "deque": lambda: deque(parts),
        "dict": lambda: dict(named),
        "ordered": lambda: OrderedDict(named),
        "default": lambda: defaultdict(list, named),
        "pair": lambda: Pair(*parts),
    }[kind]()


def plain(tree):
    """The same with types that the oracle walks: a deque as a list under its name."""
    if isinstance(tree, deque):
        return ["deque", *[plain(part) for part in tree]]
    if isinstance(tree, dict):
        return {"kind": type(tree).__name__, **{key: plain(part) for key, part in tree.items()}}
    if isinstance(tree, tuple | list):
        return [type(tree).__name__, *[plain(part) for part in tree]]
    return tree


@given(tree=TREES)
def test_gradients_have_the_structure_of_the_argument(tree):
    def program(t):
        def loss(x):
            return sum([(leaf**2).sum() * (i + 1) for i, leaf in enumerate(flatten(x)[0])], t.zeros(()))

        x = grown(t, tree)
        found = t.func.grad(loss)(x)
        return plain(found), plain(t.func.grad(loss, argnums=(0,))(x)[0])

    both(program)


@given(tree=TREES)
def test_outputs_and_cotangents_have_the_structure_of_the_function(tree):
    def program(t):
        def f(x):
            leaves, spec = flatten(grown(t, tree))
            return unflatten([leaf * x.prod() for leaf in leaves], spec)

        x = x_of(t)
        output, pullback = t.func.vjp(f, x)
        _, moved = t.func.jvp(f, (x,), (x,))
        jacobians = [t.func.jacrev(f)(x), t.func.jacfwd(f)(x)]
        return plain(output), pullback(grown(t, tree)), plain(moved), [plain(j) for j in jacobians]

    both(program)


def test_a_jacobian_is_nested_as_the_output_and_inside_as_the_input():
    def program(t):
        def f(state, y):
            return {"a": state["w"] * y, "b": [state["v"][0].sin()]}

        state = {"w": x_of(t), "v": (x_of(t, OTHER),)}
        return [
            transform(f, argnums)(state, x_of(t, OTHER))
            for transform in (t.func.jacrev, t.func.jacfwd)
            for argnums in (0, (0,), (1, 0))
        ]

    both(program)


def test_cotangents_of_another_structure_are_refused_and_both_are_shown():
    def program(t):
        x = t.ones(2)
        return t.func.vjp(lambda x: {"a": x, "b": [x]}, x)[1]((x, x))

    error = both(program)
    assert "cotangents: (*, *), primal output: {'a': *, 'b': [*]}" in str(error)


def test_a_tree_refuses_too_few_leaves():
    with pytest.raises(ValueError, match="`leaves` has length 1 but the spec refers to a tree that holds 2"):
        unflatten([1], flatten((1, 2))[1])


def test_a_deque_keeps_its_length_and_a_default_dict_its_factory():
    found = unflatten([1, 2, 3], flatten((deque([1, 2], maxlen=2), defaultdict(list, a=3)))[1])
    assert (found[0].maxlen, found[1]["new"]) == (2, [])


@pytest.mark.parametrize(
    ("tree", "text"),
    [
        ((1,), "(*,)"),
        ([1, (2, 3)], "[*, (*, *)]"),
        (Pair(1, 2), "Pair(first=*, second=*)"),
        (OrderedDict(a=1), "OrderedDict({'a': *})"),
        (deque([1]), "deque([*])"),
        (tinygrad_edu.Size((1, 2)), "(*, *)"),
        (None, "*"),
    ],
)
def test_a_structure_prints_like_the_tree(tree, text):
    assert str(flatten(tree)[1]) == text


# ---- which arguments, and what else is returned


@pytest.mark.parametrize("argnums", [0, 1, -1, -2, (0,), (1, 0), (0, -1)])
def test_argnums_pick_arguments_by_position(argnums):
    def program(t):
        x, y = x_of(t), x_of(t, OTHER)
        found = t.func.grad(lambda x, y: (x**2 * y).sum(), argnums)(x, y)
        return found, t.func.jacrev(lambda x, y: x**2 * y, argnums)(x, y)

    both(program)


@pytest.mark.parametrize("argnums", [0, 1, (0,), (1, 0)])
@pytest.mark.parametrize("name", ["jacfwd", "hessian"])
def test_argnums_pick_arguments_of_the_forward_jacobian(name, argnums):
    both(lambda t: getattr(t.func, name)(lambda x, y: x**2 * y, argnums)(x_of(t), x_of(t, OTHER)))


@pytest.mark.parametrize("name", ["jacfwd", "hessian"])
def test_positions_from_the_end_are_right_where_torch_gives_zeros(name):
    transform, f = getattr(func, name), lambda x, y: x**2 * y**3
    x, y = x_of(tinygrad_edu), x_of(tinygrad_edu, OTHER)
    assert transform(f, -1)(x, y).any()
    assert tinygrad_edu.equal(transform(f, -1)(x, y), transform(f, 1)(x, y))


def test_keywords_and_other_values_are_handed_on():
    both(lambda t: t.func.grad(lambda x, power, *, scale: (x**power).sum() * scale)(x_of(t), 3, scale=2.0))


AUX = {
    "grad": lambda t, f, x: t.func.grad(lambda x: (f(x).sum(), {"seen": [x * 2, f(x)]}), has_aux=True)(x),
    "grad_and_value": lambda t, f, x: t.func.grad_and_value(lambda x: (f(x).sum(), (x,)), has_aux=True)(x),
    "vjp": lambda t, f, x: t.func.vjp(lambda x: (f(x), x), x, has_aux=True)[::2],
    "jvp": lambda t, f, x: t.func.jvp(lambda x: (f(x), x * 3), (x,), (x,), has_aux=True),
    "jacrev": lambda t, f, x: t.func.jacrev(lambda x: (f(x), x * 3), has_aux=True)(x),
    "jacfwd": lambda t, f, x: t.func.jacfwd(lambda x: (f(x), x * 3), has_aux=True)(x),
}


@pytest.mark.parametrize("requires_grad", [False, True])
@pytest.mark.parametrize("name", AUX)
def test_what_is_returned_beside_the_output_comes_out_too(name, requires_grad):
    both(lambda t: AUX[name](t, lambda x: x.sin(), x_of(t, requires_grad=requires_grad)))


# ---- what has a history outside


def test_results_of_plain_inputs_have_no_history():
    def program(t):
        x = x_of(t)
        output, pullback = t.func.vjp(t.sin, x)
        found = [t.func.grad(lambda x: t.sin(x).sum())(x), output, *pullback(x), t.func.jacrev(t.sin)(x)]
        return [part.requires_grad for part in found]

    assert both(program) == [False] * 4


def test_a_closed_over_leaf_gets_its_gradient_through_the_result():
    def program(t):
        w = x_of(t, OTHER, requires_grad=True)
        slope, value = t.func.grad_and_value(lambda x: (x**2 * w).sum())(x_of(t))
        (slope.sum() + value).backward()
        return slope, value, w.grad

    both(program)


def test_only_the_results_that_depend_on_a_closed_over_leaf_have_a_history():
    def program(t):
        w = x_of(t, OTHER, requires_grad=True)
        return t.func.grad_and_value(lambda x: (x**2).sum() + w.sum())(x_of(t))

    slope, value = both(program)
    assert not slope.requires_grad
    assert value.requires_grad


def test_a_closed_over_tensor_is_returned_as_it_is():
    w = x_of(tinygrad_edu, requires_grad=True)
    output, _ = func.vjp(lambda x: (x * 2, w), x_of(tinygrad_edu))
    assert output[1] is w


def test_the_input_itself_is_returned_with_its_own_history():
    def program(t):
        w = x_of(t, requires_grad=True)
        h = w * 3
        output, _ = t.func.vjp(lambda x: x, h)
        output.sum().backward()
        return output, w.grad

    both(program)


def test_a_tensor_that_the_function_holds_itself_is_a_constant():
    def program(t):
        x = x_of(t, requires_grad=True)
        slope = t.func.grad(lambda z: (z * x).sum())(x)
        return slope, t.autograd.grad(slope.sum(), x)

    both(program)


def test_levels_do_not_mix_up_what_they_differentiate():
    def program(t):  # d/dx (x * d/dy (x + y)) is 1; who confuses the perturbations gets 2
        x = t.tensor(2.0)
        inner = lambda x: t.func.grad(lambda y: x + y)(t.tensor(1.0))
        forward = lambda x: t.func.jvp(lambda y: x + y, (t.tensor(1.0),), (t.tensor(1.0),))[1]
        return (
            t.func.grad(lambda x: x * inner(x))(x),
            t.func.jvp(lambda x: x * forward(x), (x,), (t.tensor(1.0),)),
            t.func.grad(lambda x: x * t.func.grad(lambda y: x * y * y)(x))(x),
        )

    assert both(program)[0] == 1.0


def test_gradients_nest_four_times():
    def program(t):
        f = lambda x: (x * x.sin()).exp()
        orders = []
        for _ in range(4):
            f = t.func.grad(f)
            orders.append(f(t.tensor(0.7, dtype=t.float64)))
        return orders

    both(program)


def test_the_function_may_differentiate_inside():
    def program(t):
        def f(x):
            (slope,) = t.autograd.grad((x**3).sum(), x, create_graph=True)
            return (slope * x).sum()

        return t.func.grad(f)(x_of(t)), t.func.hessian(f)(x_of(t))

    both(program)


def test_the_function_may_not_call_backward():
    def program(t):
        w = x_of(t, OTHER, requires_grad=True)
        seen.append(w)

        def f(x):
            (x * w).sum().backward()
            return x.sum()

        return t.func.grad(f)(x_of(t))

    seen = []
    assert "backward() called inside a functorch transform" in str(both(program))
    assert seen[-1].grad is None  # the walk stopped before it reached the older leaf


def test_a_leaf_made_inside_leaves_no_history():
    made_inside = lambda x: (x * tinygrad_edu.tensor(2.0, requires_grad=True)).sum()
    found = func.grad_and_value(made_inside)(x_of(tinygrad_edu))
    assert [part.requires_grad for part in found] == [False, False]


def test_an_error_blames_no_detach_for_a_result_without_history():
    _, value = func.grad_and_value(lambda x: (x**2).sum())(x_of(tinygrad_edu))
    with pytest.raises(RuntimeError, match="does not require grad") as caught:
        value.backward()
    assert "detach" not in str(caught.value)


def test_hooks_of_the_inside_are_not_called_from_outside():
    def program(t):
        w, calls = x_of(t, OTHER, requires_grad=True), []

        def f(x):
            y = x * w
            y.register_hook(lambda g: calls.append(g.tolist()))
            return (y * y).sum()

        slope, value = t.func.grad_and_value(f)(x_of(t))
        before = len(calls)
        (slope.sum() + value).backward()
        return before, len(calls), w.grad

    assert both(program)[:2] == (1, 1)


def test_a_value_overwritten_inside_is_noticed_outside():
    def program(t):
        w = x_of(t, OTHER, requires_grad=True)

        def f(x):
            y = (x * w).exp()
            out = y * y
            y.detach().mul_(2)
            return out

        output, _ = t.func.vjp(f, x_of(t))
        output.sum().backward()

    assert "modified by an inplace operation" in str(both(program))


def test_nothing_is_recorded_that_nobody_outside_wants(monkeypatch):
    t, recorded = tinygrad_edu, []

    def gradients(*args, **settings):
        recorded.append(settings["create_graph"])
        return _rows.gradients(*args, **settings)

    monkeypatch.setattr(_derivatives, "gradients", gradients)
    f = lambda x: (x**3).sum()
    plain, wanted = x_of(t), x_of(t, requires_grad=True)
    func.grad(f)(plain)
    func.vjp(f, plain)[1](t.ones((), dtype=t.float64))
    with t.no_grad():
        func.grad(f)(wanted)
    assert recorded == [False, False, False]
    func.grad(f)(wanted)
    assert recorded[-1]


def test_inputs_keep_their_values_their_gradients_and_their_flags():
    t = tinygrad_edu
    x, w = x_of(t, requires_grad=True), x_of(t, OTHER, requires_grad=True)
    x.grad = t.ones(3, dtype=t.float64)
    for transform in (func.grad, func.jacrev, func.jacfwd, func.hessian):
        transform(lambda x: (x**3 * w).sum())(x)
    func.jvp(lambda x: x**2, (x,), (w,))
    assert (x.tolist(), x.grad.tolist(), x.is_leaf, w.grad, w.is_leaf) == (GIVEN, [1.0, 1.0, 1.0], True, None, True)


def test_an_input_cannot_be_written_in_place():
    def program(t):
        x = x_of(t)
        return t.func.grad(lambda x: x.mul_(2).sum())(x)

    assert "a leaf Variable that requires grad is being used in an in-place operation" in str(both(program))


def test_copies_may_be_written_in_place():
    def program(t):
        def f(x):
            y = x.clone()
            y[0] = y[1] * 2
            y.mul_(x)
            return y.sum()

        x = x_of(t, requires_grad=True)
        return t.func.grad(f)(x), t.func.hessian(f)(x.detach())

    both(program)


# ---- modes


def test_a_mode_outside_changes_no_number_but_leaves_no_history():
    def program(t):
        w = x_of(t, OTHER, requires_grad=True)
        with t.no_grad():
            return (
                t.func.grad(lambda x: (x**2 * w).sum())(w),
                t.func.vjp(lambda x: x * w, w)[1](w),
                t.func.jvp(lambda x: x * x, (w,), (w,)),
                t.func.hessian(lambda x: (x**3).sum())(w),
                t.is_grad_enabled(),
            )

    both(program)


def test_a_mode_inside_makes_constants():
    def program(t):
        def f(x):
            with t.no_grad():
                c = x**2
            return (x - c).sum()

        return t.func.grad(f)(x_of(t)), t.func.jacrev(f)(x_of(t))

    both(program)


def test_inference_mode_outside_changes_no_number():
    def program(t):
        with t.inference_mode():
            return t.func.grad(lambda x: (x**3).sum())(x_of(t))

    both(program)


def test_a_pullback_obeys_the_mode_it_is_called_in():
    def program(t):
        w = x_of(t, OTHER, requires_grad=True)
        _, pullback = t.func.vjp(lambda x: x * w, x_of(t))
        with t.no_grad():
            inside = pullback(x_of(t))
        return inside, pullback(x_of(t)), pullback(x_of(t), create_graph=False), pullback(w)

    both(program)


def test_what_is_carried_through_may_want_gradients_itself():
    def program(t):
        v = x_of(t, OTHER, requires_grad=True)
        back = t.func.vjp(lambda x: x.sin(), x_of(t))[1](v)[0]
        moved = t.func.jvp(lambda x: x.sin(), (x_of(t),), (v,))
        return back, moved, t.autograd.grad(back.sum() + moved[1].sum(), v)

    both(program)


def test_a_pullback_made_under_no_grad_and_called_outside_has_a_history():
    def program(t):
        w = x_of(t, OTHER, requires_grad=True)
        with t.no_grad():
            output, pullback = t.func.vjp(lambda x: (x**2, w), w)
        return output, pullback((x_of(t), x_of(t)))

    both(program)


def test_a_pullback_still_works_after_the_output_was_differentiated():
    def program(t):
        w = x_of(t, OTHER, requires_grad=True)
        output, pullback = t.func.vjp(lambda x: (x * w).sin(), x_of(t))
        output.sum().backward()
        with t.no_grad():
            return pullback(x_of(t)), pullback(x_of(t)), w.grad

    both(program)


# ---- custom functions


def cube(t):
    class Cube(t.autograd.Function):
        generate_vmap_rule = True

        @staticmethod
        def forward(x):
            return x**3

        @staticmethod
        def setup_context(ctx, inputs, output):
            ctx.save_for_backward(*inputs)

        @staticmethod
        def backward(ctx, g):
            (x,) = ctx.saved_tensors
            return 3 * x**2 * g

    return Cube.apply


@pytest.mark.parametrize("requires_grad", [False, True])
def test_a_custom_function_is_differentiated_to_any_order(requires_grad):
    def program(t):
        x = x_of(t, requires_grad=requires_grad)
        first = t.func.grad(lambda x: cube(t)(x).sum())
        slope = first(x)
        again = t.autograd.grad(slope.sum(), x) if requires_grad else None
        return slope, t.func.jacrev(first)(x), t.func.jacrev(t.func.jacrev(first))(x), again

    both(program)


def test_a_custom_function_inside_is_differentiated_twice_from_outside():
    def program(t):
        x = x_of(t, requires_grad=True)
        _, value = t.func.grad_and_value(lambda x: cube(t)(x).sum())(x)
        (first,) = t.autograd.grad(value, x, create_graph=True)
        return first, t.autograd.grad(first.sum(), x)

    both(program)


def test_a_gradient_marked_once_differentiable_refuses_the_second_order_from_outside():
    t = tinygrad_edu

    class Double(t.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2

        @staticmethod
        @t.autograd.once_differentiable
        def backward(ctx, g):
            return g * 2

    x = x_of(t, requires_grad=True)
    slope = func.grad(lambda x: (Double.apply(x) * x).sum())(x)
    with pytest.raises(RuntimeError, match="trying to differentiate twice"):
        slope.sum().backward()


# ---- jvp


def test_outputs_without_a_derivative_have_zeros():
    def program(t):
        x = x_of(t)
        f = lambda x: (x.argmax(), x > 0, t.ones(2), x * 2)
        return t.func.jvp(f, (x,), (x,)), t.func.jacfwd(f)(x)

    both(program)


def test_a_strict_jvp_refuses_an_output_that_is_constant():
    assert "independent of the inputs" in str(
        both(lambda t: t.func.jvp(lambda x: (x, t.ones(2)), (x_of(t),), (x_of(t),), strict=True))
    )


def test_a_strict_jvp_gives_what_depends():
    both(lambda t: t.func.jvp(lambda x: x * 2, (x_of(t),), (x_of(t),), strict=True))


def test_a_linear_part_is_differentiated_by_the_point_it_was_taken_at():
    t = tinygrad_edu
    x = x_of(t, requires_grad=True)
    _, linear = func.linearize(lambda x: x**3, x)
    (slope,) = t.autograd.grad(linear(t.ones(3, dtype=t.float64)).sum(), x)
    assert t.allclose(slope, 6 * x)


def test_a_linearized_function_is_called_many_times_and_runs_once():
    runs = []

    def f(x):
        runs.append(1)
        return x**2

    t = tinygrad_edu
    _, linear = func.linearize(f, x_of(t))
    assert [linear(v).tolist() for v in t.eye(3, dtype=t.float64)] == [
        [1.0, 0.0, 0.0],
        [0.0, -2.5, 0.0],
        [0.0, 0.0, 4.0],
    ]
    assert len(runs) == 1


# ---- Jacobians


@pytest.mark.parametrize("chunk_size", [None, 1, 2, 3, 100])
def test_the_size_of_chunks_changes_no_number(chunk_size):
    both(lambda t: t.func.jacrev(lambda x: (x.sin(), x.sum()), chunk_size=chunk_size)(x_of(t)))


@pytest.mark.parametrize("name", ["jacrev", "jacfwd"])
def test_jacobians_of_nothing_are_empty(name):
    both(lambda t: getattr(t.func, name)(lambda x: x[:0])(x_of(t)))
    both(lambda t: getattr(t.func, name)(lambda x: x * 2)(x_of(t, [])))


@pytest.mark.parametrize("name", ["jacrev", "jacfwd"])
def test_jacobians_have_the_shapes_of_output_and_input(name):
    def program(t):
        x = t.arange(6.0).reshape(2, 3)
        f = lambda x: (x @ x.t()).unsqueeze(0)
        scalar = getattr(t.func, name)(lambda x: (x**2).sum())(x)
        return getattr(t.func, name)(f)(x), scalar, getattr(t.func, name)(lambda x: x * t.ones(2, 2))(t.tensor(3.0))

    both(program)


# ---- mistakes

MISTAKES = {
    "a number for a tensor": (
        lambda t, x: t.func.grad(lambda x: x * x)(2.0),
        "Thing passed to transform API must be Tensor",
    ),
    "None for a tensor": (lambda t, x: t.func.grad(lambda x: x[0].sum())((x, None)), "must be Tensor"),
    "whole numbers": (lambda t, x: t.func.grad(lambda x: x.sum())(t.tensor([1, 2])), "only Tensors of floating point"),
    "a vector": (lambda t, x: t.func.grad(lambda x: x * 2)(x), "Maybe you wanted to use the vjp or jacrev APIs"),
    "one element, but not 0-d": (lambda t, x: t.func.grad(lambda x: x[:1])(x), "to return a scalar Tensor"),
    "no tensor": (lambda t, x: t.func.grad(lambda x: 1.0)(x), "to return a Tensor, got <class 'float'>"),
    "a pair unannounced": (
        lambda t, x: t.func.grad(lambda x: (x.sum(), x))(x),
        "got <class 'tuple'>",
    ),
    "no pair": (lambda t, x: t.func.grad(lambda x: x.sum(), has_aux=True)(x), "should be a tuple: (output, aux)"),
    "no pair for vjp": (lambda t, x: t.func.vjp(lambda x: x, x, has_aux=True), "should be a tuple: (output, aux)"),
    "aux of another type": (lambda t, x: t.func.grad(lambda x: (x.sum(), 3), has_aux=True)(x), "Expected tensors, got"),
    "an argument too far": (lambda t, x: t.func.grad(lambda x: x.sum(), argnums=1)(x), "Got argnum=1, but only 1"),
    "an argument by name": (lambda t, x: t.func.grad(lambda x: x.sum())(x=x), "Got argnum=0, but only 0"),
    "no argument": (lambda t, x: t.func.grad(lambda x: x.sum(), argnums=())(x), "argnums must be non-empty"),
    "an argument twice": (lambda t, x: t.func.jacrev(lambda x: x, argnums=(0, -1))(x), "must be unique, got (0, 0)"),
    "a list of arguments": (lambda t, x: t.func.jacfwd(lambda x: x, argnums=[0])(x), "argnums must be int or Tuple"),
    "argnums that are no numbers": (lambda t, x: t.func.grad(lambda x: x, argnums=("x",))(x), "argnum must be int"),
    "nothing returned": (lambda t, x: t.func.vjp(lambda x: None, x), "non-empty output (got output = [None])"),
    "an empty tuple returned": (lambda t, x: t.func.vjp(lambda x: (), x), "non-empty output (got output = [])"),
    "a number among the outputs": (
        lambda t, x: t.func.jacrev(lambda x: (x, 1))(x),
        "to return only tensors, got unsupported",
    ),
    "a truth value as output": (
        lambda t, x: t.func.vjp(lambda x: x > 0, x),
        "must be floating-point or complex Tensors",
    ),
    "cotangents of another shape": (
        lambda t, x: t.func.vjp(lambda x: x, x)[1](x[:1]),
        "Mismatch in shape: grad_output[0]",
    ),
    "a number as cotangent": (
        lambda t, x: t.func.vjp(lambda x: x, x)[1](1.0),
        "gradients can be either Tensors or None",
    ),
    "a list of primals": (lambda t, x: t.func.jvp(lambda x: x, [x], [x]), "Expected primals to be a tuple"),
    "a tangent without its tuple": (lambda t, x: t.func.jvp(lambda x: x, (x,), x), "the same python structure"),
    "a number as tangent": (
        lambda t, x: t.func.jvp(lambda x: x, (x,), (1.0,)),
        "Expected tangents to only contain Tensors",
    ),
    "a number as primal": (
        lambda t, x: t.func.jvp(lambda x: x, (1.0,), (x,)),
        "Expected primals to only contain Tensors",
    ),
    "no primals": (lambda t, x: t.func.jvp(lambda: x, (), ()), "Expected primals to contain at least one Tensor"),
    "a tangent of another shape": (lambda t, x: t.func.jvp(lambda x: x, (x,), (x[:1],)), "has a different size than"),
    "a number returned to jvp": (
        lambda t, x: t.func.jvp(lambda x: 1.0, (x,), (x,)),
        "to return only tensors, got unsupported",
    ),
    "whole numbers as primals": (
        lambda t, x: t.func.jvp(lambda x: x, (t.tensor([1]),), (t.tensor([1]),)),
        "Expected primal to be floating point",
    ),
    "too many tangents": (lambda t, x: t.func.linearize(lambda x: x, x)[1](x, x), "to have the same argspec"),
    "a tangent of another dtype": (
        lambda t, x: t.func.linearize(lambda x: x, x)[1](x.float()),
        "doesn't match the dtype",
    ),
    "no rows at a time": (
        lambda t, x: t.func.jacrev(lambda x: x, chunk_size=0),
        "`chunk_size` should be greater than 0",
    ),
}


@pytest.mark.parametrize("case", MISTAKES)
def test_mistakes_are_refused_with_torchs_exception_and_words(case):
    program, words = MISTAKES[case]
    error = both(lambda t: program(t, x_of(t)))
    assert words in str(error)


def test_an_exception_of_the_function_passes_through_and_nothing_stays_behind():
    t = tinygrad_edu

    def broken(x):
        raise KeyError("mine")

    x = x_of(t)
    with t.no_grad(), pytest.raises(KeyError, match="mine"):
        func.grad(broken)(x)
    assert t.is_grad_enabled()
    assert (x.requires_grad, x.grad) == (False, None)


# ---- laws

ARRAYS = st.lists(st.floats(-2, 2, allow_nan=False), min_size=3, max_size=3)


@given(steps=STEPS, x=ARRAYS, y=ARRAYS, u=ARRAYS, v=ARRAYS)
def test_jvp_and_vjp_are_adjoint(steps, x, y, u, v):
    t = tinygrad_edu
    f = composed(t, steps)
    x, y, u, v = [x_of(t, values) for values in (x, y, u, v)]
    _, pullback = func.vjp(lambda x: f(x, y), x)
    _, forward = func.jvp(lambda x: f(x, y), (x,), (v,))
    assert np.isclose((u * forward).sum().item(), (pullback(u)[0] * v).sum().item(), rtol=1e-9, atol=1e-9)


@given(steps=STEPS, x=ARRAYS, u=ARRAYS, v=ARRAYS)
def test_pullback_and_linear_part_are_linear(steps, x, u, v):
    t = tinygrad_edu
    f = composed(t, steps)
    x, u, v = [x_of(t, values) for values in (x, u, v)]
    _, pullback = func.vjp(lambda x: f(x, x), x)
    _, linear = func.linearize(lambda x: f(x, x), x)
    for map_ in (lambda v: pullback(v)[0], linear):
        assert t.allclose(map_(2 * u - v), 2 * map_(u) - map_(v), rtol=1e-9, atol=1e-9)


@given(steps=STEPS.filter(lambda steps: "constant" not in steps), x=ARRAYS)
def test_a_hessian_is_symmetric_however_it_is_composed(steps, x):
    t = tinygrad_edu
    loss = loss_of(t, steps)
    x = x_of(t, x)
    hessian = func.hessian(lambda x: loss(x, x))(x)
    assert t.allclose(hessian, hessian.t(), rtol=1e-8, atol=1e-8)
    for outer in (func.jacrev, func.jacfwd):
        for inner in (func.grad, func.jacrev, func.jacfwd):
            assert t.allclose(outer(inner(lambda x: loss(x, x)))(x), hessian, rtol=1e-8, atol=1e-8)


@given(steps=STEPS, x=ARRAYS)
def test_a_jacobian_is_the_linear_part_of_every_axis(steps, x):
    t = tinygrad_edu
    f = composed(t, steps)
    x = x_of(t, x)
    _, linear = func.linearize(lambda x: f(x, x), x)
    columns = t.stack([linear(axis) for axis in t.eye(3, dtype=t.float64)], 1)
    for transform in (func.jacrev, func.jacfwd):
        assert t.allclose(transform(lambda x: f(x, x))(x), columns, rtol=1e-9, atol=1e-9)


# ---- with vmap: of each example, and all rows of a Jacobian at once


@pytest.mark.parametrize("name", [name for name in TRANSFORMS if name != "linearize"])  # torch's has no rule for it
@given(steps=STEPS)
def test_every_transform_of_a_batch_is_torchs(name, steps):
    def program(t):
        def one(x, y):
            return flatten(TRANSFORMS[name](t, composed(t, steps), loss_of(t, steps), x, y))[0]

        xs = t.stack([x_of(t), x_of(t, OTHER)])
        return t.func.vmap(one)(xs, xs.flip(0)), t.func.vmap(one, in_dims=(None, 0))(x_of(t), xs)

    both(program)


def test_gradients_of_each_example_by_shared_weights():
    def program(t):
        net = t.nn.Sequential(t.nn.Linear(3, 4), t.nn.Tanh(), t.nn.Linear(4, 1)).double()
        with t.no_grad():
            for p in net.parameters():
                p.copy_(t.arange(float(p.numel()), dtype=t.float64).reshape(p.shape).sin())
        weights = {name: p.detach() for name, p in net.named_parameters()}

        def loss(weights, x, y):
            return ((t.func.functional_call(net, weights, x) - y) ** 2).sum()

        xs, ys = t.stack([x_of(t), x_of(t, OTHER)]), t.tensor([1.0, -1.0], dtype=t.float64)
        return t.func.vmap(t.func.grad(loss), in_dims=(None, 0, 0))(weights, xs, ys)

    both(program)


def test_an_ensemble_of_models_runs_as_one():
    def program(t):
        nets = [t.nn.Linear(3, 2).double() for _ in range(3)]
        with t.no_grad():
            for i, net in enumerate(nets):
                for p in net.parameters():
                    p.copy_(t.arange(float(p.numel()), dtype=t.float64).reshape(p.shape).sin() + i)
        parameters, buffers = t.func.stack_module_state(nets)
        call = lambda *state: t.func.functional_call(nets[0], state[:2], state[2])
        out = t.func.vmap(call, in_dims=(0, 0, None))(parameters, buffers, t.stack([x_of(t), x_of(t, OTHER)]))
        out.square().sum().backward()
        return out, {name: p.grad for name, p in parameters.items()}

    both(program)


def test_a_jacobian_runs_each_step_of_the_graph_once_for_all_rows():
    t = tinygrad_edu
    calls = []
    watcher = lambda op, args, settings, out: calls.append(op.name)

    def count(elements, **options):
        x = t.arange(float(elements), dtype=t.float64)
        calls.clear()
        watch(watcher)
        try:
            func.jacrev(lambda x: (x.sin() * x.exp()).cumsum(0), **options)(x)
        finally:
            unwatch(watcher)
        return len(calls)

    assert count(3) == count(30)
    assert count(30) < count(30, chunk_size=10) < count(30, chunk_size=5) < count(30, chunk_size=1)


def test_a_backward_that_reads_numbers_is_called_row_by_row():
    t = tinygrad_edu
    seen = []

    class Reading(t.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2

        @staticmethod
        def backward(ctx, g):
            seen.append(g.tolist())
            return g * 2

    assert func.jacrev(Reading.apply)(x_of(t)).tolist() == [[2.0, 0.0, 0.0], [0.0, 2.0, 0.0], [0.0, 0.0, 2.0]]
    assert seen == [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]


def test_an_error_of_a_backward_is_not_hidden():
    t = tinygrad_edu

    class Broken(t.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2

        @staticmethod
        def backward(ctx, g):
            raise RuntimeError("mine")

    with pytest.raises(RuntimeError, match="mine"):
        func.jacrev(Broken.apply)(x_of(t))


# ---- every op of the table

SMOOTH = [row for row in ROWS if row.order > 0]


def cases_of(row, count=2):
    """A few cases of a row, the same in every run."""
    found = []

    @hypothesis.settings(max_examples=count, database=None, derandomize=True, phases=[hypothesis.Phase.generate])
    @given(row.sample.strategy())
    def collect(case):
        found.append(case)

    collect()
    return found[:count]


def as_function(t, row, case):
    """The row's call as a function of its differentiable arrays, and these."""
    leaves, spec = flatten(case)
    owner = [i for i, part in enumerate(case) for _ in flatten(part)[0]]
    wanted = [isinstance(a, np.ndarray) and a.dtype == np.float64 for a in leaves]
    places = [n for n, is_wanted in enumerate(wanted) if is_wanted and owner[n] not in row.frozen]

    def f(*xs):
        given = [t.from_numpy(np.array(a)) if isinstance(a, np.ndarray) else a for a in leaves]
        for n, x in zip(places, xs, strict=True):
            given[n] = x
        t.manual_seed(0)
        output = row.call(t, *unflatten(given, spec))
        outputs, _ = flatten(
            tuple(output) if isinstance(output, tuple) else output
        )  # torch's return types are not named tuples
        return tuple([out for out in outputs if out.is_floating_point()])

    return f, tuple([t.from_numpy(np.array(leaves[n])) for n in places])


@pytest.mark.filterwarnings("ignore::UserWarning")  # of operations that torch deprecates
@pytest.mark.parametrize("row", SMOOTH, ids=lambda row: row.name)
def test_all_rows_of_a_jacobian_at_once_are_those_one_by_one(row):
    t = tinygrad_edu
    for case in cases_of(row):
        f, xs = as_function(t, row, case)
        xs = [x.requires_grad_() for x in xs]
        for out in f(*xs):
            if out.numel() and out.requires_grad:
                for at_once, alone in zip(_rows.together(out, xs), _rows.one_by_one(out, xs), strict=True):
                    assert_same(at_once, alone)


# torch.cholesky has no forward formula, and that of an embedding overlooks padding_idx.
TWICE = [
    row for row in SMOOTH if row.order > 1 and row.name != "cholesky" and (row.finite or "embedding" not in row.name)
]


@pytest.mark.parametrize("row", TWICE, ids=lambda row: row.name)
def test_jvp_by_two_backward_passes_is_torchs_by_forward_formulas(row):
    for case in cases_of(row):

        def program(t, case=case):
            f, xs = as_function(t, row, case)
            if any(
                x.isnan().any() for x in xs
            ):  # of nansum and its kin: what NaN times a tangent is they do not agree on
                xs = tuple([x.nan_to_num() for x in xs])
            return t.func.jvp(f, xs, tuple([(x * 1.7 + 0.3).sin() for x in xs]))

        both(program, rtol=1e-6, atol=1e-8, ignore_warnings=True)


def test_value_and_grad_gives_the_same_in_the_other_order():
    f = lambda x: ((x * x).sum(), {"twice": 2 * x})
    x = tinygrad_edu.tensor([1.0, -2.0])
    for has_aux, function in ((True, f), (False, lambda x: f(x)[0])):
        gradient, value = func.grad_and_value(function, has_aux=has_aux)(x)
        assert str((value, gradient)) == str(func.value_and_grad(function, has_aux=has_aux)(x))
