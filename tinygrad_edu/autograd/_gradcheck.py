"""gradcheck and gradgradcheck: backward against central differences, element by element, with a report that can be acted on.

The Jacobian is computed twice. Numerically: each element of each input is moved by ``eps`` up and down, in place, so that a
function which reads the tensor by another way (a module its own weight) sees the move as well. Analytically: one backward
pass for each element of each output. Both are matrices of (elements of the input) x (elements of the output), as in torch.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from .. import _errors
from .._differentiate import grad
from .._dtype import float64
from .._tensor import Tensor

Matrix = np.ndarray[Any, np.dtype[np.float64]]
Func = Callable[..., Tensor | Sequence[Tensor]]


class GradcheckError(RuntimeError):
    """The analytical gradient and the numerical one disagree, or the gradient cannot be checked."""


def gradcheck(
    func: Func,
    inputs: Tensor | Sequence[object],
    *,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    raise_exception: bool = True,
    nondet_tol: float = 0.0,
) -> bool:
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
        Raise what was found, instead of returning False.
    nondet_tol
        How far two passes over the same numbers may differ.

    Raises
    ------
    GradcheckError
        At the first Jacobian that differs. The message names the worst element, gives both values, and says if the function
        is not differentiable there, if it is random, or if a sign, a factor or a transposition explains the difference.
    ValueError
        If no input requires grad.
    TypeError
        If ``func`` returns something that is no tensor.

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
    >>> torch.autograd.gradcheck(Square.apply, torch.tensor([3.0], dtype=torch.float64, requires_grad=True))
    Traceback (most recent call last):
        ...
    tinygrad_edu.autograd._gradcheck.GradcheckError: Jacobian mismatch for output 0 with respect to input 0,
    numerical:tensor([[6.0000]], dtype=torch.float64)
    analytical:tensor([[3.]], dtype=torch.float64)
    1 of 1 elements differ by more than atol=1e-05 + rtol=0.001 * |numerical|. The worst is the derivative of output 0[0] by
    input 0[0]: analytical 3, numerical 6.
    The analytical gradient is 0.5 times the numerical one everywhere: a constant factor is wrong.
    """
    try:
        _check(func, _several(inputs), _Tolerance(eps, atol, rtol, nondet_tol), "")
    except GradcheckError:
        if raise_exception:
            raise
        return False
    return True


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
) -> bool:
    """Compare the gradients of the gradients with central differences: :func:`gradcheck` of the backward pass.

    The checked function takes ``inputs`` and ``grad_outputs``, and returns the gradients of the inputs that require grad.

    Parameters
    ----------
    func, inputs, eps, atol, rtol, raise_exception, nondet_tol
        As in :func:`gradcheck`.
    grad_outputs
        How much each element of the outputs counts; numbers between -1 and 1, always the same ones, if left out.
    gen_non_contig_grad_outputs
        Lay the numbers that are made for ``grad_outputs`` out with gaps.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> x = torch.tensor([0.5, 2.0], dtype=torch.float64, requires_grad=True)
    >>> torch.autograd.gradgradcheck(lambda x: x.sin() * x.prod(), (x,))
    True
    """
    arguments = _several(inputs)
    if grad_outputs is None:
        seeds = _made_up(_differentiable(_outputs(func(*arguments))), gen_non_contig_grad_outputs)
    else:
        seeds = _several(grad_outputs)
    count = len(arguments)
    wanted = [x for x in arguments if isinstance(x, Tensor) and x.requires_grad]

    def gradients(*both: Any) -> tuple[Tensor, ...]:
        outs = _differentiable(_outputs(func(*both[:count])))
        found = grad(outs, wanted, both[count:], create_graph=True, allow_unused=True) if wanted else ()
        return tuple([g for g in found if g is not None])

    note = (
        f"\nThis is the second derivative: an output here is the gradient of an input, inputs from {count} on are the grad_outputs. "
        "If gradcheck passes, look at how backward itself is differentiated (a value taken out of the graph, a saved constant)."
    )
    try:
        _check(gradients, (*arguments, *seeds), _Tolerance(eps, atol, rtol, nondet_tol), note)
    except GradcheckError:
        if raise_exception:
            raise
        return False
    return True


