"""Which kernels compute: the fast ones, or with TINYGRAD_EDU_PLAIN=1 the plain formulas that they are tested against."""

from __future__ import annotations

import os

FAST = os.environ.get("TINYGRAD_EDU_PLAIN", "") in ("", "0")
