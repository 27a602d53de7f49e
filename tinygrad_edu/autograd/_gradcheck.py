"""gradcheck, gradgradcheck and check_grads: backward against central differences, with a report that can be acted on.

The Jacobian is computed twice. Numerically: each element of each input is moved by ``eps`` up and down, in place, so that a
function which reads the tensor by another way (a module its own weight) sees the move as well. Analytically: one backward
pass for each element of each output. Both are matrices of (elements of the input) x (elements of the output), as in torch.
Where that is too much, one random direction is followed instead (``_direction``).
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from .. import _errors
from .._creation import tensor
from .._differentiate import grad
from .._dtype import float64
from .._tensor import Tensor
from ._comparison import Wanted, compare_directions, compare_elements, first_differences, follow, of_order
from ._program import Func, GradcheckError, Program, as_outputs, several, telling, uncheckable
from ._report import Report, Tolerance
from ._undefined import counts, refuse_undefined


def gradcheck(
    func: Func,
    inputs: Tensor | Sequence[object],
    *,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    raise_exception: bool = True,
    nondet_tol: float = 0.0,
    check_undefined_grad: bool = True,
    check_grad_dtypes: bool = False,
    check_batched_grad: bool = False,
    check_batched_forward_grad: bool = False,
    check_forward_ad: bool = False,
    check_backward_ad: bool = True,
    fast_mode: bool = False,
    masked: bool | None = None,
    explain: bool = False,
) -> bool | Report:
    """Compare the gradients that backward gives with central differences: (f(x + eps) - f(x - eps)) / (2 eps).

    Every output that requires grad is checked against every input that does. The inputs should be float64: rounding leaves
    float32 too few digits. Each element of an input costs two calls of ``func``, each element of an output two backward passes.

    Parameters
    ----------
    func
        Takes ``inputs``, returns a tensor or a tuple of tensors.
    inputs
        A tensor or several; those that require grad are moved in place, and put back.
    eps
        How far each element is moved.
    atol, rtol
        Accepted is ``|analytical - numerical| <= atol + rtol * |numerical|``.
    raise_exception
        Raise what was found, instead of returning False (or with ``explain`` the report).
    nondet_tol
        How far two passes over the same numbers may differ.
    check_undefined_grad
        Also run backward with the gradient of one output missing, and of all: it must count as zeros.
    check_grad_dtypes
        Refuse gradients of another dtype than their inputs'.
    check_batched_grad
        Also run backward for two gradients at once, under ``func.vmap``.
    check_forward_ad, check_batched_forward_grad
        Not here: there is no forward mode. ``func.jvp`` is made of two backward passes, so it would confirm itself.
    check_backward_ad
        Must be true, for the same reason.
    fast_mode
        Follow one random direction instead of every element: two calls and two backward passes in all.
    masked
        Of sparse tensors only, which are not here.
    explain
        Not in torch. Return a :class:`Report` that is true if all is right, names the mistake if not, and prints itself. A kink
        (relu at 0), which torch's gradcheck and this one refuse, is then accepted with any slope between those of its sides.

    Raises
    ------
    GradcheckError
        At the first Jacobian that differs. The message names the worst element, gives both values, and says if the function
        is not differentiable there, if it is random, or which of the usual mistakes explains the difference. With
        ``explain`` the message is the report on all Jacobians, which also stands in ``.report``.
    ValueError
        If no input requires grad.
    TypeError
        If ``func`` returns something that is no tensor.

    Notes
    -----
    An exception that ``func`` or a backward raises itself passes through; a note says which call raised it.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> x = torch.tensor([[0.5, 2.0], [1.0, -1.0]], dtype=torch.float64, requires_grad=True)
    >>> torch.autograd.gradcheck(lambda x: (x @ x.T).exp(), (x,))
    True

    A backward that forgot the factor 2:

    >>> class Square(torch.autograd.Function):
    ...     @staticmethod
    ...     def forward(ctx, x):
    ...         ctx.save_for_backward(x)
    ...         return x * x
    ...
    ...     @staticmethod
    ...     def backward(ctx, g):
    ...         (x,) = ctx.saved_tensors
    ...         return g * x
    >>> x = torch.tensor([3.0, 1.0], dtype=torch.float64, requires_grad=True)
    >>> report = torch.autograd.gradcheck(Square.apply, x, explain=True, raise_exception=False)
    >>> bool(report), report.verdict
    (False, <Verdict.FACTOR: 'wrong constant factor'>)
    >>> print(report.findings[0].sentence)
    The analytical gradient is 0.5 times the numerical one everywhere (1/2, as when one of two equal terms is missing, in x * x): a constant factor is wrong.
    """
    _refuse_modes("gradcheck", check_forward_ad, check_backward_ad, check_batched_grad, check_batched_forward_grad)
    wanted = Wanted(
        "gradcheck", check_undefined_grad, check_grad_dtypes, check_batched_grad, fast_mode, bool(masked), explain
    )
    return _answer(
        lambda: _check(func, several(inputs), Tolerance(eps, atol, rtol, nondet_tol), wanted), raise_exception, explain
    )


def gradgradcheck(
    func: Func,
    inputs: Tensor | Sequence[object],
    grad_outputs: Tensor | Sequence[Tensor] | None = None,
    *,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    gen_non_contig_grad_outputs: bool = False,
    raise_exception: bool = True,
    nondet_tol: float = 0.0,
    check_undefined_grad: bool = True,
    check_grad_dtypes: bool = False,
    check_batched_grad: bool = False,
    check_fwd_over_rev: bool = False,
    check_rev_over_rev: bool = True,
    fast_mode: bool = False,
    masked: bool = False,
    explain: bool = False,
) -> bool | Report:
    """Compare the gradients of the gradients with central differences: :func:`gradcheck` of the backward pass.

    The checked function takes ``inputs`` and ``grad_outputs``, and returns the gradients of the inputs that require grad.

    Parameters
    ----------
    func, inputs, eps, atol, rtol, raise_exception, nondet_tol, check_undefined_grad, check_grad_dtypes, check_batched_grad, fast_mode, masked
        As in :func:`gradcheck`.
    grad_outputs
        How much each element of the outputs counts; numbers between -1 and 1, always the same ones, if left out.
    gen_non_contig_grad_outputs
        Lay the numbers that are made for ``grad_outputs`` out with gaps.
    check_fwd_over_rev, check_rev_over_rev
        Forward mode is not here, so these keep their defaults.
    explain
        As in :func:`gradcheck`. A gradient that no longer depends on the inputs in the graph, though it does in its values, is
        then a finding too; torch passes over it.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> x = torch.tensor([0.5, 2.0], dtype=torch.float64, requires_grad=True)
    >>> torch.autograd.gradgradcheck(lambda x: x.sin() * x.prod(), (x,))
    True
    """
    _refuse_modes_of_order_2(check_fwd_over_rev, check_rev_over_rev, check_undefined_grad, check_batched_grad)
    wanted = Wanted(
        "gradgradcheck",
        check_undefined_grad,
        check_grad_dtypes,
        check_batched_grad,
        fast_mode,
        bool(masked),
        explain,
        order=2,
    )
    seeds = None if grad_outputs is None else several(grad_outputs)
    backward = Backward(func, several(inputs), seeds, gaps=gen_non_contig_grad_outputs, check="gradgradcheck")
    tolerance = Tolerance(eps, atol, rtol, nondet_tol)
    wanted = replace(wanted, input_names=backward.names)
    return _answer(lambda: _check(backward, backward.arguments, tolerance, wanted), raise_exception, explain)


LARGE = 256  # elements of all inputs, or of all outputs, above which check_grads follows a direction


def check_grads(
    fn: Func,
    args: object,
    order: int = 2,
    *,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    directional: bool | None = None,
    names: Sequence[str] = (),
) -> Report:
    """Check the gradients of ``fn`` up to ``order`` in one line, with arguments as they come to hand.

    Numbers, arrays and tensors of floating point are differentiated, as float64 copies; anything else is handed through.

    Parameters
    ----------
    fn
        Takes ``args``, returns a tensor or a tuple of tensors.
    args
        One argument, or a tuple or list of them.
    order
        1 checks gradients, 2 also gradients of gradients, and so on.
    eps, atol, rtol
        As in :func:`gradcheck`.
    directional
        Follow one random direction instead of every element; by default if more than 256 elements go in or come out.
    names
        What the report calls the arguments; "input 0" and so on if left out.

    Returns
    -------
    Report
        On the highest order; it is true, names the kinks that were accepted, and prints itself.

    Raises
    ------
    GradcheckError
        With the report on the first order that fails, as text and as ``.report``.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> from tinygrad_edu.testing import check_grads
    >>> bool(check_grads(lambda x, y: (x * y).sin(), (0.5, [[1.0, 2.0]])))
    True
    >>> check_grads(torch.relu, 0.0, order=1).verdict
    <Verdict.KINK: 'not differentiable here'>
    """
    if order < 1:
        raise ValueError(f"check_grads: order must be 1 or more, but got {order}")
    function, arguments = fn, _leaves(args)
    if names and len(names) != len(arguments):
        raise ValueError(f"check_grads: got {len(names)} names for {len(arguments)} arguments")
    wanted = Wanted("check_grads", explain=True, input_names=tuple(names))
    tolerance, reports = Tolerance(eps, atol, rtol), []
    for level in range(1, order + 1):
        reports.append(_check(function, arguments, tolerance, replace(wanted, order=level), directional))
        if level < order:
            backward = Backward(function, arguments, None, check="check_grads", names=wanted.input_names)
            function, arguments = backward, backward.arguments
            wanted = replace(wanted, input_names=backward.names)
    return _joined(reports)


def _joined(reports: list[Report]) -> Report:
    """The reports on every order as one; none fails."""
    last = reports[-1]
    return replace(
        last,
        findings=tuple([finding for report in reports for finding in report.findings]),
        worst_error=max([report.worst_error for report in reports]),
        checked=sum([report.checked for report in reports]),
        worst=max(reports, key=lambda report: report.worst_error).worst,
        notes=reports[0].notes,
    )


def _leaves(args: object) -> tuple[Any, ...]:
    """The arguments as float64 leaves, as far as they are of floating point."""
    leaves = tuple([_leaf(x) for x in several(args)])
    if not any([isinstance(x, Tensor) and x.requires_grad for x in leaves]):
        kinds = ", ".join([type(x).__name__ for x in several(args)])
        raise ValueError(
            f"check_grads: no argument is of floating point, so there is nothing to differentiate (got {kinds}). Write 3.0 for 3."
        )
    return leaves


def _leaf(x: Any) -> Any:
    if isinstance(x, Tensor):
        return x.detach().to(float64).clone().requires_grad_() if x.is_floating_point() else x
    if isinstance(x, float | np.floating) or (isinstance(x, np.ndarray) and x.dtype.kind == "f") or _nested_floats(x):
        return tensor(x, dtype=float64).requires_grad_()
    return tensor(x) if isinstance(x, np.ndarray) else x


def _nested_floats(x: object) -> bool:
    return isinstance(x, list) and bool(x) and all([isinstance(e, float) or _nested_floats(e) for e in x])


class Backward:
    """The backward pass of a function as a function: (inputs, grad_outputs) -> gradients of the inputs that require grad."""

    def __init__(
        self,
        func: Func,
        inputs: tuple[Any, ...],
        seeds: tuple[Any, ...] | None,
        *,
        gaps: bool = False,
        check: str,
        names: Sequence[str] = (),
    ) -> None:
        self._func, self._count, self._check = func, len(inputs), check
        self._places = [i for i, x in enumerate(inputs) if isinstance(x, Tensor) and x.requires_grad]
        if seeds is None:
            with telling(f"{check}: func itself raised this, called with the inputs as they are."):
                seeds = _made_up(_differentiable(as_outputs(func(*inputs), check)), gaps)
        self.arguments = (*inputs, *seeds)
        known = list(names) or [f"input {i}" for i in range(len(inputs))]
        self.names = (*known, *[f"grad_output {k}" for k in range(len(seeds))])
        self.output_names: list[str] = []

    def __call__(self, *both: Any) -> tuple[Tensor, ...]:
        """The gradients that arrive, recorded."""
        inputs, seeds = both[: self._count], both[self._count :]
        with telling(f"{self._check}: func itself raised this, called to differentiate it twice."):
            outs = _differentiable(as_outputs(self._func(*inputs), self._check))
        wanted = [inputs[i] for i in self._places]
        if not wanted:
            return ()
        with telling(
            f"{self._check}: backward raised this, recorded so that it can be differentiated (create_graph=True)."
        ):
            found: Any = grad(outs, wanted, seeds, create_graph=True, allow_unused=True)
        self.output_names = [
            f"gradient of {self.names[i]}" for i, g in zip(self._places, found, strict=True) if g is not None
        ]
        return tuple([g for g in found if g is not None])


def _answer(check: Callable[[], Report], raise_exception: bool, explain: bool) -> bool | Report:
    """True or the report; or else the error, False, or the report in it."""
    try:
        report = check()
    except GradcheckError as error:
        if raise_exception:
            raise
        return error.report if explain and error.report is not None else False
    return report if explain else True


def _check(
    func: Func, inputs: tuple[Any, ...], tolerance: Tolerance, wanted: Wanted, directional: bool | None = False
) -> Report:
    """Run all checks of one order."""
    _refuse_inputs(inputs)
    program = Program(func, inputs, wanted.check, every_output=wanted.explain and wanted.order > 1)
    if not program.picked:
        return _nothing_to_compare(program, tolerance, wanted)
    if directional is None:
        directional = max(_elements(program.targets), _elements(program.compared)) > LARGE
    compare = follow if directional else compare_directions if wanted.fast else compare_elements
    report = compare(program, tolerance, wanted)
    outputs = [out for out in program.compared if out.requires_grad]
    if wanted.batched:
        for number, out in enumerate(outputs):
            _refuse_unbatched(number, out, program.targets)
    if outputs:
        _refuse_constant_backward(outputs, program.targets, wanted)
    if outputs and wanted.undefined:
        refuse_undefined(outputs, program.targets, wanted.check, wanted.explain)
    return replace(report, notes=_not_compared(program))


def _elements(tensors: Sequence[Tensor]) -> int:
    return sum([x.numel() for x in tensors])


def _not_compared(program: Program) -> tuple[str, ...]:
    return tuple(
        [
            f"Output {i} was not compared: it does not require grad. {_errors.cut_off(out)}"
            for i, out in enumerate(program.outputs)
            if i not in program.picked
        ]
    )


def _differentiable(outputs: Sequence[Tensor]) -> list[Tensor]:
    return [out for out in outputs if out.requires_grad]


def _made_up(outputs: Sequence[Tensor], gaps: bool) -> tuple[Tensor, ...]:
    """Numbers between -1 and 1 in the shapes of ``outputs``; the user's random stream is not touched."""
    draw = np.random.default_rng(0)
    made = []
    for out in outputs:
        array = draw.uniform(-1, 1, (*out.shape, 2))[..., 0].astype(out._array.dtype, copy=False)
        made.append(Tensor._of(array if gaps else array.copy()).requires_grad_())
    return tuple(made)


