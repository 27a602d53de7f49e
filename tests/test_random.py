"""Seeded random numbers are PyTorch's own.

float32 normals of sixteen elements and more come from vectorised logarithms and cosines that round differently from
NumPy's in the last digits; doubles may differ in the last digit where NumPy's functions do. All else must be equal.
"""

from __future__ import annotations

import copy
import math
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.oracle import both, torch

SEEDS = st.integers(-(2**63), 2**64 - 1)
SIZES = st.sampled_from([0, 1, 2, 3, 5, 8, 15, 16, 17, 24, 31, 32, 33, 47, 100, 257, 1000])
SHAPES = st.lists(st.sampled_from([0, 1, 2, 3, 4, 5, 7]), max_size=4).map(tuple)
FLOATS = st.sampled_from(["float16", "float32", "float64"])
DTYPES = st.sampled_from(["bool", "uint8", "int8", "int16", "int32", "int64", "float16", "float32", "float64"])
NEAR = {"rtol": 2e-6, "atol": 5e-7}  # float32 and float64
HALF = {"rtol": 2e-3, "atol": 1e-6}  # a last digit of float16


def near(dtype: str) -> dict[str, float]:
    return {"float64": {"rtol": 1e-9, "atol": 1e-14}, "float32": NEAR}.get(dtype, HALF)


def same(t_and_theirs: Callable[[Any], Any], dtype: str = "exact") -> Any:
    return both(t_and_theirs, **({"rtol": 0, "atol": 0} if dtype == "exact" else near(dtype)))


def unequal_form() -> str | None:
    """Say whether torch on this machine draws bernoulli_(p) from MKL's generator (Intel) instead of the documented form."""
    import tinygrad_edu

    theirs = torch.empty(64).bernoulli_(0.5, generator=torch.Generator().manual_seed(7))
    ours = tinygrad_edu.empty(64).bernoulli_(0.5, generator=tinygrad_edu.Generator().manual_seed(7))
    return None if theirs.tolist() == ours.tolist() else "torch uses MKL's generator for bernoulli_(p), dropout here"


# ---------------------------------------------------------------------- seeds and states


@given(SEEDS)
def test_a_seed_is_taken_and_told_as_in_torch(seed: int) -> None:
    def program(t: Any) -> Any:
        g = t.Generator()
        first = g.initial_seed()
        returned = g.manual_seed(seed)
        return [first, returned is g, g.initial_seed(), g.get_state(), str(g.device), t.rand(3, generator=g)]

    same(program)


@pytest.mark.parametrize("seed", [2**64, -(2**63) - 1, "a", None])
def test_what_is_no_seed_is_refused(seed: Any) -> None:
    assert isinstance(both(lambda t: t.manual_seed(seed)), Exception)


@pytest.mark.parametrize("seed", [1.5, "1"])
def test_a_generator_takes_integers_alone(seed: Any) -> None:
    assert isinstance(both(lambda t: t.Generator().manual_seed(seed)), RuntimeError)


def test_manual_seed_takes_what_int_takes() -> None:
    same(
        lambda t: [
            t.manual_seed(2.5).initial_seed(),
            t.manual_seed("7").initial_seed(),
            t.manual_seed(True).initial_seed(),
        ]
    )


@given(st.integers(0, 2**32), st.lists(st.tuples(st.sampled_from(["rand", "randn", "randperm"]), SIZES), max_size=5))
def test_states_are_torchs_bytes_and_move_between_both(seed: int, draws: list[tuple[str, int]]) -> None:
    def program(t: Any) -> Any:
        t.manual_seed(seed)
        for name, n in draws:
            getattr(t, name)(n)
        state = t.get_rng_state()
        ahead = [t.rand(5), t.randn(3), t.randint(0, 9, (4,))]
        t.set_rng_state(state)
        return [state[:5016], t.initial_seed(), ahead, [t.rand(5), t.randn(3), t.randint(0, 9, (4,))]]

    same(program, "float64")


def test_torch_continues_from_our_state() -> None:
    import tinygrad_edu as t

    ours = t.Generator().manual_seed(11)
    t.randn(5, generator=ours)
    theirs = torch.Generator()
    theirs.set_state(torch.from_numpy(ours.get_state().numpy().copy()))
    assert torch.rand(700, generator=theirs).tolist() == t.rand(700, generator=ours).tolist()


