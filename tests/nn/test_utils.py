"""nn.utils against torch: clipping, vectors of parameters, sequences of different lengths."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.oracle import both


def learnt(t: Any) -> Any:
    """Make parameters, two with a gradient and one without."""
    rng = np.random.default_rng(0)
    made = [t.nn.Parameter(t.tensor(rng.standard_normal(shape).astype("float32"))) for shape in ((3, 2), (4,), (2,))]
    for p in made[:2]:
        p.grad = t.tensor(rng.standard_normal(p.shape).astype("float32"))
    return made


@pytest.mark.parametrize("norm", [2.0, 1, 3.5, float("inf"), 0.5])
@pytest.mark.parametrize("most", [0.1, 1, 100.0])
def test_gradients_are_clipped_by_their_common_norm(norm: float, most: float) -> None:
    def program(t: Any) -> Any:
        made = learnt(t)
        return t.nn.utils.clip_grad_norm_(made, most, norm), [p.grad for p in made]

    both(program)


def test_clipping_takes_one_parameter_a_list_or_a_generator() -> None:
    def program(t: Any) -> Any:
        made, clip = learnt(t), t.nn.utils.clip_grad_norm_
        return clip(made[0], 0.5), clip((p for p in made), 0.5), clip([], 1.0), clip([made[2]], 1.0), made[0].grad

    both(program)


def test_an_infinite_norm_raises_if_asked() -> None:
    def program(t: Any, strict: bool) -> Any:
        made = learnt(t)
        made[0].grad[0, 0] = float("inf")
        return t.nn.utils.clip_grad_norm_(made, 1.0, error_if_nonfinite=strict), [p.grad for p in made]

    both(lambda t: program(t, False))
    assert "non-finite" in str(both(lambda t: program(t, True)))


def test_gradients_are_cut_off_by_value() -> None:
    def program(t: Any) -> Any:
        made = learnt(t)
        return t.nn.utils.clip_grad_value_(made, 0.3), [p.grad for p in made]

    both(program)


def test_total_norm_and_clipping_by_it_come_apart() -> None:
    def program(t: Any) -> Any:
        made = learnt(t)
        norm = t.nn.utils.get_total_norm([p.grad for p in made[:2]])
        t.nn.utils.clip_grads_with_norm_(made, 0.2, norm)
        return norm, [p.grad for p in made]

    both(program)


def test_an_empty_generator_warns() -> None:
    import tinygrad_edu as tg

    with pytest.warns(UserWarning, match="empty generator"):
        tg.nn.utils.clip_grad_norm_((p for p in ()), 1.0)


def test_the_old_name_warns_and_clips() -> None:
    import tinygrad_edu as tg

    with pytest.warns(FutureWarning, match="clip_grad_norm_"):
        tg.nn.utils.clip_grad_norm(learnt(tg), 1.0)


def test_parameters_become_a_vector_and_come_back() -> None:
    def program(t: Any) -> Any:
        t.manual_seed(0)
        a, b = t.nn.Linear(2, 3), t.nn.Linear(2, 3)
        vector = t.nn.utils.parameters_to_vector(a.parameters())
        t.nn.utils.vector_to_parameters(vector, b.parameters())
        (vector * vector).sum().backward()
        return vector, dict(b.state_dict()), a.weight.grad, b.weight.requires_grad

    both(program)


def test_a_vector_that_is_none_is_refused() -> None:
    both(lambda t: t.nn.utils.vector_to_parameters([1.0], []))


def rows(t: Any, lengths: list[int], tail: tuple[int, ...]) -> list[Any]:
    rng = np.random.default_rng(1)
    return [t.tensor(rng.standard_normal((n, *tail)).astype("float32"), requires_grad=True) for n in lengths]


@settings(max_examples=15)
@given(
    lengths=st.lists(st.integers(1, 5), min_size=1, max_size=4),
    tail=st.sampled_from([(), (2,), (1, 3)]),
    batch_first=st.booleans(),
    side=st.sampled_from(["right", "left"]),
)
def test_sequences_are_padded_as_in_torch(
    lengths: list[int], tail: tuple[int, ...], batch_first: bool, side: str
) -> None:
    def program(t: Any) -> Any:
        xs = rows(t, lengths, tail)
        out = t.nn.utils.rnn.pad_sequence(xs, batch_first, padding_value=7.0, padding_side=side)
        (out * out).sum().backward()
        return out, [x.grad for x in xs]

    both(program)


@settings(max_examples=15)
@given(
    lengths=st.lists(st.integers(1, 5), min_size=1, max_size=4),
    tail=st.sampled_from([(), (2,)]),
    batch_first=st.booleans(),
    total=st.sampled_from([None, 6]),
)
def test_sequences_are_packed_and_unpacked_as_in_torch(
    lengths: list[int], tail: tuple[int, ...], batch_first: bool, total: int | None
) -> None:
    def program(t: Any) -> Any:
        rnn = t.nn.utils.rnn
        xs = rows(t, lengths, tail)
        packed = rnn.pack_sequence(xs, enforce_sorted=False)
        padded, counts = rnn.pad_packed_sequence(packed, batch_first, padding_value=-1.0, total_length=total)
        padded.sum().backward()
        back = rnn.unpack_sequence(packed)
        return tuple(packed), padded, counts, back, [x.grad for x in xs]

    both(program)


def test_packing_a_padded_batch_reads_it_step_by_step() -> None:
    def program(t: Any) -> Any:
        x = t.arange(24.0).reshape(4, 3, 2)
        pack = t.nn.utils.rnn.pack_padded_sequence
        p = pack(x, [4, 2, 1])
        q = pack(x.transpose(0, 1), t.tensor([2, 4, 2]), batch_first=True, enforce_sorted=False)
        return tuple(p), tuple(q), p.data, p.batch_sizes, str(p.double().data.dtype), p.is_cuda

    both(program)


@pytest.mark.parametrize(
    "act",
    [
        lambda t, r: r.pack_padded_sequence(t.ones(4, 3), [2, 4, 1]),
        lambda t, r: r.pack_padded_sequence(t.ones(4, 3), [4, 0, 0]),
        lambda t, r: r.pack_padded_sequence(t.ones(4, 3), [4, 2]),
        lambda t, r: r.pack_padded_sequence(t.ones(4, 0), []),
        lambda t, r: r.pad_sequence(3),
        lambda t, r: r.pad_sequence([]),
        lambda t, r: r.pad_sequence([t.ones(2)], padding_side="up"),
        lambda t, r: r.pad_packed_sequence(r.pack_sequence([t.ones(3)]), total_length=2),
        lambda t, r: r.PackedSequence(t.ones(3)),
    ],
)
def test_what_cannot_be_packed_is_refused(act: Any) -> None:
    assert isinstance(both(lambda t: act(t, t.nn.utils.rnn)), Exception)
