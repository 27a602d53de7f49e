"""vmap beside torch's: what it takes and gives, what it refuses and in which words, how it nests, and that each op runs once."""

import threading

import numpy as np
import pytest

import tinygrad_edu
import tinygrad_edu.func
from tests.oracle import both, to_numpy
from tests.test_house import OPS
from tinygrad_edu import func
from tinygrad_edu._core.op import Binary, Many, Op, Ternary, Unary, View, unwatch, watch
from tinygrad_edu._ops import conv
from tinygrad_edu.func import vmap
from tinygrad_edu.func._batching import DYNAMIC, ONE_BY_ONE, RULES


def numbers(t, *shape, start=0.5, requires_grad=False):
    """Numbers that differ from one another, without a pattern."""
    n = int(np.prod(shape))
    values = np.sin(np.arange(n) * 1.3 + start).reshape(shape)
    return t.tensor(values.tolist(), dtype=t.float64).reshape(shape).requires_grad_(requires_grad)


def same(program, **tolerances):
    """Require the same outcome with both, and that it is no exception."""
    found = both(program, **tolerances)
    assert not isinstance(found, Exception), found
    return found


def agree(programs):
    """Parametrize over programs that must have the same outcome with torch and with tinygrad_edu."""
    return pytest.mark.parametrize("program", programs.values(), ids=programs.keys())


# ---- inputs and outputs

PLACES = {
    "an int": lambda t, x, y: t.func.vmap(lambda a: a * 2 + a.sum())(x),
    "another dimension": lambda t, x, y: t.func.vmap(lambda a: a * a.sum(), in_dims=1)(x),
    "a negative dimension": lambda t, x, y: t.func.vmap(lambda a: a - a.mean(), in_dims=-1)(x),
    "None for one input": lambda t, x, y: t.func.vmap(t.add, in_dims=(0, None))(x, y[0]),
    "different dimensions": lambda t, x, y: t.func.vmap(t.add, in_dims=(0, 1))(x, y.T),
    "out_dims": lambda t, x, y: t.func.vmap(lambda a: a * 2, out_dims=1)(x),
    "negative out_dims": lambda t, x, y: t.func.vmap(lambda a: a[None] * t.ones(2, 1, dtype=t.float64), out_dims=-1)(x),
    "several outputs": lambda t, x, y: t.func.vmap(lambda a, b: (a + b, a.sum()), out_dims=(1, 0))(x, y),
    "a list of outputs": lambda t, x, y: t.func.vmap(lambda a: [a, a.exp()])(x),
    "a dict of outputs": lambda t, x, y: t.func.vmap(lambda a: {"p": a, "q": (a, [a.sin()])})(x),
    "out_dims of a dict": lambda t, x, y: t.func.vmap(lambda a: {"p": a, "q": a}, out_dims={"p": 0, "q": 1})(x),
    "one out_dim for one tensor": lambda t, x, y: t.func.vmap(lambda a: a, out_dims=(1,))(x),
    "a nested tuple in": lambda t, x, y: t.func.vmap(lambda p: p[0] + p[1][0], in_dims=((0, (1,)),))((x, (y.T,))),
    "a dict in": lambda t, x, y: t.func.vmap(lambda d, b: d["w"] @ b + d["b"].sum())({"w": x, "b": y}, y),
    "a dict in with dims": lambda t, x, y: t.func.vmap(lambda d: d["w"] + d["b"], in_dims=({"w": 0, "b": None},))(
        {"w": x, "b": y[1]}
    ),
    "one dim for a list": lambda t, x, y: t.func.vmap(lambda xs, b: xs[0] * xs[1] + b, in_dims=(1, None))([x, y], 2.0),
    "a number not batched": lambda t, x, y: t.func.vmap(lambda a, n: a * n, in_dims=(0, None))(x, 3),
    "keyword arguments are the same for all": lambda t, x, y: t.func.vmap(lambda a, *, k: a * k.sum())(x, k=y),
    "an output that is the same for all": lambda t, x, y: t.func.vmap(lambda a: (a, t.ones(2)))(x),
    "an output with out_dims None": lambda t, x, y: t.func.vmap(lambda a: (a, t.ones(2), 7), out_dims=(0, None, None))(x),
    "an input given back": lambda t, x, y: t.func.vmap(lambda a, b: b, in_dims=(0, None))(x, y),
    "no example": lambda t, x, y: t.func.vmap(lambda a: a.exp() * 2)(x[:0]),
    "one example": lambda t, x, y: t.func.vmap(lambda a: t.outer(a, a))(x[:1]),
    "numbers of each example": lambda t, x, y: t.func.vmap(lambda a: a * a + a.dim())(x[:, 0]),
    "a matrix and its rows": lambda t, x, y: t.func.vmap(t.mv, in_dims=(None, 0))(y, x),
    "torch.vmap": lambda t, x, y: (t.vmap if hasattr(t, "vmap") else t.func.vmap)(t.dot)(x, y),
}  # fmt: skip  # one program a line


@agree(PLACES)
def test_inputs_and_outputs_are_placed_as_torch_does(program):
    same(lambda t: program(t, numbers(t, 3, 4), numbers(t, 3, 4, start=2.0)))


def test_shapes_strides_and_dtypes_are_those_of_one_example():
    def program(t):
        seen = []

        def look(a, b):
            seen.append(
                [
                    tuple(a.shape), tuple(a.size()), a.size(1), a.dim(), a.ndim, a.numel(), len(a), a.stride(), a.stride(0),
                    a.is_contiguous(), a.dtype, a.is_floating_point(), tuple(b.shape), b.dim(), b.numel(), b.requires_grad,
                    a.element_size(), isinstance(a, t.Tensor), tuple(a.T.shape), a.T.is_contiguous(), str(a.device),
                ]
            )  # fmt: skip  # a list
            return a

        t.func.vmap(look, in_dims=(1, 0))(numbers(t, 2, 3, 4), t.arange(3))
        return seen

    same(program)


def test_a_batched_tensor_prints_as_torch_prints_it():
    def program(t):
        seen = []
        t.func.vmap(lambda a: (seen.append(repr(a)), a)[1])(t.arange(6.0).reshape(2, 3))
        t.func.vmap(t.func.vmap(lambda a: (seen.append(str(a)), a)[1]))(t.arange(4).reshape(2, 2))
        return seen

    same(program)


def test_examples_are_iterated_unpacked_and_indexed_as_tensors_are():
    def program(t):
        def f(a):
            first, *rest = a
            return first + sum(rest) * a[-1], a[1:], a[[2, 0]], a[None, ..., ::2], a[a.argmax()]

        return t.func.vmap(f)(numbers(t, 4, 3))

    same(program)


