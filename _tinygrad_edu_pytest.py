"""The pytest plugin of tinygrad_edu: the fixture ``gradcheck``.

It lies outside of the package because pytest imports it in every session of an environment that has the package: one that
does not use the fixture imports neither tinygrad_edu nor NumPy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from tinygrad_edu.autograd._report import Report


@pytest.fixture(scope="session")
def gradcheck() -> Callable[..., Report]:
    """Check gradients, ``gradcheck(func, inputs, order=1, **settings of torch's gradcheck)``: a failure prints the report."""
    from tinygrad_edu.testing import _plugin

    return _plugin.gradcheck