@pytest.mark.parametrize("how", [copy.deepcopy, lambda g: pickle.loads(pickle.dumps(g)), lambda g: g.clone_state()])
def test_a_copied_generator_draws_the_same_numbers(how: Callable[[Any], Any]) -> None:
    import tinygrad_edu as t

    g = t.Generator().manual_seed(3)
    t.randn(7, generator=g)
    twin = how(g)
    assert t.randn(9, generator=twin).tolist() == t.randn(9, generator=g).tolist()
    assert twin.initial_seed() == 3


def test_states_that_are_none_are_refused() -> None:
    for program in (
        lambda t: t.set_rng_state(t.zeros(5056)),
        lambda t: t.set_rng_state(t.zeros(3, dtype=t.uint8)),
        lambda t: t.set_rng_state(t.full((5056,), 255, dtype=t.uint8)),
        lambda t: t.Generator().set_state(3),
    ):
        assert isinstance(both(program), Exception)


def test_seed_chooses_another_stream_each_time() -> None:
    import tinygrad_edu as t

    try:
        assert t.seed() != t.seed()
        assert t.initial_seed() == t.random.initial_seed()
    finally:
        t.manual_seed(0)


def test_a_forked_stream_returns_to_where_it_was() -> None:
    def program(t: Any) -> Any:
        t.manual_seed(5)
        with t.random.fork_rng():
            inside = t.rand(4)
        return [inside, t.rand(4)]

    same(program)


# ---------------------------------------------------------------------- every draw, in any order


def draw(t: Any, g: Any, kind: str, n: int, dtype: str, a: float, span: float, low: int, width: int) -> Any:
    """One draw of a kind; the same program for both frameworks."""
    d = getattr(t, dtype)
    empty = t.empty(n, dtype=d)
    strided = t.zeros(2 * n, dtype=d)[::2]
    programs: dict[str, Callable[[], Any]] = {
        "rand": lambda: t.rand(n, dtype=d, generator=g),
        "randn": lambda: t.randn(n, dtype=d, generator=g),
        "uniform": lambda: empty.uniform_(a, a + span, generator=g),
        "normal": lambda: empty.normal_(a, span, generator=g),
        "normal strided": lambda: strided.normal_(a, span, generator=g),
        "normal size": lambda: t.normal(a, span, (n,), dtype=d, generator=g),
        "normal mean": lambda: t.normal(t.linspace(-1, 1, n, dtype=d), span, generator=g),
        "normal std": lambda: t.normal(a, t.linspace(0, 2, n, dtype=d), generator=g),
        "normal both": lambda: t.normal(t.zeros(3, 1, dtype=d), t.ones(n, dtype=d), generator=g),
        "randint": lambda: t.randint(low, low + width, (n,), generator=g),
        "randint float": lambda: t.randint(low % 50, low % 50 + 7, (n,), dtype=d, generator=g),
        "random range": lambda: t.empty(n, dtype=t.int64).random_(low, low + width, generator=g),
        "random to": lambda: t.empty(n, dtype=t.int32).random_(77, generator=g),
        "randperm": lambda: t.randperm(n, generator=g),
        "bernoulli tensor": lambda: t.bernoulli(t.linspace(0, 1, n, dtype=d), generator=g),
        "bernoulli_ tensor": lambda: t.empty(2, n, dtype=d).bernoulli_(t.linspace(0, 1, n, dtype=d), generator=g),
        "cauchy": lambda: empty.cauchy_(a, span + 0.1, generator=g),
        "geometric": lambda: empty.geometric_(0.3, generator=g),
        "log normal": lambda: empty.log_normal_(a, span + 0.1, generator=g),
        "multinomial": lambda: t.multinomial(t.linspace(0.1, 1, max(n, 2) % 50 + 2, dtype=d), 2, generator=g),
        "multinomial again": lambda: t.multinomial(
            t.tensor([[1.0, 0.0, 2.0], [3.0, 1.0, 1.0]], dtype=d), 5, True, generator=g
        ),
        "multinomial one": lambda: t.multinomial(t.tensor([[1.0, 0.0, 2.0], [3.0, 1.0, 1.0]], dtype=d), 1, generator=g),
        "exponential": lambda: empty.exponential_(span + 0.1, generator=g),
        "bernoulli": lambda: empty.bernoulli_(0.3, generator=g),
        "bernoulli p": lambda: t.bernoulli(empty.fill_(0), 0.7, generator=g),
    }
    return programs[kind]()