# ---- types meet as those of single examples do


def test_a_number_of_each_example_weighs_less_than_a_vector():
    def program(t):
        wide, narrow = numbers(t, 3), numbers(t, 3, 2).to(t.float32)
        whole = t.arange(3)
        return (
            t.func.vmap(lambda n, v: n * v)(wide, narrow),
            t.func.vmap(lambda v, n: v - n)(narrow, wide),
            t.func.vmap(lambda n, v: n + v, in_dims=(0, None))(wide, narrow[0]),
            t.func.vmap(lambda n: n * t.ones(2))(wide),
            t.func.vmap(lambda n: n + 1.5)(whole),
            t.func.vmap(lambda n: n * 2)(whole),
            t.func.vmap(lambda n: n > 1)(whole),
            t.func.vmap(lambda n: n / 2)(whole),
        )

    same(program)
    wide, narrow = numbers(tinygrad_edu, 3), numbers(tinygrad_edu, 3, 2).float()
    chosen = vmap(lambda n, v: tinygrad_edu.where(v > 0, n, v))(wide, narrow)
    assert (
        chosen.dtype == tinygrad_edu.float32 == tinygrad_edu.where(narrow[0] > 0, wide[0], narrow[0]).dtype
    )  # torch: float64


# ---- nesting, with itself and with gradients

NESTED = {
    "outer product": lambda t, x, y: t.func.vmap(t.func.vmap(t.mul, (0, None)), (None, 0))(x[0], y[1]),
    "matrix product": lambda t, x, y: t.func.vmap(t.func.vmap(t.dot, (None, 0)), (0, None))(x, y),
    "three deep": lambda t, x, y: t.func.vmap(t.func.vmap(t.func.vmap(t.mul, (None, 0)), (0, None)), (None, 0))(x[0], y),
    "dims of both": lambda t, x, y: t.func.vmap(t.func.vmap(lambda a, b: a @ b, (0, None), 0), (1, 0), 1)(
        x.reshape(2, 3, 2), y.reshape(3, 2, 2)
    ),
    "indices of both": lambda t, x, y: t.func.vmap(
        lambda a, k: t.func.vmap(lambda b, j: b[j] + a[k] * b[k], (None, 0))(a, t.tensor([0, 2]))
    )(x, t.tensor([1, 0, 3])),
    "grad of each": lambda t, x, y: t.func.vmap(t.func.grad(lambda a, b: (a * b).sin().sum()))(x, y),
    "grad of each by what all share": lambda t, x, y: t.func.vmap(
        t.func.grad(lambda w, a: (w * a).tanh().sum()), in_dims=(None, 0)
    )(y[0], x),
    "grad by both": lambda t, x, y: t.func.vmap(
        t.func.grad(lambda w, a: (w * a).tanh().sum(), argnums=(0, 1)), in_dims=(None, 0)
    )(y[0], x),
    "grad and value": lambda t, x, y: t.func.vmap(t.func.grad_and_value(lambda a: (a**3).sum()))(x),
    "second derivative": lambda t, x, y: t.func.vmap(t.func.grad(t.func.grad(lambda a: a**3)))(x[0]),
    "third derivative": lambda t, x, y: t.func.vmap(t.func.grad(t.func.grad(t.func.grad(t.sin))))(x[0]),
    "grad of the sum of a map": lambda t, x, y: t.func.grad(lambda a: t.func.vmap(lambda b: (b * b.sum()).exp())(a).sum())(x),
    "grad of a map of grad": lambda t, x, y: t.func.grad(
        lambda a: t.func.vmap(t.func.grad(lambda b: (b**3).sum()))(a).sin().sum()
    )(x),
    "map of grad of a map": lambda t, x, y: t.func.vmap(
        t.func.grad(lambda a, b: t.func.vmap(lambda p: (p * b).sin())(a).sum()), in_dims=(0, 0)
    )(x, y[:, 0]),
    "jacobian of each": lambda t, x, y: t.func.vmap(t.func.jacrev(lambda a: a.sin() * a.sum()))(x),
    "forward jacobian of each": lambda t, x, y: t.func.vmap(t.func.jacfwd(lambda a: a.sin() * a.sum()))(x),
    "jacobian of a map": lambda t, x, y: t.func.jacrev(t.func.vmap(lambda a: a * a.sum()))(x),
    "hessian of each": lambda t, x, y: t.func.vmap(t.func.hessian(lambda a: (a.sin() * a.sum() ** 2).sum()))(x),
    "vjp of each": lambda t, x, y: t.func.vmap(lambda a, v: t.func.vjp(lambda b: b.sin() * b[0], a)[1](v)[0])(x, y),
    "jvp of each": lambda t, x, y: t.func.vmap(lambda a, v: t.func.jvp(lambda b: b.sin() * b[0], (a,), (v,))[1])(x, y),
    "one vjp for many weights": lambda t, x, y: t.func.vmap(t.func.vjp(lambda b: b.sin() * b[0], x[0])[1])(y),
    "vjp with weights of an inner map": lambda t, x, y: t.func.vmap(
        lambda a: t.func.vmap(t.func.vjp(lambda b: b.sin() * b[0], a)[1])(y)[0]
    )(x),
    "vjp of an inner map with weights of the outer": lambda t, x, y: t.func.vmap(
        lambda v: t.func.vmap(lambda a: t.func.vjp(lambda b: b.exp() * b[0], a)[1](v)[0])(x)
    )(y),
    "hessian by two maps": lambda t, x, y: t.func.vmap(t.func.vmap(t.func.grad(t.func.grad(lambda a: a**4))))(x),
}  # fmt: skip  # one program a line


@agree(NESTED)
def test_maps_nest_with_themselves_and_with_gradients(program):
    same(lambda t: program(t, numbers(t, 3, 4), numbers(t, 3, 4, start=2.0)))


def test_gradients_flow_through_a_map_to_leaves_outside():
    def program(t):
        x, w = numbers(t, 3, 4, requires_grad=True), numbers(t, 4, 2, start=1.0, requires_grad=True)
        out = t.func.vmap(lambda a, m: (a @ m).tanh().sum() * a, in_dims=(0, None))(x, w)
        (out * out).sum().backward()
        return out.detach(), x.grad, w.grad

    same(program)


