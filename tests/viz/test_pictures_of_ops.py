"""Every op of the table, drawn: nothing raises, nothing overlaps, in either layout of the values."""

from __future__ import annotations

import pytest

import tinygrad_edu as t
from tests.harness import Arguments, for_each_case, tensors_in
from tests.test_op_table import rows
from tests.viz.test_layout import check
from tinygrad_edu import viz
from tinygrad_edu.testing._draw import cast

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")  # torch's advice, given by us too


@rows(lambda row: row.order > 0)
def test_every_op_can_be_drawn(row):
    def draw(case, seed):
        given = Arguments(t, cast(case, "float64"), row.frozen, grad=True)
        with viz.record() as tape:
            outs = [x for x in tensors_in(row.call(t, *given.args)) if x.requires_grad and x.is_floating_point()]
            if not outs:
                return
            loss = sum(x.sum() for x in outs)
            loss.backward()
        for graph in (
            viz.draw(loss, saved=True, max_nodes=2000),
            viz.draw(tape, values=True, view="both", rankdir="TB", max_nodes=2000),
        ):
            check(graph)
            assert "memo" not in graph.source
            graph.to_text()

    for_each_case(row, draw, share=0.02)
