"""The op table: every operation of the first tier, and some of the second, written once against torch's interface."""

from __future__ import annotations

from . import (
    compare,
    composed,
    creation,
    elementwise,
    further,
    index,
    kinked,
    linalg,
    loss,
    nn,
    recurrent,
    reduce,
    second,
    shape,
    stretched,
)
from .row import Row

FAMILIES = (elementwise, reduce, shape, index, linalg, nn, loss, creation, compare)
FIRST: tuple[Row, ...] = tuple(row for family in FAMILIES for row in family.ROWS)
ROWS = (*FIRST, *second.ROWS, *further.ROWS, *recurrent.ROWS, *kinked.ROWS, *stretched.ROWS)
COMPOSED = tuple(composed.ROWS)