def test_autograd_grad_with_seeds_of_each_example_is_one_walk():
    def program(t):
        x = numbers(t, 4, requires_grad=True)
        y = x.exp() * x.sum()
        return t.func.vmap(lambda v: t.autograd.grad(y, x, v, retain_graph=True)[0])(t.eye(4, dtype=t.float64))

    same(program)


def test_grad_by_what_all_examples_share_is_refused_and_not_summed():
    w = tinygrad_edu.ones(2, requires_grad=True)
    with pytest.raises(RuntimeError, match="is the same for all examples"):
        vmap(lambda a: tinygrad_edu.autograd.grad((a * w).sum(), w)[0])(tinygrad_edu.ones(3, 2))
    both(
        lambda t: t.func.vmap(lambda a, w: t.autograd.grad((a * w).sum(), w)[0], (0, None))(
            t.ones(3, 2), t.ones(2, requires_grad=True)
        )
    )


# ---- networks


MODELS = {
    "perceptron": (
        lambda t: [t.nn.Linear(4, 5), t.nn.Tanh(), t.nn.LayerNorm(5), t.nn.Linear(5, 3)],
        (4,),
    ),
    "convolution": (
        lambda t: [
            t.nn.Conv2d(2, 4, 3, padding=1), t.nn.GroupNorm(2, 4), t.nn.ReLU(), t.nn.MaxPool2d(2), t.nn.Conv2d(4, 4, 2, groups=2),
            t.nn.AvgPool2d(2), t.nn.Flatten(), t.nn.Linear(4, 3),
        ],
        (1, 2, 6, 6),
    ),
    "transposed convolution": (
        lambda t: [t.nn.ConvTranspose1d(2, 4, 3, stride=2, groups=2), t.nn.Flatten(), t.nn.Linear(36, 3)],
        (1, 2, 4),
    ),
    "attention": (
        lambda t: [t.nn.TransformerEncoderLayer(4, 2, 8, dropout=0.0, batch_first=True), t.nn.Flatten(), t.nn.Linear(12, 3)],
        (1, 3, 4),
    ),
    "embedding": (
        lambda t: [t.nn.Embedding(7, 4, padding_idx=2), t.nn.Flatten(), t.nn.Linear(12, 3)],
        None,
    ),
}  # fmt: skip  # layers in rows


@pytest.mark.parametrize("name", MODELS)
def test_gradients_of_each_sample_by_all_parameters_are_torchs(name):
    layers, shape = MODELS[name]

    def program(t):
        t.manual_seed(0)
        net = t.nn.Sequential(*layers(t)).double()
        parameters = {n: p.detach() for n, p in net.named_parameters()}
        x = t.arange(12).reshape(4, 1, 3) % 7 if shape is None else numbers(t, 4, *shape)
        y = t.tensor([0, 2, 1, 1])

        def loss(parameters, a, b):
            out = t.func.functional_call(net, parameters, (a,))
            return t.nn.functional.cross_entropy(out.reshape(1, 3), b.reshape(1))

        of_each = t.func.vmap(t.func.grad(loss), in_dims=(None, 0, 0))(parameters, x, y)
        whole = t.func.grad(lambda p: sum(loss(p, a, b) for a, b in zip(x, y, strict=True)))(parameters)
        for n, g in of_each.items():
            assert np.allclose(to_numpy(g.sum(0)), to_numpy(whole[n])), n
        return of_each

    same(program, rtol=1e-6, atol=1e-8)  # torch draws float32 weights, whose last digit may differ


@pytest.mark.parametrize("name", MODELS)
def test_an_ensemble_runs_as_one_network(name):
    layers, shape = MODELS[name]

    def program(t):
        t.manual_seed(0)
        nets = [t.nn.Sequential(*layers(t)).double() for _ in range(3)]
        parameters, buffers = t.func.stack_module_state(nets)
        x = t.arange(6).reshape(2, 3) % 7 if shape is None else numbers(t, 2, *(shape[1:] or shape))

        def run(p, b, x):
            return t.func.functional_call(nets[0], (p, b), (x,))

        shared = t.func.vmap(run, in_dims=(0, 0, None))(parameters, buffers, x)
        own = t.func.vmap(run)(parameters, buffers, t.stack([x, x, x]))
        alone = t.stack([net(x) for net in nets])
        assert np.allclose(to_numpy(shared.detach()), to_numpy(alone.detach()))
        assert np.allclose(to_numpy(own.detach()), to_numpy(alone.detach()))
        return shared.detach(), own.detach()

    same(program, rtol=1e-6, atol=1e-8)  # as above


def test_batch_norm_moves_the_statistics_of_each_network():
    def program(t):
        t.manual_seed(0)
        nets = [t.nn.Sequential(t.nn.Linear(3, 4), t.nn.BatchNorm1d(4)).double() for _ in range(2)]
        parameters, buffers = t.func.stack_module_state(nets)
        base = nets[0]

        def run(p, b, x):
            return t.func.functional_call(base, (p, b), (x,))

        out = t.func.vmap(run, in_dims=(0, 0, None))(parameters, buffers, numbers(t, 5, 3))
        return out.detach(), buffers

    same(program)


def test_batch_norm_refuses_to_move_statistics_that_examples_share():
    def program(t):
        norm = t.nn.BatchNorm1d(3)
        return t.func.vmap(norm)(t.ones(2, 4, 3))

    assert "Batch norm got a batched tensor as input" in str(both(program))


# ---- functions that work with arrays inside, and layers