EXACT = ["rand", "uniform", "randint", "randint float", "random range", "random to", "randperm", "bernoulli tensor"]
EXACT += ["bernoulli_ tensor", "geometric", "multinomial", "multinomial again", "multinomial one"]
CLOSE = [
    "randn",
    "normal",
    "normal strided",
    "normal size",
    "normal mean",
    "normal std",
    "normal both",
    "cauchy",
    "log normal",
]
BY_PROCESSOR = ["exponential", "bernoulli", "bernoulli p"]  # other generators on Intel's processors
WIDTHS = [1, 2, 7, 100, 2**20 + 3, 2**28 - 1, 2**28, 2**28 + 1, 2**31 + 11, 2**32 - 1, 2**32, 2**32 + 1, 2**40, 2**62]


@given(
    st.integers(0, 2**40),
    st.lists(
        st.tuples(
            st.sampled_from(EXACT + CLOSE),
            SIZES,
            FLOATS,
            st.floats(-3, 3, width=16),
            st.floats(0, 4, width=16),
            st.integers(-1000, 1000),
            st.sampled_from(WIDTHS),
        ),
        min_size=1,
        max_size=8,
    ),
)
def test_any_sequence_of_draws_equals_torchs(seed: int, draws: list[tuple[Any, ...]]) -> None:
    import tinygrad_edu

    mine, theirs = tinygrad_edu.Generator().manual_seed(seed), torch.Generator().manual_seed(seed)
    for kind, n, dtype, a, span, low, width in draws:
        exact = kind in EXACT and not (kind == "uniform" and dtype == "float64")
        same(
            lambda t: draw(t, mine if t is tinygrad_edu else theirs, kind, n, dtype, a, span, low, width),  # noqa: B023
            "exact" if exact else dtype,
        )


@given(st.integers(0, 2**40), st.sampled_from(BY_PROCESSOR), SIZES, FLOATS)
def test_draws_by_probability_have_the_documented_form(seed: int, kind: str, n: int, dtype: str) -> None:
    def program(t: Any) -> Any:
        g = t.Generator().manual_seed(seed)
        return [draw(t, g, kind, n, dtype, 0.0, 1.0, 0, 1), t.rand(3, generator=g)]

    if unequal_form() is None:
        same(program, "exact" if kind.startswith("bernoulli") else dtype)
    else:  # torch draws from MKL's generator here: compare with the formula
        import tinygrad_edu

        unit = tinygrad_edu.Generator().manual_seed(seed)._u53(n)
        formulas = {"exponential": -np.log1p(-unit) / 1.1, "bernoulli": unit < 0.3, "bernoulli p": unit < 0.7}
        mine = program(tinygrad_edu)[0].numpy().astype(np.float64)
        assert np.allclose(mine, formulas[kind], rtol=2e-3)


def test_the_form_torch_uses_on_this_machine_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    with capsys.disabled():
        if unequal_form():
            print(f"\n{unequal_form()}: compared with the formula instead")


@given(st.integers(0, 2**32), DTYPES, SIZES)
def test_random_without_bounds_covers_the_dtype_as_in_torch(seed: int, dtype: str, n: int) -> None:
    same(lambda t: t.empty(n, dtype=getattr(t, dtype)).random_(generator=t.Generator().manual_seed(seed)))


@given(st.integers(0, 2**32), SHAPES, st.permutations(range(4)), FLOATS)
def test_numbers_lie_in_the_order_of_memory(seed: int, shape: tuple[int, ...], order: list[int], dtype: str) -> None:
    dims = [d for d in order if d < len(shape)]

    def program(t: Any) -> Any:
        x = t.zeros(shape, dtype=getattr(t, dtype)).permute(dims)
        g = t.Generator().manual_seed(seed)
        filled = [x.clone().permute(dims).uniform_(generator=g) for _ in range(1)]
        return [
            *filled,
            x.uniform_(generator=g),
            x.normal_(generator=g),
            t.randn_like(x),
            t.rand_like(x),
            t.randint_like(x, 9),
        ]

    def seeded(t: Any) -> Any:
        t.manual_seed(seed)
        return program(t)

    same(seeded, dtype)


