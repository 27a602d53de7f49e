"""The pytest plugin: the fixture ``gradcheck``, which shows the report in place of a traceback through the checker."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, cast

import pytest

from .. import autograd
from .._tensor import Tensor
from ..autograd._program import Func, GradcheckError
from ..autograd._report import Report

__all__ = ["gradcheck", "offer_gradcheck"]

_PACKAGE = str(Path(__file__).parent.parent)


def gradcheck(func: Func, inputs: Tensor | tuple[object, ...], *, order: int = 1, **settings: Any) -> Report:
    """Check gradients as ``autograd.gradcheck`` does with ``explain=True``; with ``order=2`` gradients of gradients, too.

    In a test, take it from the fixture of this name::

        def test_my_function(gradcheck):
            gradcheck(my_function, torch.tensor([0.5, 2.0], dtype=torch.float64, requires_grad=True), order=2)

    Where the test fails, pytest shows its line and the report: verdict, worst element, what to do. What ``func`` raises
    itself is shown from ``func`` on.

    Parameters
    ----------
    func, inputs, settings
        As in ``autograd.gradcheck``: ``eps``, ``atol``, ``rtol``, ``fast_mode``, ...
    order
        1 or 2.

    Raises
    ------
    GradcheckError
        With the report.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> from tinygrad_edu.testing._plugin import gradcheck
    >>> x = torch.tensor([0.5, 2.0], dtype=torch.float64, requires_grad=True)
    >>> gradcheck(torch.sin, x, order=2).verdict
    <Verdict.RIGHT: 'right'>
    """
    __tracebackhide__ = True
    if order not in (1, 2):
        raise ValueError(f"gradcheck: order must be 1 or 2, but got {order}; check_grads goes further")
    try:
        report = autograd.gradcheck(func, inputs, explain=True, **settings)
        if order == 2 and report:
            report = autograd.gradgradcheck(func, inputs, explain=True, **settings)
        return cast(Report, report)  # with explain=True
    except GradcheckError as error:
        raise error.with_traceback(None) from None
    except Exception as error:
        raise error.with_traceback(_below_the_checker(error.__traceback__)) from error.__cause__


def _below_the_checker(traceback: TracebackType | None) -> TracebackType | None:
    """The part of a traceback that begins in the user's own function; none if the checker itself refuses its arguments."""
    while traceback is not None and traceback.tb_frame.f_code.co_filename.startswith(_PACKAGE):
        traceback = traceback.tb_next
    return traceback


@pytest.fixture(scope="session", name="gradcheck")
def offer_gradcheck() -> Callable[..., Report]:
    """Check gradients, ``gradcheck(func, inputs, order=1, **settings of torch's gradcheck)``: a failure prints the report."""
    return gradcheck
