"""Check gradients and compare engines: the op table, the strategies that draw its cases, and the conformance suite.

``tinygrad_edu.testing.strategies``, ``.table`` and ``.suite`` need hypothesis (``pip install 'tinygrad-edu[check]'``) and are
imported by name.
"""

from __future__ import annotations

from ..autograd._gradcheck import check_grads
from ._close import assert_close
from ._make_tensor import make_tensor
from ._matches_torch import assert_matches_torch
from ._modules import module_check

__all__ = ["assert_close", "assert_matches_torch", "check_grads", "make_tensor", "module_check"]
