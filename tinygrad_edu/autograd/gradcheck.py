"""torch.autograd.gradcheck: where torch keeps the gradient checks and their error.

As in torch, ``torch.autograd.gradcheck`` is the function, and ``from torch.autograd.gradcheck import ...`` reads this file.
"""

from typing import TYPE_CHECKING

from .._lazy import on_first_use

if TYPE_CHECKING:
    from ._gradcheck import gradcheck, gradgradcheck
    from ._program import GradcheckError
    from ._report import Finding, Report, Verdict

__all__ = ["Finding", "GradcheckError", "Report", "Verdict", "gradcheck", "gradgradcheck"]

__getattr__, __dir__ = on_first_use(
    __name__,
    Finding="_report",
    GradcheckError="_program",
    Report="_report",
    Verdict="_report",
    gradcheck="_gradcheck",
    gradgradcheck="_gradcheck",
)