def _refuse_modes(check: str, forward: bool, backward: bool, batched: bool, batched_forward: bool) -> None:
    """Torch's refusals of settings that contradict each other, and ours of forward mode."""
    if not (forward or backward):
        raise AssertionError("Expected at least one of check_forward_ad or check_backward_ad to be True")
    if batched and not backward:
        raise AssertionError("Setting check_batched_grad=True requires check_backward_ad to be True")
    if batched_forward and not forward:
        raise AssertionError("Setting check_batched_forward_grad=True requires check_forward_ad to be True")
    if forward:
        raise NotImplementedError(f"{check}(check_forward_ad=True): {NO_FORWARD_MODE}")


def _refuse_modes_of_order_2(forward: bool, reverse: bool, undefined: bool, batched: bool) -> None:
    if not (forward or reverse):
        raise AssertionError("Expected at least one of check_fwd_over_rev or check_rev_over_rev to be True")
    if undefined and not reverse:
        raise AssertionError("Setting check_undefined_grad=True requires check_rev_over_rev to be True")
    if batched and not reverse:
        raise AssertionError("Setting check_batched_grad=True requires check_rev_over_rev to be True")
    if forward:
        raise NotImplementedError(f"gradgradcheck(check_fwd_over_rev=True): {NO_FORWARD_MODE}")