class _Tolerance:
    """How far elements are moved, and how far results may differ."""

    def __init__(self, eps: float, atol: float, rtol: float, nondet_tol: float) -> None:
        self.eps, self.atol, self.rtol, self.nondet = eps, atol, rtol, nondet_tol

    def excess(self, analytical: Matrix, numerical: Matrix) -> Matrix:
        """How far each element is beyond what is accepted; nan counts as infinitely far."""
        beyond = np.abs(analytical - numerical) - (self.atol + self.rtol * np.abs(numerical))
        beyond[analytical == numerical] = -1.0  # equal infinities
        return np.where(np.isnan(beyond), np.inf, beyond)


def _check(func: Func, inputs: tuple[Any, ...], tolerance: _Tolerance, note: str) -> None:
    """Compare all Jacobians of ``func``; ``note`` ends the report."""
    places = _checked_places(inputs)
    targets = [inputs[i] for i in places]
    everything = _outputs(func(*inputs))
    picked = [i for i, out in enumerate(everything) if out.requires_grad]
    outputs = [everything[i] for i in picked]

    def values() -> list[Matrix]:
        found = _outputs(func(*inputs))
        return [np.array(out._array, np.float64) for out in (found[i] for i in picked or range(len(found)))]

    numerical = [_numerical(values, x, tolerance.eps) for x in targets]
    if not outputs:
        _refuse_change(everything, numerical, places)
        return
    for i, out in enumerate(outputs):
        analytical, again = _analytical(out, targets), _analytical(out, targets)
        drift = max([float(np.abs(a - b).max(initial=0.0)) for a, b in zip(analytical, again, strict=True)])
        if drift > tolerance.nondet:
            raise GradcheckError(
                "Backward is not reentrant, i.e., running backward with same input and grad_output multiple times gives different "
                f"values: two passes differ by up to {drift:.6g}, and nondet_tol={tolerance.nondet} is accepted. backward must not "
                f"draw random numbers; save in forward what it drew.{note}"
            )
        for j, a in enumerate(analytical):
            n = numerical[j][i]
            if (tolerance.excess(a, n) > 0).any():
                report = _Mismatch(values, i, targets[j], a, n, tolerance)
                raise GradcheckError(
                    f"Jacobian mismatch for output {i} with respect to input {j},\n{report.text(i, places[j])}{note}"
                )
    _refuse_constant_backward(outputs, targets, note)


def _several(values: Any) -> tuple[Any, ...]:
    return tuple(values) if isinstance(values, tuple | list) else (values,)


def _outputs(found: object) -> tuple[Tensor, ...]:
    """What a checked function returned, as a tuple of tensors."""
    outs = _several(found)
    for number, out in enumerate(outs):
        if not isinstance(out, Tensor):
            what = f"a {type(out).__name__}" + (f" as output {number}" if isinstance(found, tuple | list) else "")
            raise TypeError(
                f"gradcheck: func must return a Tensor or a tuple of Tensors, but returned {what}. A number (item(), float()) or an array "
                "has left the graph: return the tensor itself. None comes from a function without return."
            )
    return outs


def _differentiable(outputs: Sequence[Tensor]) -> list[Tensor]:
    return [out for out in outputs if out.requires_grad]


def _checked_places(inputs: tuple[object, ...]) -> list[int]:
    """Where the tensors that require grad stand among the inputs."""
    places = []
    for place, x in enumerate(inputs):
        if not isinstance(x, Tensor) or not x.requires_grad:
            continue
        places.append(place)
        if x.dtype != float64:
            warnings.warn(
                f"Input #{place} requires gradient and is not a double precision floating point or complex. This check will likely fail "
                f"if all the inputs are not of double precision floating point or complex. It is {x.dtype}: use x.double().",
                stacklevel=4,  # the caller of gradcheck
            )
        if any([step == 0 and size > 1 for step, size in zip(x.stride(), x.shape, strict=True)]):
            raise RuntimeError(
                f"The {place}th input has a dimension with stride 0. gradcheck only supports inputs that are non-overlapping to be able "
                "to compute the numerical gradients correctly. You should call .contiguous on the input before passing it to gradcheck."
            )
    if not places:
        raise ValueError(
            "gradcheck expects at least one input tensor to require gradient, but none of them have requires_grad=True."
        )
    return places


