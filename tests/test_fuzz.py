"""Random programs of views, in-place writes and double backward, beside torch.

A program is a seed. It makes tensors, views of them and writes into them, then takes first and second derivatives.
Both frameworks must give the same numbers or both must refuse.
"""

from __future__ import annotations

import random

import hypothesis
import numpy as np

from tests.notes import note
from tests.oracle import assert_same, kind, ours, outcome, torch

PROGRAMS = 600


def row(r, t, h, pool, w):
    return h[r.randrange(h.shape[0])] if h.dim() > 1 else None


def tail(r, t, h, pool, w):
    return h[1:] if h.shape[0] > 1 else None


def every_second(r, t, h, pool, w):
    return h[..., ::2]


def transposed(r, t, h, pool, w):
    return h.t()


def flattened(r, t, h, pool, w):
    return h.reshape(-1)


def unsqueezed(r, t, h, pool, w):
    return h.unsqueeze(0) if h.dim() == 1 else None


def detached(r, t, h, pool, w):
    return h.detach()


def picked(r, t, h, pool, w):
    return h[[0, 0, -1]]


def squared_sine(r, t, h, pool, w):
    return (h * h).sin()


def exponential(r, t, h, pool, w):
    return (h * 0.1).exp()


def joined(r, t, h, pool, w):
    return t.cat([h, h * 2.0])[: h.shape[0]] if h.dim() == 1 else None


def scale(r, t, h, pool, w):
    h.mul_(r.choice([2.0, -0.5]))


def grow(r, t, h, pool, w):
    h.add_(h * 0.5)


def squash(r, t, h, pool, w):
    h.sigmoid_()


def bend(r, t, h, pool, w):
    h.tanh_()


def rectify(r, t, h, pool, w):
    h.relu_()


def scale_by_weights(r, t, h, pool, w):
    if h.shape[-1] == 3:
        h.mul_(w)


def copy_weights(r, t, h, pool, w):
    if h.shape[-1] == 3:
        h.copy_(w)


def scale_first_column(r, t, h, pool, w):
    if h.dim() == 2:
        h[:, 0].mul_(1.5)


def assign_a_sum(r, t, h, pool, w):
    h[0] = r.choice(pool).sum() * 0.1


def assign_a_row(r, t, h, pool, w):
    if h.dim() == 2 and h.shape[-1] == 3:
        h[-1] = w * 2.0


def assign_by_mask(r, t, h, pool, w):
    h[h > 0.7] = 0.3


def fill_a_part(r, t, h, pool, w):
    h[-1:].fill_(0.25)


def scale_unrecorded(r, t, h, pool, w):
    with t.no_grad():
        h.mul_(1.25)


ACTIONS = (
    row, tail, every_second, transposed, flattened, unsqueezed, detached, picked, squared_sine,
    exponential, joined, scale, grow, squash, bend, rectify, scale_by_weights, copy_weights, scale_first_column,
    assign_a_sum, assign_a_row, assign_by_mask, fill_a_part, scale_unrecorded,
)  # fmt: skip


def play(t, seed, told=None):
    """Run the program ``seed``; return its tensors, gradients and second derivatives. ``told`` collects its words."""
    r = random.Random(seed)
    x = t.from_numpy(np.arange(1.0, 7.0).reshape(2, 3) / 4).requires_grad_()
    w = t.from_numpy(np.array([0.5, 0.7, 0.9])).requires_grad_()
    pool = [x * 1.0]
    for _ in range(r.randint(2, 8)):
        which = r.randrange(len(pool))
        action = r.choice(ACTIONS)
        if told is not None:
            told.append(f"{action.__name__}({which})")
        made = action(r, t, pool[which], pool, w)
        if made is not None:
            pool.append(made)
    total = sum(((p * p).sum() for p in pool[1:]), (pool[0] * pool[0]).sum())
    found = [g for g in t.autograd.grad(total, [x, w], create_graph=True, allow_unused=True) if g is not None]
    again = [g for g in found if g.requires_grad]
    if again:
        sum((g * g).sum() for g in again).backward()
    zero = t.zeros(1)
    return [p.detach() for p in pool], [g.detach() for g in found], [zero if v.grad is None else v.grad for v in (x, w)]


def test_random_programs_of_views_and_writes_agree_with_torch():
    profile = hypothesis.settings().derandomize
    start = 0 if profile else hypothesis.core.global_force_seed or 0
    equal = refused = 0
    for seed in range(start, start + PROGRAMS):
        told: list[str] = []
        theirs, mine = (
            outcome(lambda t, s=seed, told=told: play(t, s, told), torch),
            outcome(lambda t, s=seed: play(t, s), ours()),
        )
        try:
            if isinstance(theirs, Exception):
                assert isinstance(theirs, RuntimeError), f"the program itself is wrong: {theirs!r}"
                refused += 1
                assert isinstance(mine, Exception), f"torch refuses ({theirs}), we do not"
                assert kind(theirs) == kind(mine), f"torch raises {theirs!r}, we raise {mine!r}"
            else:
                assert_same(mine, theirs, rtol=1e-7, atol=1e-8)
                equal += 1
        except AssertionError as error:
            raise AssertionError(f"program {seed}: {', '.join(told)}\n{error}") from None
    note(f"random programs beside torch: {equal} equal, {refused} refused by both")
    assert equal >= PROGRAMS // 4
    assert refused >= PROGRAMS // 8
