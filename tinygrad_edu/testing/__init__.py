"""Check gradients and compare engines: the op table, the strategies that draw its cases, and the conformance suite."""

from __future__ import annotations

from ._close import assert_close
from ._make_tensor import make_tensor
from ._matches_torch import assert_matches_torch

__all__ = ["assert_close", "assert_matches_torch", "make_tensor"]