def _made_up(outputs: Sequence[Tensor], gaps: bool) -> tuple[Tensor, ...]:
    """Numbers between -1 and 1 in the shapes of ``outputs``; the user's random stream is not touched."""
    draw = np.random.default_rng(0)
    made = []
    for out in outputs:
        array = draw.uniform(-1, 1, (*out.shape, 2))[..., 0].astype(out._array.dtype, copy=False)
        made.append(Tensor._of(array if gaps else array.copy()).requires_grad_())
    return tuple(made)


@contextmanager
def _moved(x: Tensor, place: tuple[int, ...], step: float) -> Iterator[None]:
    """One element of ``x`` lies ``step`` higher inside the block. Put back exactly, so no version is counted."""
    array = x._writable()
    before = array[place].copy()
    array[place] = before + step
    try:
        yield
    finally:
        array[place] = before


def _numerical(values: Callable[[], list[Matrix]], x: Tensor, eps: float) -> list[Matrix]:
    """For each output its Jacobian by central differences, (elements of x, elements of the output)."""
    rows: list[list[Matrix]] = []
    for place in np.ndindex(x._array.shape):
        with _moved(x, place, eps):
            above = values()
        with _moved(x, place, -eps):
            below = values()
        if [a.shape for a in above] != [b.shape for b in below]:
            raise AssertionError(
                f"Expected `func` to return outputs with the same shape when inputs are perturbed on index {place} by {eps}, but got: "
                f"shapes {[list(a.shape) for a in above]} and {[list(b.shape) for b in below]}."
            )
        rows.append([((a - b) / (2 * eps)).reshape(-1) for a, b in zip(above, below, strict=True)])
    if not rows:
        return [np.zeros((0, value.size)) for value in values()]
    return [np.stack(of_output) for of_output in zip(*rows, strict=True)]


def _analytical(output: Tensor, targets: Sequence[Tensor]) -> list[Matrix]:
    """For each target the Jacobian that backward gives, (elements of the target, elements of the output)."""
    jacobians = [np.zeros((x.numel(), output.numel())) for x in targets]
    for k in range(output.numel()):
        seed = np.zeros(output._array.shape, output._array.dtype)
        seed.reshape(-1)[k] = 1
        found: Any = grad(output, targets, Tensor._of(seed), retain_graph=True, allow_unused=True)
        for jacobian, g in zip(jacobians, found, strict=True):
            if g is not None:
                jacobian[:, k] = g._array.reshape(-1)
    return jacobians


def _refuse_change(outputs: Sequence[Tensor], numerical: list[list[Matrix]], places: list[int]) -> None:
    """Where no output requires grad, none may change with an input."""
    for place, of_outputs in zip(places, numerical, strict=True):
        for number, (out, jacobian) in enumerate(zip(outputs, of_outputs, strict=True)):
            if jacobian.any():
                raise GradcheckError(
                    f"Numerical gradient for function expected to be zero, because no output requires grad; but output {number} "
                    f"({out.dtype}) changes with input {place}: {_errors.cut_off(out)}"
                )
    warnings.warn(
        "gradcheck: func has no output that requires grad, and none changes with the inputs: there was nothing to compare. "
        f"It returned {', '.join(f'{out.dtype} of shape {list(out.shape)}' for out in outputs) or 'no tensor'}.",
        stacklevel=4,  # the caller of gradcheck
    )


def _refuse_constant_backward(outputs: Sequence[Tensor], targets: Sequence[Tensor], note: str) -> None:
    """A backward that is handed zeros must give zeros."""
    zeros = [Tensor._of(np.zeros(out._array.shape, out._array.dtype)) for out in outputs]
    found: Any = grad(outputs, targets, zeros, allow_unused=True)
    if any([g is not None and g._array.any() for g in found]):
        raise GradcheckError(
            "backward not multiplied by grad_output: handed zeros, it gives something else. Each gradient that backward returns must be "
            f"a product with the gradient it was handed.{note}"
        )