NO_FORWARD_MODE = (
    "there is no forward mode here. func.jvp and jacfwd are made of two backward passes, so comparing them with backward would confirm "
    "nothing. Leave it False: backward is compared with central differences, which know nothing of any formula."
)


def _refuse_inputs(inputs: tuple[object, ...]) -> None:
    """Inputs that cannot be moved element by element, or have too few digits for it."""
    found = [(place, x) for place, x in enumerate(inputs) if isinstance(x, Tensor) and x.requires_grad]
    for place, x in found:
        if x.dtype != float64:
            _warn(
                f"Input #{place} requires gradient and is not a double precision floating point or complex. This check will likely fail "
                f"if all the inputs are not of double precision floating point or complex. It is {x.dtype}: use x.double()."
            )
        if any([step == 0 and size > 1 for step, size in zip(x.stride(), x.shape, strict=True)]):
            raise RuntimeError(
                f"The {place}th input has a dimension with stride 0. gradcheck only supports inputs that are non-overlapping to be able "
                "to compute the numerical gradients correctly. You should call .contiguous on the input before passing it to gradcheck."
            )
    if not found:
        raise ValueError(
            "gradcheck expects at least one input tensor to require gradient, but none of them have requires_grad=True."
        )


def _nothing_to_compare(program: Program, tolerance: Tolerance, wanted: Wanted) -> Report:
    """Where no output requires grad, none may change with an input."""
    for place, of_outputs in zip(program.places, first_differences(program, tolerance, wanted), strict=True):
        for number, (out, jacobian) in enumerate(zip(program.outputs, of_outputs, strict=True)):
            if jacobian.any():
                raise uncheckable(
                    f"Numerical gradient for function expected to be zero, because no output requires grad; but output {number} "
                    f"({out.dtype}) changes with input {place}: {_errors.cut_off(out)}"
                )
    returned = ", ".join(f"{out.dtype} of shape {list(out.shape)}" for out in program.outputs) or "no tensor"
    sentence = (
        f"{wanted.check}: func has no output that requires grad, and none changes with the inputs: there was nothing to compare. "
        f"It returned {returned}."
    )
    if wanted.explain and wanted.order == 1:
        raise uncheckable(f"{sentence} Return a result of floating point that is computed from the inputs.")
    if not wanted.explain:
        _warn(sentence)
    return Report(order=wanted.order)


