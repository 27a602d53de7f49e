"""torch.autograd.gradcheck: where torch keeps the gradient checks and their error.

As in torch, ``torch.autograd.gradcheck`` is the function, and ``from torch.autograd.gradcheck import ...`` reads this file.
"""

from ._gradcheck import GradcheckError, gradcheck, gradgradcheck

__all__ = ["GradcheckError", "gradcheck", "gradgradcheck"]