FUNCTIONS = {
    "attention": lambda t, x: layer(t, t.nn.MultiheadAttention(4, 2), lambda m, a: m(a[:, None], a[:, None], a[:, None])[0], x),
    "einsum": lambda t, x: t.func.vmap(lambda a: t.einsum("ij,jk,ik->i", a, a.T @ a, a))(x),
    "sort": lambda t, x: [*t.func.vmap(lambda a: tuple(a.sort(descending=True)))(x)],
    "topk": lambda t, x: [*t.func.vmap(lambda a: tuple(a.topk(2, 0)))(x)],
    "quantile": lambda t, x: t.func.vmap(lambda a: t.quantile(a, t.tensor([0.2, 0.7], dtype=t.float64), dim=0))(x),
    "median": lambda t, x: t.func.vmap(lambda a: a.median())(x),
    "cummax": lambda t, x: [*t.func.vmap(lambda a: tuple(a.cummax(1)))(x)],
    "singular values": lambda t, x: t.func.vmap(t.linalg.svdvals)(x),
    "solve": lambda t, x: t.func.vmap(t.linalg.solve, (0, None))(x[:, :, :3] + 4 * t.eye(3, dtype=t.float64), x[0, :, 0]),
    "lstsq": lambda t, x: t.func.vmap(lambda a, b: t.linalg.lstsq(a, b).solution, (0, None))(x[..., :2], x[0, :, :1]),
    "pinv": lambda t, x: t.func.vmap(t.linalg.pinv)(x),
    "norms": lambda t, x: t.func.vmap(lambda a: (a.norm(), t.linalg.norm(a, ord="nuc"), t.linalg.norm(a, 2)))(x),
    "one_hot": lambda t, x: t.func.vmap(lambda a: t.nn.functional.one_hot(a, 5))(t.arange(6).reshape(2, 3) % 5),
    "isin": lambda t, x: t.func.vmap(lambda a: t.isin(a, t.tensor([1, 2])))(t.arange(6).reshape(2, 3)),
    "isin of each": lambda t, x: t.func.vmap(lambda a: t.isin(t.tensor([1, 4]), a))(t.arange(6).reshape(2, 3)),
    "bucketize": lambda t, x: t.func.vmap(lambda a: t.bucketize(a, t.tensor([0.1, 0.5], dtype=t.float64)))(x),
    "searchsorted": lambda t, x: t.func.vmap(lambda a: t.searchsorted(a[0].sort().values, a))(x),
    "grid_sample": lambda t, x: t.func.vmap(lambda a: t.nn.functional.grid_sample(a[None, None], a[None, :, :2, None].mT, align_corners=False))(x),
    "interpolate": lambda t, x: t.func.vmap(lambda a: t.nn.functional.interpolate(a[None, None], scale_factor=2, mode="bilinear"))(x),
    "ctc_loss": lambda t, x: t.func.vmap(
        lambda a: t.nn.functional.ctc_loss(a[:, None].log_softmax(-1), t.tensor([[1, 2]]), t.tensor([3]), t.tensor([2]))
    )(x),
    "cdist": lambda t, x: t.func.vmap(lambda a: t.cdist(a, a))(x),
    "kl_div": lambda t, x: t.func.vmap(lambda a: t.nn.functional.kl_div(a.log_softmax(0), a.softmax(0), reduction="batchmean"))(x),
    "unfold": lambda t, x: t.func.vmap(lambda a: a.unfold(1, 2, 1))(x),
    "mode": lambda t, x: t.func.vmap(lambda a: a.mode().values)(t.arange(10).reshape(2, 5) % 3),
}  # fmt: skip  # one function a line


def layer(t, module, call, x):
    t.manual_seed(0)
    for parameter in module.parameters():
        parameter.data.copy_(numbers(t, *parameter.shape))
    module.double()
    return t.func.vmap(lambda a: call(module, a))(x).detach()


