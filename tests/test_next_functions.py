"""grad_fn.next_functions equals torch's wherever torch makes one step of a call."""

from __future__ import annotations

import warnings

from hypothesis import HealthCheck, Phase, given, settings

import tinygrad_edu
from tests.harness import Arguments, tensors_in
from tests.oracle import torch
from tinygrad_edu.testing import table

ROWS = [row for row in table.ROWS if row.order and row.named]


def steps(t, row, case):
    """The name of each result's step, and of the steps it hands its gradient to."""
    result = row.call(t, *Arguments(t, case, row.frozen, grad=True, layouts=("contiguous",)).args)
    found = []
    for x in tensors_in(result):
        node = x.grad_fn
        found.append(None if node is None else (node.name(), [n and n.name() for n, _ in node.next_functions]))
    return found


def of_one_step(step):
    """Did torch make one step of the call: does it hand on to leaves and constants only?"""
    return step is not None and all(n in (None, "torch::autograd::AccumulateGrad") for n in step[1])


def compare(row):
    """Run a row a few times; return how many steps were compared."""
    compared = 0

    @settings(max_examples=4, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
    @given(row.sample.strategy())
    def check(case):
        nonlocal compared
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                theirs = steps(torch, row, case)
            except (RuntimeError, IndexError, ValueError, TypeError):
                return  # refused: test_op_table compares refusals
            ours = steps(tinygrad_edu, row, case)
        for mine, their in zip(ours, theirs, strict=True):
            if of_one_step(their):
                compared += 1
                assert mine == their, row.name

    check()
    return compared


def test_next_functions_equal_torchs():
    compared = sum(compare(row) for row in ROWS)
    assert compared >= 1000