@given(st.integers(0, 2**32), st.sampled_from(["[:, ::2]", "[::3]", ".t()", "[1:, 2:]", "[:, 3]", ".t()[::2]"]))
def test_strided_memory_is_filled_as_torch_fills_it(seed: int, view: str) -> None:
    def program(t: Any) -> Any:
        t.manual_seed(seed)
        whole = t.zeros(7, 9)
        x = eval(f"whole{view}", {"whole": whole})
        return [
            x.normal_(),
            x.uniform_(),
            x.random_(5),
            t.randn_like(x),
            t.rand_like(x),
            t.bernoulli(x / 9),
            t.normal(x, 1.0),
            t.normal(x, x),
            whole,
        ]

    same(program, "float32")


@pytest.mark.parametrize("n", [0, 1, 2, 10, 1000, 60_000])
def test_a_long_permutation_is_torchs(n: int) -> None:
    same(lambda t: t.randperm(n, generator=t.Generator().manual_seed(n + 5)))


def test_a_permutation_holds_every_number_once() -> None:
    import tinygrad_edu as t

    assert sorted(t.randperm(1000).tolist()) == list(range(1000))


def test_a_million_numbers_equal_torchs() -> None:
    same(lambda t: t.rand(1_000_000, generator=t.Generator().manual_seed(1)))
    same(lambda t: t.randn(100_003, generator=t.Generator().manual_seed(1)), "float32")


def test_a_dropout_mask_keeps_where_the_uniform_lies_below_the_chance_to_stay() -> None:
    from tinygrad_edu.random import Generator

    mask = Generator().manual_seed(4)._keep_mask((300, 40), 0.25)
    uniform = Generator().manual_seed(4)._u53(12_000).reshape(300, 40)
    assert np.array_equal(mask, uniform < 0.75)
    turned = Generator().manual_seed(4)._keep_mask(np.zeros((40, 300)).T, 0.25)
    assert np.array_equal(turned, Generator().manual_seed(4)._keep_mask((40, 300), 0.25).T)


@given(st.floats(0, 1))
def test_a_chance_is_compared_without_rounding(p: float) -> None:
    from tinygrad_edu.random import Generator

    drawn = Generator().manual_seed(9)._bernoulli(500, p)
    assert np.array_equal(drawn, Generator().manual_seed(9)._u53(500) < p)


# ---------------------------------------------------------------------- in place, and gradients


WRITES = ["normal_", "uniform_", "bernoulli_", "exponential_", "random_", "cauchy_", "log_normal_"]


@pytest.mark.parametrize("name", WRITES)
def test_a_fill_cuts_the_history_and_lets_no_gradient_pass(name: str) -> None:
    def program(t: Any) -> Any:
        x = t.ones(20, requires_grad=True)
        y = x * 2
        returned = getattr(y, name)() is y
        before = y.requires_grad
        (y * 3).sum().backward()
        return [returned, before, x.grad]

    both(program)


@pytest.mark.parametrize("name", WRITES)
def test_a_leaf_that_wants_a_gradient_is_filled_only_without_grad(name: str) -> None:
    def program(t: Any) -> Any:
        x = t.zeros(20, requires_grad=True)
        with t.no_grad():
            getattr(x, name)()
        filled = bool((x != 0).any()), x.requires_grad, x.is_leaf
        t.manual_seed(3)
        try:
            getattr(x, name)()
        except RuntimeError as error:
            refused = "leaf Variable that requires grad" in str(error)
        return [filled, refused, t.rand(2)]

    both(program)


def test_a_write_after_use_is_noticed_in_backward() -> None:
    def program(t: Any) -> Any:
        x = t.ones(3, requires_grad=True)
        y = t.ones(3)
        z = (x * y).sum()
        y.normal_()
        z.backward()

    assert isinstance(both(program), RuntimeError)