def _warn(text: str) -> None:
    """Warn at the line outside this folder that called."""
    here, frame, level = str(Path(__file__).parent), sys._getframe(1), 2
    while frame.f_back is not None and frame.f_code.co_filename.startswith(here):
        frame, level = frame.f_back, level + 1
    warnings.warn(text, stacklevel=level)


def _refuse_constant_backward(outputs: Sequence[Tensor], targets: Sequence[Tensor], wanted: Wanted) -> None:
    """A backward that is handed zeros must give zeros; with ``explain`` nan may stay where func is nan."""
    zeros = [Tensor._of(np.zeros(out._array.shape, out._array.dtype)) for out in outputs]
    found: Any = grad(outputs, targets, zeros, retain_graph=True, allow_unused=True)
    slack = 1e-8 if wanted.masked else 0.0
    if any([g is not None and counts(g._array, slack, wanted.explain) for g in found]):
        raise uncheckable(
            "backward not multiplied by grad_output: handed zeros, it gives something else. Each gradient that backward returns must be "
            f"a product with the gradient it was handed.{of_order(wanted)}"
        )


def _refuse_unbatched(number: int, output: Tensor, targets: Sequence[Tensor]) -> None:
    """Two backward passes at once, under vmap, must give what two in turn give."""
    from ..func._vmap import vmap

    def pulled(v: Tensor) -> tuple[Tensor, ...]:
        found: Any = grad(output, targets, v, retain_graph=True, allow_unused=True)
        return tuple([x.detach() * 0 if g is None else g for g, x in zip(found, targets, strict=True)])

    draw = np.random.default_rng(0).standard_normal((2, *output.shape)).astype(output._array.dtype)
    expected = [
        np.stack([g._array for g in gs]) for gs in zip(*[pulled(Tensor._of(v.copy())) for v in draw], strict=True)
    ]
    try:
        result = vmap(pulled)(Tensor._of(draw))
    except (RuntimeError, NotImplementedError) as error:
        raise uncheckable(
            f"While computing batched gradients, got: {error}\n\ngradcheck or gradgradcheck failed while testing batched gradient "
            "computation: backward cannot run under vmap. Leave check_batched_grad=False, or write backward with tensor operations alone."
        ) from error
    for place, (g, e) in enumerate(zip(result, expected, strict=True)):
        if not np.allclose(g._array, e, rtol=1e-5, atol=1e-8):
            raise uncheckable(
                f"For output {number} and input {place}:\n\ngradcheck or gradgradcheck failed while testing batched gradient computation: "
                f"two gradients at once under vmap differ from one after the other.\n\nGot:\n{g}\n\nExpected:\n{Tensor._of(e)}"
            )