class _Mismatch:
    """One Jacobian that differs: finds the worst element, and looks for the cause."""

    def __init__(
        self,
        values: Callable[[], list[Matrix]],
        output: int,
        x: Tensor,
        analytical: Matrix,
        numerical: Matrix,
        tolerance: _Tolerance,
    ) -> None:
        self._all_values, self._output = values, output
        self._x, self._analytical, self._numerical, self._tolerance = x, analytical, numerical, tolerance
        self._excess = tolerance.excess(analytical, numerical)
        self._row, self._column = map(int, np.unravel_index(np.argmax(self._excess), self._excess.shape))
        self._place = tuple(map(int, np.unravel_index(self._row, x._array.shape))) if x._array.shape else ()

    def text(self, output: int, place: int) -> str:
        """Both Jacobians, the worst element, the cause if one is seen."""
        a, n, limit = self._analytical, self._numerical, self._tolerance
        value = self._values()
        at = tuple(map(int, np.unravel_index(self._column, value.shape))) if value.shape else ()
        return (
            f"numerical:{Tensor._of(n)}\nanalytical:{Tensor._of(a)}\n"
            f"{int((self._excess > 0).sum())} of {a.size} elements differ by more than atol={limit.atol} + rtol={limit.rtol} * |numerical|. "
            f"The worst is the derivative of output {output}{list(at) or ''} by\ninput {place}{list(self._place) or ''}: "
            f"analytical {a[self._row, self._column]:.6g}, numerical {n[self._row, self._column]:.6g}."
            f"{''.join(chr(10) + cause for cause in self._causes())}"
        )

    def _values(self) -> Matrix:
        return self._all_values()[self._output]

    def _causes(self) -> list[str]:
        """What would explain the difference, the surest first."""
        drift = float(np.abs(self._values() - self._values()).max(initial=0.0))
        if drift > self._tolerance.nondet:
            return [
                f"func is not deterministic: two calls with the same inputs differ by up to {drift:.6g}. Fix the seed inside func, or put "
                "the layers that draw (dropout) into eval()."
            ]
        causes = [cause for cause in (self._kink(), self._pattern()) if cause]
        if self._x.dtype != float64:
            causes.append(
                f"The input is {self._x.dtype}, which has too few digits for eps={self._tolerance.eps}: use x.double()."
            )
        return causes

    def _kink(self) -> str:
        """Say that the function has a kink or a jump at the worst element, if the two sides go on differing close by."""
        eps = self._tolerance.eps
        near, far = self._sides(eps), self._sides(8 * eps)
        gap, wide = abs(near[1] - near[0]), abs(far[1] - far[0])
        accepted = self._tolerance.atol + self._tolerance.rtol * max(map(abs, near))
        if not gap > accepted or wide > 2 * gap:  # a smooth function's gap grows with the step, about 8 times
            return ""
        return (
            f"func is not differentiable here, at {float(self._x._array[self._place]):.6g}: the slope is {near[0]:.6g} on the left and "
            f"{near[1]:.6g} on the right. Test away from such points (relu at 0, max of equal values)."
        )

    def _sides(self, step: float) -> tuple[float, float]:
        """The slopes at the worst element to the left and to the right."""
        heights = []
        for move in (-step, 0.0, step):
            with _moved(self._x, self._place, move):
                heights.append(float(self._values().reshape(-1)[self._column]))
        left, here, right = heights
        return (here - left) / step, (right - here) / step

    def _pattern(self) -> str:
        """Say if one of the usual mistakes turns the numerical Jacobian into the analytical one."""
        a, n = self._analytical, self._numerical
        if not (np.isfinite(a).all() and np.isfinite(n).all()):
            return ""
        if not a.any():
            return "The analytical gradient is zero everywhere: backward returns zeros or None here, or the graph is cut on the way."
        factor = float((a * n).sum() / (n * n).sum()) if n.any() else 0.0
        if factor and (self._tolerance.excess(a, factor * n) <= 0).all():
            if abs(factor + 1) < 1e-3:
                return "The analytical gradient is the numerical one with its sign reversed everywhere."
            return f"The analytical gradient is {factor:.4g} times the numerical one everywhere: a constant factor is wrong."
        shape = self._x._array.shape
        if len(shape) == 2 and shape[0] == shape[1]:
            turned = a.reshape(*shape, -1).swapaxes(0, 1).reshape(a.shape)
            if (self._tolerance.excess(turned, n) <= 0).all():
                return "The analytical gradient is transposed: x.T belongs where x stands, or the other way round."
        return ""
