"""torch.autograd.gradcheck: where torch keeps the gradient checks and their error.

As in torch, ``torch.autograd.gradcheck`` is the function, and ``from torch.autograd.gradcheck import ...`` reads this file.
"""

from ._gradcheck import gradcheck, gradgradcheck
from ._program import GradcheckError
from ._report import Finding, Report, Verdict

__all__ = ["Finding", "GradcheckError", "Report", "Verdict", "gradcheck", "gradgradcheck"]