@agree(FUNCTIONS)
def test_functions_that_compute_with_indices_and_masks_inside_are_torchs(program):
    same(lambda t: program(t, numbers(t, 2, 3, 4)), rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("kind", ["RNN", "LSTM", "GRU"])
def test_recurrent_layers_run_for_all_sequences_at_once(kind):  # torch has no rule for them
    tinygrad_edu.manual_seed(0)
    module = getattr(tinygrad_edu.nn, kind)(4, 3, num_layers=2, bidirectional=True).double()
    x = numbers(tinygrad_edu, 3, 5, 2, 4)
    together = vmap(lambda a: module(a)[0])(x)
    assert np.allclose(to_numpy(together.detach()), [to_numpy(module(a)[0].detach()) for a in x])


def test_losses_with_weights_and_smoothing_leave_out_what_each_example_ignores():  # torch refuses these
    x, weight = numbers(tinygrad_edu, 2, 5, 3), tinygrad_edu.tensor([1.0, 2.0, 3.0], dtype=tinygrad_edu.float64)
    y = tinygrad_edu.tensor([[0, 1, 2, 1, -100], [0, -100, -100, 1, 1]])
    for settings in ({}, {"weight": weight}, {"label_smoothing": 0.1}, {"weight": weight, "label_smoothing": 0.1}):

        def loss(a, b, settings=settings):
            return tinygrad_edu.nn.functional.cross_entropy(a, b, **settings)

        assert np.allclose(to_numpy(vmap(loss)(x, y)), [float(loss(a, b)) for a, b in zip(x, y, strict=True)])


# ---- random numbers

DRAWS = {
    "rand": lambda t, a: t.rand(2),
    "randn": lambda t, a: a + t.randn(3),
    "many randn": lambda t, a: t.randn(40),
    "randint": lambda t, a: t.randint(0, 9, (4,)),
    "randperm": lambda t, a: t.randperm(5),
    "rand_like": lambda t, a: t.rand_like(a),
    "randn_like": lambda t, a: t.randn_like(a),
    "uniform_": lambda t, a: a.clone().uniform_(),
    "normal_": lambda t, a: a.clone().normal_(1.0, 2.0),
    "dropout": lambda t, a: t.nn.functional.dropout(a),
    "dropout of what all share": lambda t, a: t.nn.functional.dropout(t.ones(5)),
    "dropout2d": lambda t, a: t.nn.functional.dropout2d(a.reshape(1, 3, 1, 1)),
    "bernoulli": lambda t, a: t.bernoulli(a.abs() / 2),
    "normal": lambda t, a: t.normal(a, 1.0),
    "multinomial": lambda t, a: t.multinomial(a.abs() + 0.1, 2),
    "gumbel_softmax": lambda t, a: t.nn.functional.gumbel_softmax(a, hard=True),
}


@pytest.mark.parametrize("randomness", ["error", "different", "same"])
@agree(DRAWS)
def test_random_numbers_are_torchs(program, randomness):
    def seeded(t):
        t.manual_seed(3)
        x = numbers(t, 4, 3).to(t.float32)
        return t.func.vmap(lambda a: program(t, a), randomness=randomness)(x), t.rand(2)

    found = both(seeded)
    if randomness == "error":
        assert "called random operation while in randomness error mode" in str(found)


def test_nested_maps_draw_for_every_pair():
    for inner in ("different", "same"):
        for outer in ("different", "same"):

            def program(t, inner=inner, outer=outer):
                t.manual_seed(0)
                of_pair = t.func.vmap(lambda a: a + t.rand(2), randomness=inner)
                return t.func.vmap(of_pair, randomness=outer)(t.zeros(2, 3, 2))

            same(program)


# ---- chunks


@pytest.mark.parametrize("chunk_size", [1, 2, 3, 7, 100])
def test_chunks_give_the_same_as_all_at_once(chunk_size):
    def program(t):
        x, y = numbers(t, 4, 7), numbers(t, 7, 2)
        f = lambda a, b, c: ({"sum": a.sum() + b, "outer": t.outer(a, b)}, c)
        return t.func.vmap(f, in_dims=(1, 0, None), out_dims=(1, None), chunk_size=chunk_size)(x, y, 3)

    if chunk_size < 7:
        f = lambda a, b: {"sum": a.sum() + b, "outer": tinygrad_edu.outer(a, b)}
        x, y = numbers(tinygrad_edu, 4, 7), numbers(tinygrad_edu, 7, 2)
        whole, parts = (vmap(f, (1, 0), 1, chunk_size=size)(x, y) for size in (None, chunk_size))
        assert all(np.array_equal(to_numpy(whole[k]), to_numpy(parts[k])) for k in whole)
    same(lambda t: t.func.vmap(lambda a: (a.sum(), a * 2), (1,), (0, 1), chunk_size=chunk_size)(numbers(t, 4, 7)))


def test_chunks_draw_the_same_numbers_where_all_examples_do():
    def program(t):
        t.manual_seed(0)
        return t.func.vmap(lambda a: a + t.rand(2), randomness="same", chunk_size=2)(t.zeros(5, 2))

    same(program)


# ---- what is refused


REFUSALS = {
    "item": (lambda t, x: t.func.vmap(lambda a: a.sum().item())(x), "calling .item()"),
    "float": (lambda t, x: t.func.vmap(lambda a: float(a.sum()))(x), "calling .item()"),
    "int": (lambda t, x: t.func.vmap(lambda a: int(a.sum()))(x), "calling .item()"),
    "an index into a list": (lambda t, x: t.func.vmap(lambda a: [1, 2][a])(t.tensor([0, 1])), "calling .item()"),
    "tolist": (lambda t, x: t.func.vmap(lambda a: t.tensor(a.tolist()))(x), ""),
    "numpy": (lambda t, x: t.func.vmap(lambda a: t.tensor(a.numpy()))(x), ""),
    "if": (lambda t, x: t.func.vmap(lambda a: a if a.sum() > 0 else -a)(x), "data-dependent control flow"),
    "and": (lambda t, x: t.func.vmap(lambda a: (a.sum() > 0) and a)(x), "data-dependent control flow"),
    "in": (lambda t, x: t.func.vmap(lambda a: a if 1.0 in a else -a)(x), "data-dependent control flow"),
    "allclose": (lambda t, x: t.func.vmap(lambda a: a if t.allclose(a, a) else -a)(x), ""),
    "equal": (lambda t, x: t.func.vmap(lambda a: a if t.equal(a, a + 1) else -a)(x), ""),
    "a list of batched numbers": (lambda t, x: t.func.vmap(lambda a: t.tensor([a[0], a[1]]))(x), ""),
    "nonzero": (lambda t, x: t.func.vmap(lambda a: a.nonzero())(x), "dynamic shape"),
    "a mask": (lambda t, x: t.func.vmap(lambda a: a[a > 0])(x), "indexing with a boolean mask"),
    "masked_select": (lambda t, x: t.func.vmap(lambda a: t.masked_select(a, a > 0))(x), ""),
    "unique": (lambda t, x: t.func.vmap(lambda a: a.unique())(x), "dynamic shape"),
    "requires_grad_": (lambda t, x: t.func.vmap(lambda a: a.requires_grad_())(x), "Tensor.requires_grad_() inside"),
    "backward": (lambda t, x: t.func.vmap(lambda a: (a * t.ones(2, requires_grad=True)).sum().backward())(x), "backward() called"),
    "a write into what all share": (lambda t, x: t.func.vmap(lambda a: t.zeros(2).add_(a))(x), ""),
    "an item written into what all share": (lambda t, x: t.func.vmap(lambda a: set_item(t.zeros(2), 0, a[0]))(x), "more elements than `self`"),
    "randomness": (lambda t, x: t.func.vmap(lambda a: a, randomness="x")(x), "Only allowed values for randomness"),
    "in_dims too short": (lambda t, x: t.func.vmap(t.add, in_dims=(0,))(x, x), "in_dims is not compatible with the structure of `inputs`"),
    "in_dims of another nesting": (lambda t, x: t.func.vmap(t.add, in_dims=((0, 0), 0))(x, x), "in_dims is not compatible"),
    "in_dims all None": (lambda t, x: t.func.vmap(t.add, in_dims=(None, None))(x, x), "Expected at least one Tensor to vmap over"),
    "in_dims None": (lambda t, x: t.func.vmap(t.add, in_dims=None)(x, x), "expected `in_dims` to be int or a"),
    "in_dims a float": (lambda t, x: t.func.vmap(t.sin, in_dims=0.0)(x), "expected `in_dims` to be int or a"),
    "in_dims of floats": (lambda t, x: t.func.vmap(t.sin, in_dims=(0.0,))(x), "must be either an integer dimension or None"),
    "in_dims out of range": (lambda t, x: t.func.vmap(t.sin, in_dims=2)(x), "satisfy -2 <= in_dim < 2"),
    "in_dims far below": (lambda t, x: t.func.vmap(t.sin, in_dims=-3)(x), "satisfy -2 <= in_dim < 2"),
    "a number to map over": (lambda t, x: t.func.vmap(t.mul)(x, 2), "We cannot vmap over non-Tensor arguments"),
    "a 0-d tensor to map over": (lambda t, x: t.func.vmap(t.sin)(t.ones(())), "dimensionality 0"),
    "different sizes": (lambda t, x: t.func.vmap(t.add)(x, t.ones(4)), "Expected all tensors to have the same size"),
    "no input": (lambda t, x: t.func.vmap(lambda: 1)(), "got no inputs"),
    "an int as output": (lambda t, x: t.func.vmap(lambda a: 1)(x), "must only return Tensors"),
    "None as output": (lambda t, x: t.func.vmap(lambda a: None)(x), "must only return Tensors"),
    "a string among the outputs": (lambda t, x: t.func.vmap(lambda a: (a, "s"))(x), "must only return Tensors"),
    "out_dims too long": (lambda t, x: t.func.vmap(lambda a: (a, a), out_dims=(0, 0, 0))(x), "out_dims is not compatible"),
    "out_dims of two for one": (lambda t, x: t.func.vmap(lambda a: a, out_dims=(0, 1))(x), "out_dims is not compatible"),
    "out_dims None for a batched": (lambda t, x: t.func.vmap(lambda a: a, out_dims=None)(x), "can not return a BatchedTensor when out_dim is None"),
    "out_dims out of range": (lambda t, x: t.func.vmap(lambda a: a, out_dims=4)(x), "Dimension out of range"),
    "out_dims a string": (lambda t, x: t.func.vmap(lambda a: a, out_dims="a")(x), "`out_dims` must be an int, None or a python collection"),
    "chunks of nothing": (lambda t, x: t.func.vmap(lambda a: a, chunk_size=0)(x), "chunk_size should be None or greater than 0"),
    "chunks of less": (lambda t, x: t.func.vmap(lambda a: a, chunk_size=-1)(x), "chunk_size should be None or greater than 0"),
    "an error in the function": (lambda t, x: t.func.vmap(lambda a: a @ t.ones(3))(x), ""),
    "an index out of range": (lambda t, x: t.func.vmap(lambda a: a[2])(x), "out of bounds"),
    "shapes that do not broadcast": (lambda t, x: t.func.vmap(lambda a: a + t.ones(3))(x), "must match"),
    "a deep copy": (lambda t, x: t.func.vmap(lambda a: __import__("pickle").dumps(a))(x), ""),
}  # fmt: skip  # one refusal a line


def set_item(x, index, value):
    x[index] = value
    return x


@pytest.mark.parametrize("name", REFUSALS)
def test_what_is_refused_is_refused_with_torchs_type_and_words(name):
    program, words = REFUSALS[name]
    theirs_differ = {"a deep copy"}  # torch fails with an error of its own
    if name in theirs_differ:
        with pytest.raises(RuntimeError, match="vmap: a batched tensor cannot be copied"):
            program(tinygrad_edu, numbers(tinygrad_edu, 3, 2))
        return
    error = both(lambda t: program(t, numbers(t, 3, 2)))
    assert isinstance(error, Exception)
    assert words in str(error)


def test_errors_in_the_function_speak_of_one_example():
    with pytest.raises(RuntimeError, match=r"add was given shapes \[2\] and \[3\]"):
        vmap(lambda a: a + tinygrad_edu.ones(3))(tinygrad_edu.ones(5, 2))
    with pytest.raises(RuntimeError, match=r"shapes cannot be multiplied \(2x3 and 4x2\)"):
        vmap(lambda a: a @ tinygrad_edu.ones(4, 2))(tinygrad_edu.ones(5, 2, 3))


def test_hooks_are_refused():
    for hook in ("register_hook", "register_post_accumulate_grad_hook"):
        with pytest.raises(RuntimeError, match="takes no hooks"):
            vmap(lambda a, hook=hook: getattr(a, hook)(print))(tinygrad_edu.ones(2))


# ---- writes in place

WRITES = {
    "add_": lambda t, a: a.clone().add_(a, alpha=2),
    "mul_ by a number": lambda t, a: a.clone().mul_(3),
    "augmented": lambda t, a: augmented(a.clone(), a),
    "an item": lambda t, a: set_item(a.clone(), 0, 5.0),
    "an item of itself": lambda t, a: set_item(a.clone(), 0, a[1] * 2),
    "a slice": lambda t, a: set_item(a.clone(), slice(1, None), a[:-1]),
    "at indices": lambda t, a: set_item(a.clone(), t.tensor([2, 0]), a[:2]),
    "at its own index": lambda t, a: set_item(a.clone(), a.argmax(), 9.0),
    "a view of a view": lambda t, a: written(a.clone()),
    "into new_zeros": lambda t, a: set_item(a.new_zeros(4), 1, a[0]),
    "into zeros_like": lambda t, a: set_item(t.zeros_like(a), 0, a[2]),
    "into ones_like of an int": lambda t, a: t.ones_like(a, dtype=t.int64) + 1,
    "fill_ and zero_": lambda t, a: (a.clone().fill_(2.0), a.clone().zero_(), a.clone().copy_(t.ones(4))),
    "unsqueeze_ and squeeze_": lambda t, a: (a.clone().unsqueeze_(0) * 2, a.clone()[None].squeeze_(0)),
    "masked_fill_": lambda t, a: a.clone().masked_fill_(a > 0, -1.0),
    "index_add_": lambda t, a: a.clone().index_add_(0, t.tensor([0, 0]), a[:2]),
    "scatter_": lambda t, a: a.clone().scatter_(0, a.argsort()[:2], a[:2]),
    "relu_": lambda t, a: a.clone().relu_(),
}


def augmented(x, y):
    x += y
    x[1:] *= 2
    return x


def written(x):
    pair = x.reshape(2, 2)
    pair[0].add_(1)
    pair.T[1] -= x[0]
    return x


@agree(WRITES)
def test_writes_in_place_reach_each_example(program):
    def run(t):
        x = numbers(t, 3, 4, requires_grad=True)
        out = t.func.vmap(lambda a: program(t, a))(x)
        outs = out if isinstance(out, tuple) else (out,)
        able = [o for o in outs if o.requires_grad]
        grads = t.autograd.grad([(o * numbers(t, *o.shape)).sum() for o in able], x) if able else ()
        return [o.detach() for o in outs], grads

    same(run)


def test_inputs_are_written_through_as_torch_writes_them():
    def program(t):
        x = numbers(t, 3, 2)
        t.func.vmap(lambda a: a.mul_(2))(x)
        return x

    same(program)


# ---- indices: where NumPy puts what they pick

INDICES = {
    "side by side": lambda x, i, j: x[:, i, j],
    "first": lambda x, i, j: x[i],
    "last": lambda x, i, j: x[..., j],
    "apart": lambda x, i, j: x[i, :, j],
    "apart by None": lambda x, i, j: x[i, None, :, j],
    "behind None": lambda x, i, j: x[None, :, i],
    "with a number": lambda x, i, j: x[1, :, j],
    "of two axes": lambda x, i, j: x[i[:, None], :, j],
    "a number of each": lambda x, i, j: x[:, i[0], j[1]],
    "a mask of all": lambda x, i, j: x[[True, False, True], :, j],
}


@pytest.mark.parametrize(
    "batched", [(0, None, None), (None, 0, None), (None, None, 0), (0, 0, None), (None, 0, 0), (0, 0, 0)]
)
@agree(INDICES)
def test_indices_pick_from_each_example_what_they_pick_from_one(program, batched):
    def run(t):
        x = numbers(t, 2, 3, 3, 4, requires_grad=True)
        i, j = t.tensor([[0, 2], [1, 1]]), t.tensor([[3, 0], [3, 2]])
        given = [v if d == 0 else v[0] for v, d in zip((x, i, j), batched, strict=True)]
        out = t.func.vmap(program, batched)(*given)
        (g,) = t.autograd.grad((out * numbers(t, *out.shape)).sum(), x)
        return out.detach(), g

    same(run)


PUTS = {
    "side by side": lambda t, x, i, j, y: set_item(x.clone(), (slice(None), i, j), y[:, :2]),
    "apart": lambda t, x, i, j, y: set_item(x.clone(), (i, slice(None), j), y[:2, :3]),
    "a number": lambda t, x, i, j, y: set_item(x.clone(), (slice(None), i), 7.0),
    "a number of each": lambda t, x, i, j, y: set_item(x.clone(), (i, slice(None), j), y[0, 0]),
    "added": lambda t, x, i, j, y: x.index_put((i, i), y[:2], accumulate=True),
    "index_add": lambda t, x, i, j, y: x.index_add(1, i, x[:, :2]),
    "index_copy": lambda t, x, i, j, y: x.index_copy(0, i, x[1:]),
    "index_fill": lambda t, x, i, j, y: x.index_fill(2, j, 3.0),
    "index_select": lambda t, x, i, j, y: x.index_select(2, j) * x[0, 0, 0],
    "take": lambda t, x, i, j, y: t.take(x, i) * t.take(x, j - 4),
    "gather": lambda t, x, i, j, y: x.gather(2, j.expand(3, 3, 2)),
    "scatter": lambda t, x, i, j, y: x.scatter(2, j.expand(3, 3, 2), x[..., 1:3]),
    "scatter_add": lambda t, x, i, j, y: x.scatter_add(0, i.reshape(2, 1, 1).expand(2, 3, 4), x[:2]),
    "masked_scatter": lambda t, x, i, j, y: x.masked_scatter(x > 0.3, x.flatten()),
    "embedding": lambda t, x, i, j, y: t.nn.functional.embedding(i, x[0], padding_idx=1),
}


@pytest.mark.parametrize("batched", [(0, None, None, None), (0, 0, None, 0), (0, None, 0, 0), (0, 0, 0, 0)])
@agree(PUTS)
def test_indices_write_into_each_example_what_they_write_into_one(program, batched):
    def run(t):
        x = numbers(t, 2, 3, 3, 4, requires_grad=True)
        i, j, y = (
            t.tensor([[0, 2], [1, 0]]),
            t.tensor([[3, 0], [3, 2]]),
            numbers(t, 2, 3, 4, start=2.0, requires_grad=True),
        )
        given = [v if d == 0 else v[0] for v, d in zip((x, i, j, y), batched, strict=True)]

        def one(*example):
            return program(t, *example)

        if t is tinygrad_edu:
            out = vmap(one, batched)(*given)
        else:  # torch's own vmap refuses some of these: one by one
            out = t.stack(
                [one(*[v[k] if d == 0 else v for v, d in zip(given, batched, strict=True)]) for k in range(2)]
            )
        grads = t.autograd.grad((out * numbers(t, *out.shape)).sum(), (x, y), allow_unused=True)
        return out.detach(), [g for g in grads if g is not None]

    same(run)


@pytest.mark.parametrize("groups", [1, 2])
@pytest.mark.parametrize("batched", [(0, None), (None, 0), (0, 0)])
def test_the_three_forms_of_a_convolution_have_rules_for_any_operand(groups, batched):
    how = conv.Sliding((2,), (1,), (1,))
    x, w, y = (numbers(tinygrad_edu, 3, *s, start=k) for k, s in enumerate([(2, 4, 7), (6, 4 // groups, 3), (2, 6, 4)]))
    forms = {
        "forth": (lambda x, w: conv.convolution(x, w, None, places=(4,), how=how, groups=groups), x, w),
        "back": (lambda y, w: conv.convolution_input(y, w, None, size=(7,), how=how, groups=groups), y, w),
        "kernel": (lambda x, y: conv.convolution_kernel(x, y, kernel=(3,), how=how, groups=groups), x, y),
    }
    for form, *operands in forms.values():
        given = [v if d == 0 else v[0] for v, d in zip(operands, batched, strict=True)]
        wanted = [form(*[v[k] if d == 0 else v for v, d in zip(given, batched, strict=True)]) for k in range(3)]
        assert np.allclose(to_numpy(vmap(form, batched)(*given)), to_numpy(tinygrad_edu.stack(wanted)))


def test_an_example_of_which_no_target_counts_has_no_loss_and_no_gradient():
    def program(t):
        x = numbers(t, 2, 3, 4, requires_grad=True)
        target = t.tensor([[1, -100, 2], [-100, -100, -100]])
        losses = t.func.vmap(lambda a, b: t.nn.functional.nll_loss(a, b))(x, target)
        (g,) = t.autograd.grad(losses, x, t.ones(2, dtype=t.float64))
        return losses.detach(), g

    found = program(tinygrad_edu)
    alone = [
        tinygrad_edu.nn.functional.nll_loss(numbers(tinygrad_edu, 2, 3, 4)[k], t)
        for k, t in enumerate(tinygrad_edu.tensor([[1, -100, 2], [-100, -100, -100]]))
    ]
    assert np.allclose(to_numpy(found[0]), [float(a) for a in alone], equal_nan=True)
    assert np.isnan(to_numpy(found[0])[1])
    assert not to_numpy(found[1])[1].any()
    assert to_numpy(found[1])[0].any()


# ---- each op runs once


def ops_of(program):
    """The names of the ops that run, in order."""
    seen = []
    note = lambda op, args, settings, result: seen.append(op.name)
    watch(note)
    try:
        program()
    finally:
        unwatch(note)
    return seen


def perceptron(w, v, x):
    return (tinygrad_edu.tanh(x @ w) @ v).softmax(-1)


COUNTED = {
    "elementwise": lambda x: vmap(lambda a: (a * 2 + a.exp()).sum())(x),
    "a shared network": lambda x: vmap(lambda a: tinygrad_edu.nn.functional.linear(a, SHARED, SHARED[:, 0]).relu())(x),
    "networks of each": lambda x: vmap(lambda a: a @ a.T @ a)(x[:, None, :] * x[:, :, None]),
    "convolutions of each": lambda x: vmap(lambda a, k: tinygrad_edu.nn.functional.conv1d(a, k))(
        x[:, None, None, :] * 1, x[:, None, None, :2] * 1
    ),
    "indices of each": lambda x: vmap(lambda a: a[a.argsort()][a.argmax()])(x),
    "losses": lambda x: vmap(lambda a: tinygrad_edu.nn.functional.cross_entropy(a[None], tinygrad_edu.tensor([1])))(x),
    "gradients of each": lambda x: vmap(func.grad(lambda w, a: perceptron(w, w.T, a).sum()), in_dims=(None, 0))(SHARED, x),
    "jacobian": lambda x: func.jacrev(lambda a: a.sin() * a.sum())(x[:, 0]),
    "hessians of each": lambda x: vmap(func.hessian(lambda a: (a.sin() * a.sum()).sum()))(x),
    "nested": lambda x: vmap(vmap(lambda a, b: a * b + a, (0, None)), (None, 0))(x[:, 0], x[:, 1]),
    "dropout": lambda x: vmap(tinygrad_edu.nn.functional.dropout, randomness="different")(x),
}  # fmt: skip  # one program a line
SHARED = tinygrad_edu.tensor([[0.5, -1.0, 2.0], [1.5, 0.25, -0.5], [1.0, 1.0, 0.5]])


@pytest.mark.parametrize("name", COUNTED)
def test_each_op_runs_once_whatever_the_size_of_the_batch(name):
    few, many = (ops_of(lambda n=n: COUNTED[name](numbers(tinygrad_edu, n, 3).float())) for n in (2, 50))
    assert few == many
    assert few


def test_a_loop_would_be_noticed():
    x = numbers(tinygrad_edu, 50, 3)
    assert len(ops_of(lambda: [a * 2 for a in x])) > 50
    assert len(ops_of(lambda: vmap(lambda a: a * 2)(x))) == 1


def test_every_op_has_a_rule_or_is_listed():
    without = {op.name for op in OPS if op.forward not in RULES}
    assert without == {"bincount", "histc", "histogram", "nonzero", "run_heads", "unique", "unique_slices"}
    assert {f.__name__ for f in (*DYNAMIC, *ONE_BY_ONE)} == without


def test_those_without_a_rule_run_one_by_one_and_say_so():
    x = tinygrad_edu.tensor([[0, 1, 1], [2, 2, 0]])
    with pytest.warns(UserWarning, match="There is a performance drop .* bincount"):
        assert vmap(lambda a: a.bincount(minlength=3))(x).tolist() == [[1, 2, 0], [1, 0, 2]]
    with pytest.warns(UserWarning, match="performance drop"), pytest.raises(RuntimeError, match="dynamic shape"):
        vmap(lambda a: a.bincount())(tinygrad_edu.tensor([[0, 1], [0, 2]]))


# ---- nothing escapes, nothing stays


def test_a_batched_tensor_that_escapes_is_refused_when_used():
    kept = []
    vmap(lambda a: (kept.append(a), a)[1])(tinygrad_edu.ones(3, 2))
    escaped = kept[0]
    assert "escaped" in repr(escaped)
    for use in (
        lambda: escaped + 1,
        lambda: escaped.sum(),
        lambda: escaped.shape,
        lambda: tinygrad_edu.ones(2) * escaped,
        lambda: vmap(lambda a: a * escaped)(tinygrad_edu.ones(3, 2)),
        lambda: escaped.add_(1),
    ):
        with pytest.raises(RuntimeError, match="may have escaped from inside a function being vmapped"):
            use()


def plain_calls():
    return [cls.__call__ for cls in (Op, Unary, View, Binary, Ternary, Many)], tinygrad_edu.Tensor.__dict__["_of"]


class Stop(BaseException):
    pass


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, Stop])
def test_the_machine_is_as_before_after_a_map_and_after_an_exception(error):
    before = plain_calls()

    def fail(a):
        assert plain_calls() != before
        raise error

    vmap(lambda a: a + 1)(tinygrad_edu.ones(2))
    assert plain_calls() == before
    for f in (fail, vmap(fail)):
        with pytest.raises(error):
            vmap(f)(tinygrad_edu.ones(2, 2))
        assert plain_calls() == before
    assert (tinygrad_edu.ones(2) + 1).tolist() == [2.0, 2.0]
    tinygrad_edu.rand(2)


def test_watching_and_mapping_may_end_in_any_order():
    before = plain_calls()
    seen = []
    note = lambda op, args, settings, result: seen.append(op.name)

    def start(a):
        watch(note)
        return a + 1

    def stop(a):
        unwatch(note)
        return a * 2

    vmap(start)(tinygrad_edu.ones(2))
    vmap(stop)(tinygrad_edu.ones(2))
    assert seen == ["add"]
    assert plain_calls() == before


def test_threads_map_independently():
    results, errors = {}, []
    start = threading.Barrier(4)

    def work(k):
        try:
            start.wait(10)
            for _ in range(20):
                x = numbers(tinygrad_edu, 5, 3, start=k)
                if k % 2:
                    results[k] = vmap(func.grad(lambda a: (a**2).sum()))(x) - 2 * x
                else:  # unaffected by the maps of others, and allowed to draw
                    results[k] = (x + tinygrad_edu.rand(3) * 0) - x
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(k,)) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert errors == []
    assert len(results) == 4
    assert all(np.allclose(to_numpy(r), 0) for r in results.values())


# ---- custom functions, and NumPy's


class Cube(tinygrad_edu.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x**3

    @staticmethod
    def backward(ctx, g):
        (x,) = ctx.saved_tensors
        return 3 * x**2 * g


def test_a_custom_function_is_differentiated_only_outside_of_the_map():
    x = numbers(tinygrad_edu, 3, requires_grad=True)
    assert np.allclose(to_numpy(vmap(Cube.apply)(x.detach())), to_numpy(x.detach()) ** 3)
    with pytest.raises(RuntimeError, match="vmap support"):
        vmap(Cube.apply)(x)
    y = Cube.apply(x)
    rows = vmap(lambda g: tinygrad_edu.autograd.grad(y, x, g, retain_graph=True)[0])(
        tinygrad_edu.eye(3, dtype=tinygrad_edu.float64)
    )
    assert np.allclose(to_numpy(rows), np.diag(3 * to_numpy(x.detach()) ** 2))


def test_numpy_functions_on_a_batched_tensor_are_operations():
    x = numbers(tinygrad_edu, 3, 2)
    assert np.allclose(
        to_numpy(vmap(lambda a: np.exp(a) + np.sum(a))(x)), np.exp(to_numpy(x)) + to_numpy(x).sum(1)[:, None]
    )
    with pytest.raises(RuntimeError, match="vmap: "):
        vmap(lambda a: tinygrad_edu.tensor(np.fft.fft(a)))(x)