def test_a_view_is_filled_within_its_base() -> None:
    def program(t: Any) -> Any:
        t.manual_seed(1)
        x = t.ones(4, 5, requires_grad=True)
        y = x * 1
        y[1].uniform_()
        (y * y).sum().backward()
        return [x.grad, y.detach()]

    same(program)


def test_a_single_number_is_filled_in_place() -> None:
    def program(t: Any) -> Any:
        t.manual_seed(1)
        x = t.tensor(3.0)
        alias = x.detach()
        x.uniform_()
        return [x, alias, t.rand(()), t.randn(()), t.randint(0, 9, ())]

    same(program, "float32")


def test_bernoulli_hands_back_a_zero_gradient() -> None:
    def program(t: Any) -> Any:
        t.manual_seed(1)
        p = t.full((5,), 0.5, requires_grad=True)
        drawn = t.bernoulli(p)
        (drawn * p).sum().backward()
        return [drawn.detach(), p.grad]

    same(program)


def test_new_tensors_may_want_gradients() -> None:
    both(
        lambda t: [
            t.rand(2, requires_grad=True).requires_grad,
            t.randn(2, requires_grad=True).is_leaf,
            t.rand_like(t.ones(2), requires_grad=True).requires_grad,
            t.normal(0.0, 1.0, (2,), requires_grad=True).requires_grad,
        ]
    )


def test_the_default_dtype_is_followed() -> None:
    def program(t: Any) -> Any:
        t.set_default_dtype(t.float64)
        try:
            t.manual_seed(2)
            return [t.rand(3), t.randn(20), t.normal(0.0, 1.0, (3,)), t.randint(0, 5, (2,)), t.randperm(3)]
        finally:
            t.set_default_dtype(t.float32)

    same(program, "float64")


# ---------------------------------------------------------------------- ways to call, and refusals

