"""Every op of the table, stepped through: contributions add up exactly, expressions have the value shown, the page is written."""

from __future__ import annotations

import numpy as np
import pytest

import tinygrad_edu as t
from tests.harness import Arguments, for_each_case, tensors_in
from tests.test_op_table import rows
from tests.viz.test_steps import check_numbers, gradients_from_contributions, leaves_of
from tinygrad_edu import viz
from tinygrad_edu.testing._draw import cast

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")  # torch's advice, given by us too


@rows(lambda row: row.order > 0)
def test_the_steps_of_every_op_are_right(row):
    def check(case, seed):
        given = Arguments(t, cast(case, "float64"), row.frozen, grad=True)
        with viz.record():
            outs = [x for x in tensors_in(row.call(t, *given.args)) if x.requires_grad and x.is_floating_point()]
            if not outs:
                return
            loss = sum((x * x.detach().cos()).sum() for x in outs)
            loss.backward()
        player = viz.step(loss, max_nodes=2000, max_mb=20)
        sums = gradients_from_contributions(
            player, rtol=1e-12
        )  # indices may repeat: then the order of additions differs
        last = {part.edge.source: part.after for step in player.steps for part in step.contributions}
        for vertex in leaves_of(player):
            leaf = vertex.maker.tensor()
            if leaf is not None and leaf.grad is not None and vertex.id in sums:
                np.testing.assert_allclose(sums[vertex.id], leaf.grad.numpy(), rtol=1e-12, atol=0)
                np.testing.assert_array_equal(last[vertex.id], leaf.grad.numpy())
        check_numbers(player, cells=3)
        player.text()
        player.page()

    for_each_case(row, check, share=0.02)
