"""make_tensor draws torch's numbers, and refuses what torch refuses."""

import warnings

import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinygrad_edu.testing
from tests.oracle import both, torch
from tests.testing.test_close import said

DTYPES = ("bool", "uint8", "int8", "int16", "int32", "int64", "float16", "float32", "float64")


@pytest.mark.parametrize("dtype", DTYPES)
@given(
    shape=st.lists(st.integers(0, 20), max_size=3).map(tuple),
    settings=st.fixed_dictionaries(
        {},
        optional={
            "bounds": st.sampled_from([(0, 1), (-3, 5), (0.5, 2.5), (None, 4), (-2, None), (-1e30, 1e30), (1, 300)]),
            "noncontiguous": st.booleans(),
            "exclude_zero": st.booleans(),
            "requires_grad": st.booleans(),
        },
    ),
)
def test_the_same_seed_gives_torchs_numbers(dtype, shape, settings):
    settings = dict(settings)
    low, high = settings.pop("bounds", (None, None))

    def program(t):
        t.manual_seed(3)
        made = t.testing.make_tensor(shape, dtype=getattr(t, dtype), device="cpu", low=low, high=high, **settings)
        return made, made.stride() if made.numel() else (), t.rand(2)  # the stream stands where torch's stands

    tolerance = 1e-14 if dtype == "float64" else 0  # torch's float64 is rounded once less on processors that fuse
    both(program, rtol=tolerance, atol=tolerance)


def test_sizes_may_be_given_one_by_one():
    both(lambda t: (t.manual_seed(0), t.testing.make_tensor(2, 3, dtype=t.float32, device="cpu"))[1], rtol=0, atol=0)
    both(lambda t: (t.manual_seed(0), t.testing.make_tensor(dtype=t.float32, device="cpu"))[1], rtol=0, atol=0)


@pytest.mark.parametrize(
    ("dtype", "low", "high"),
    [("int64", 0.5, 2.5), ("int8", 100, 300), ("uint8", -5, 3), ("int64", 2**63 - 5, 2**63), ("bool", 0.5, 7)],
)
def test_whole_numbers_lie_between_the_bounds_cut_to_the_dtype(dtype, low, high):
    def program(t):
        t.manual_seed(0)
        return t.testing.make_tensor(60, dtype=getattr(t, dtype), device="cpu", low=low, high=high)

    assert low <= both(program, rtol=0, atol=0).min().item()


@pytest.mark.parametrize("dtype", ["float16", "float32"])
def test_the_widest_range_is_drawn_in_halves(dtype):
    def program(t):
        t.manual_seed(0)
        limit = t.finfo(getattr(t, dtype)).max
        return t.testing.make_tensor(9, dtype=getattr(t, dtype), device="cpu", low=-limit, high=limit)

    assert both(program, rtol=0, atol=0).isfinite().all()


BAD = {
    "integers that require grad": lambda t: t.testing.make_tensor(2, dtype=t.int64, device="cpu", requires_grad=True),
    "nan": lambda t: t.testing.make_tensor(2, dtype=t.float32, device="cpu", low=float("nan")),
    "low above high": lambda t: t.testing.make_tensor(2, dtype=t.float32, device="cpu", low=2, high=1),
    "low is high": lambda t: t.testing.make_tensor(2, dtype=t.int64, device="cpu", low=2, high=2),
    "beyond the dtype": lambda t: t.testing.make_tensor(2, dtype=t.uint8, device="cpu", low=300, high=400),
    "below the dtype": lambda t: t.testing.make_tensor(2, dtype=t.uint8, device="cpu", low=-3, high=-1),
    "no boolean": lambda t: t.testing.make_tensor(2, dtype=t.bool, device="cpu", low=2, high=4),
    "a format and gaps": lambda t: t.testing.make_tensor(2, dtype=t.float32, device="cpu", noncontiguous=True, memory_format=1),
    "no device": lambda t: t.testing.make_tensor(2, dtype=t.float32),
    "no dtype": lambda t: t.testing.make_tensor(2, device="cpu"),
}  # fmt: skip  # one case a line


@pytest.mark.parametrize("case", BAD)
def test_bad_arguments_get_torchs_exception_and_words(case):
    ours, theirs = said(BAD[case], tinygrad_edu), said(BAD[case], torch)
    assert ours is not None
    assert ours == theirs or (case.startswith("no d") and ours[0] == theirs[0] == "TypeError")


def test_a_dtype_by_its_name_is_refused():
    ours, theirs = (
        said(lambda t: t.testing.make_tensor(2, dtype="float32", device="cpu"), t) for t in (tinygrad_edu, torch)
    )
    assert ours[0] == theirs[0] == "TypeError"
    assert theirs[1].partition(" To request")[0] in ours[1]


def test_one_number_alone_is_deprecated_as_in_torch():
    for t in (tinygrad_edu, torch):
        with pytest.warns(FutureWarning, match="Passing `low==high` to `torch.testing.make_tensor`"):
            assert t.testing.make_tensor(2, dtype=t.float32, device="cpu", low=1, high=1).tolist() == [1.0, 1.0]


def test_the_warning_points_at_the_caller():
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        tinygrad_edu.testing.make_tensor(2, dtype=tinygrad_edu.float32, device="cpu", low=1, high=1)
    assert caught[0].filename == __file__