GOOD: list[Callable[[Any], Any]] = [
    lambda t: t.rand(()),
    lambda t: t.rand([2, 1]),
    lambda t: t.rand(t.Size([1, 2])),
    lambda t: t.rand(size=(1,)),
    lambda t: t.rand(np.int64(2), 3),
    lambda t: t.rand(t.zeros(2, 3).shape),
    lambda t: t.rand(2, device="cpu"),
    lambda t: t.randint(10, (3,)),
    lambda t: t.randint(10, size=(3,)),
    lambda t: t.randint(3, 10, [2, 2]),
    lambda t: t.randint(high=10, size=(3,)),
    lambda t: t.randint(low=3, high=10, size=(3,), dtype=t.uint8),
    lambda t: t.randint_like(t.ones(3), 5),
    lambda t: t.randint_like(t.ones(3), 2, 5, dtype=t.int64),
    lambda t: t.randint_like(t.ones(3), low=2, high=5),
    lambda t: t.randn_like(t.ones(3, dtype=t.int64), dtype=t.float64),
    lambda t: t.normal(mean=t.zeros(2), std=t.ones(2)),
    lambda t: t.normal(t.zeros(2)),
    lambda t: t.normal(0, 1, (2,)),
    lambda t: t.empty(3).normal_(std=2),
    lambda t: t.empty(3).uniform_(-1),
    lambda t: t.empty(3).uniform_(to=3),
    lambda t: t.empty(3).random_(7),
    lambda t: t.empty(3).random_(-7, 7),
    lambda t: t.randperm(5, dtype=t.int32),
    lambda t: t.multinomial(t.ones(0, 3), 1),
    lambda t: t.multinomial(input=t.ones(3), num_samples=1, replacement=True),
    lambda t: t.multinomial(t.tensor([1.0, 0.0, 0.0]), 1),
    lambda t: t.default_generator is t.random.default_generator,
]
BAD: list[Callable[[Any], Any]] = [
    lambda t: t.rand(),
    lambda t: t.rand(-1),
    lambda t: t.rand(2.0),
    lambda t: t.rand("a"),
    lambda t: t.rand((2,), 2),
    lambda t: t.rand(2, dtype=t.int64),
    lambda t: t.rand(2, device="cuda"),
    lambda t: t.randn(2, dtype=t.bool),
    lambda t: t.randn(3, generator=5),
    lambda t: t.randint(5, 5, (2,)),
    lambda t: t.randint(3),
    lambda t: t.randint(0, 10, 3),
    lambda t: t.randint(-3, 2.5, (2,)),
    lambda t: t.randint(0, 300, (3,), dtype=t.uint8),
    lambda t: t.randint(-5, 70, (3,), dtype=t.uint8),
    lambda t: t.randint(3, (2,), dtype=t.bool),
    lambda t: t.randint(0, 2**63, (1,)),
    lambda t: t.randint(0, 9, (1,), requires_grad=True),
    lambda t: t.randint_like(t.ones(2)),
    lambda t: t.rand_like(t.ones(2, dtype=t.int64)),
    lambda t: t.randperm(-1),
    lambda t: t.randperm(2.5),
    lambda t: t.randperm(300, dtype=t.uint8),
    lambda t: t.randperm(3000, dtype=t.float16),
    lambda t: t.randperm(5, dtype=t.bool),
    lambda t: t.normal(0.0, 1.0),
    lambda t: t.normal(0.0, 1.0, 3),
    lambda t: t.normal(0.0, -1.0, (2,)),
    lambda t: t.normal(t.zeros(3), -1.0),
    lambda t: t.normal(t.zeros(3), -t.ones(3)),
    lambda t: t.normal(t.zeros(2), t.ones(3)),
    lambda t: t.normal(t.zeros(2, dtype=t.int64), 1.0),
    lambda t: t.bernoulli(t.tensor([2.0])),
    lambda t: t.bernoulli(t.tensor([1])),
    lambda t: t.bernoulli(t.tensor([0.5]), 2.0),
    lambda t: t.empty(3).bernoulli_(2.0),
    lambda t: t.empty(2).bernoulli_(t.tensor([0.5, 0.5, 0.5])),
    lambda t: t.empty(3).normal_(0, -1),
    lambda t: t.empty(3).normal_(t.zeros(1)),
    lambda t: t.empty(3, dtype=t.int64).normal_(),
    lambda t: t.empty(3).uniform_(2, 1),
    lambda t: t.empty(3).uniform_(float("nan"), 1),
    lambda t: t.empty(3).uniform_(0, float("inf")),
    lambda t: t.empty(3, dtype=t.int64).uniform_(),
    lambda t: t.empty(3).exponential_(0),
    lambda t: t.empty(3, dtype=t.int64).exponential_(),
    lambda t: t.empty(3).random_(5, 5),
    lambda t: t.empty(3).random_(3.5),
    lambda t: t.empty(3, dtype=t.int8).random_(0, 1000),
    lambda t: t.empty(2).geometric_(1.5),
    lambda t: t.empty(2).cauchy_(0, -1),
    lambda t: t.empty(2, dtype=t.int64).cauchy_(),
    lambda t: t.empty(2).log_normal_(0, -1),
    lambda t: t.empty(2, dtype=t.int64).log_normal_(),
    lambda t: t.zeros(1).expand(3).normal_(),
    lambda t: t.multinomial(t.tensor([1.0, 2]), 3),
    lambda t: t.multinomial(t.tensor([1.0, -2]), 1),
    lambda t: t.multinomial(t.tensor([1.0, math.nan]), 1),
    lambda t: t.multinomial(t.tensor([0.0, 0]), 1),
    lambda t: t.multinomial(t.tensor([0, 0]), 1),
    lambda t: t.multinomial(t.ones(1, 2, 3), 1),
    lambda t: t.multinomial(t.ones(2), 0),
    lambda t: t.Generator("cuda"),
]


@pytest.mark.parametrize("number", range(len(GOOD)))
def test_the_ways_to_call_are_torchs(number: int) -> None:
    def program(t: Any) -> Any:
        t.manual_seed(17)
        return GOOD[number](t)

    result = same(program, "float32")
    assert not isinstance(result, Exception), result


@pytest.mark.parametrize("number", range(len(BAD)))
def test_what_torch_refuses_is_refused_and_draws_nothing(number: int) -> None:
    def program(t: Any) -> Any:
        t.manual_seed(17)
        return BAD[number](t)

    assert isinstance(both(program), Exception)
    import tinygrad_edu

    assert tinygrad_edu.rand(1).tolist() == torch.rand(1, generator=torch.Generator().manual_seed(17)).tolist()
