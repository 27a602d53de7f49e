"""Are the gradients of a layer right? Those of its parameters and of its inputs, in training and in evaluation mode."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .._creation import from_numpy
from .._dtype import float64
from .._tensor import Tensor
from ..autograd._gradcheck import check_grads
from ..autograd._program import GradcheckError
from ..autograd._report import Report
from ..func._functional_call import functional_call
from ..func._trees import flatten, unflatten
from ..nn import Module
from ..random import fork_rng

__all__ = ["module_check"]

MODES = ("train", "eval")


def module_check(
    module: Module,
    *inputs: Any,
    order: int = 1,
    modes: Sequence[str] = MODES,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    directional: bool | None = None,
) -> dict[str, Report]:
    """Compare the gradients of a module's parameters and inputs with central differences, in both of its modes.

    A float64 copy is examined, so the module keeps its parameters, gradients, buffers and mode. Each call of the copy
    begins with the same buffers and the same random numbers: so dropout has one mask, and the running statistics of
    batch norm do not wander. The random stream stays where it was.

    Parameters
    ----------
    module
        Any module. Parameters that do not require grad are not checked.
    inputs
        What it is called with: tensors or arrays, also inside of tuples, lists and dicts, and anything else. Those of
        floating point are checked; if some tensors require grad, only these.
    order
        2 checks second derivatives, too.
    modes
        "train", "eval" or both.
    eps, atol, rtol, directional
        As in `check_grads`.

    Returns
    -------
    dict
        The report on each mode.

    Raises
    ------
    GradcheckError
        With the report on the first mode that fails, which calls parameters by their names, such as "0.weight".
    ValueError
        If neither a parameter nor an input can be checked.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> from tinygrad_edu.testing import module_check
    >>> net = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.BatchNorm1d(2), torch.nn.Tanh())
    >>> reports = module_check(net, torch.randn(4, 3))
    >>> {mode: str(report.verdict) for mode, report in reports.items()}
    {'train': 'right', 'eval': 'right'}

    A layer whose weight leaves the graph:

    >>> class Scale(torch.nn.Module):
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.weight = torch.nn.Parameter(torch.ones(2))
    ...
    ...     def forward(self, x):
    ...         return x * self.weight.detach()
    >>> from tinygrad_edu.autograd.gradcheck import GradcheckError
    >>> try:
    ...     module_check(Scale(), torch.ones(2))
    ... except GradcheckError as error:
    ...     print(error.report.findings[0].input_name, "-", error.report.verdict)
    weight - no gradient arrives
    """
    __tracebackhide__ = True
    unknown = [mode for mode in modes if mode not in MODES]
    if unknown or not modes:
        raise ValueError(f"module_check: modes are 'train' and 'eval', not {unknown[0] if unknown else modes!r}")
    examined = _Examined(module, inputs)
    reports = {}
    for mode in modes:
        try:
            reports[mode] = check_grads(
                examined.function(mode),
                examined.targets,
                order,
                eps=eps,
                atol=atol,
                rtol=rtol,
                directional=directional,
                names=examined.names,
            )
        except GradcheckError as error:
            doing = "training" if mode == "train" else "evaluation"
            sentence = f"{type(module).__name__} in {doing} mode ({mode}()):\n{error}"
            raise GradcheckError(sentence, error.report) from None
    return reports


class _Examined:
    """A module as a function of those of its inputs and parameters that are checked.

    Attributes
    ----------
    targets, names
        The tensors that are differentiated, inputs first, and what the report calls them.
    """

    def __init__(self, module: Module, inputs: tuple[Any, ...]) -> None:
        self._module = _copied(module)
        given, self._spec = flatten(inputs)
        self._inputs = [_doubled(x) for x in given]
        self._places = _checked_places(given)
        parameters = [(name, p) for name, p in self._module.named_parameters() if p.requires_grad]
        self._parameters = [name for name, _ in parameters]
        self.targets = (*[self._inputs[i] for i in self._places], *[p for _, p in parameters])
        self.names = [*[_name(i, len(given)) for i in self._places], *self._parameters]
        if not self.targets:
            raise ValueError(
                f"module_check: {type(module).__name__} has no parameter that requires grad, and no input is of floating point, so there "
                f"is nothing to differentiate (got {', '.join([type(x).__name__ for x in given]) or 'no input'})"
            )

    def function(self, mode: str) -> Callable[..., Any]:
        """The module in a mode, as a function of the targets."""

        def call(*targets: Tensor) -> Any:
            self._module.train(mode == "train")
            inputs, count = list(self._inputs), len(self._places)
            for place, x in zip(self._places, targets[:count], strict=True):
                inputs[place] = x
            state = dict(zip(self._parameters, targets[count:], strict=True))
            state |= {name: buffer.clone() for name, buffer in self._module.named_buffers()}
            with fork_rng():
                output = functional_call(self._module, state, unflatten(inputs, self._spec))
            tensors = [x for x in flatten(output)[0] if isinstance(x, Tensor)]
            return tuple(tensors) or output

        return call


def _name(place: int, count: int) -> str:
    return f"input {place}" if count > 1 else "input"


def _is_floating(x: object) -> bool:
    return (isinstance(x, Tensor) and x.is_floating_point()) or (isinstance(x, np.ndarray) and x.dtype.kind == "f")


def _doubled(x: Any) -> Any:
    """A tensor of a tensor or an array, a float64 copy if it is of floating point; anything else as it is."""
    if isinstance(x, np.ndarray):
        x = from_numpy(x.copy())
    return x.detach().to(float64).clone() if _is_floating(x) else x


def _checked_places(given: Sequence[Any]) -> list[int]:
    """Which inputs are checked: those that require grad, or if none does, those of floating point."""
    asked = [i for i, x in enumerate(given) if isinstance(x, Tensor) and x.requires_grad]
    return asked or [i for i, x in enumerate(given) if _is_floating(x)]


def _copied(module: Module) -> Module:
    """A float64 copy."""
    if not isinstance(module, Module):
        raise TypeError(
            f"module_check: expected a torch.nn.Module, but got {type(module).__name__}. For a function, use check_grads(fn, args)."
        )
    try:
        copied = copy.deepcopy(module)
    except RuntimeError as error:
        error.add_note(
            f"module_check examines a copy, and {type(module).__name__} cannot be copied: a tensor among its attributes is the result of a "
            "computation. Compute it in forward, or detach() it."
        )
        raise
    return copied.double()
