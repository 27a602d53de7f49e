"""A function under examination: called again and again with its inputs moved, and differentiated by backward.

Whatever the function does that cannot be checked (a result that is no tensor, an input changed in place, an exception) is
said in a sentence here, so that no reader meets the inside of the checker.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from .._differentiate import grad
from .._tensor import Tensor
from ._report import Finding, Matrix, Report, Tolerance, Verdict

Func = Callable[..., Tensor | Sequence[Tensor]]
CHECKS = ("gradcheck:", "gradgradcheck:", "check_grads:")


class GradcheckError(RuntimeError):
    """The analytical gradient and the numerical one disagree, or the gradient cannot be checked.

    Attributes
    ----------
    report
        What was found, as a :class:`Report`; None where nothing was compared yet.
    """

    def __init__(self, message: str = "", report: Report | None = None) -> None:
        super().__init__(message)
        self.report = report


def uncheckable(sentence: str) -> GradcheckError:
    """The error, with its report, where there is nothing that could be compared."""
    return GradcheckError(sentence, Report((Finding(0, 0, Verdict.UNCHECKABLE, sentence),)))


class Program:
    """A function with its inputs.

    Attributes
    ----------
    places, targets
        The inputs that require grad: where they stand, and the tensors.
    outputs
        What the function returned for the inputs as they are.
    picked
        Which outputs are compared: those that require grad; with ``every_output``, all of floating point.
    """

    def __init__(
        self, func: Func, inputs: tuple[Any, ...], check: str = "gradcheck", every_output: bool = False
    ) -> None:
        self.func, self.inputs, self.check = func, inputs, check
        self.places = [i for i, x in enumerate(inputs) if isinstance(x, Tensor) and x.requires_grad]
        self.targets: list[Tensor] = [inputs[i] for i in self.places]
        before = [x._array.copy() for x in self.targets]
        self.outputs = self.call("with the inputs as they are")
        self._refuse_writes(before)
        self.picked = [
            i for i, out in enumerate(self.outputs) if out.requires_grad or (every_output and out.is_floating_point())
        ]
        called = getattr(func, "output_names", None) or [f"output {i}" for i in range(len(self.outputs))]
        self.output_names: list[str] = [called[i] for i in self.picked]

    @property
    def compared(self) -> list[Tensor]:
        """The outputs that are compared."""
        return [self.outputs[i] for i in self.picked]

    def call(self, how: str) -> tuple[Tensor, ...]:
        """The outputs; an exception of the function's own says how it was called."""
        with telling(f"{self.check}: func itself raised this, called {how}: ({', '.join(map(_shown, self.inputs))})."):
            found = self.func(*self.inputs)
        return as_outputs(found, self.check)

    def values(self, how: str = "with the inputs as they are") -> list[Matrix]:
        """The numbers in the outputs that are compared, or in all of them if none is."""
        found = self.call(how)
        return [np.array(found[i]._array, np.float64) for i in self.picked or range(len(found))]

    def moved(self, i: int, place: tuple[int, ...], step: float) -> list[Matrix]:
        """The outputs with one element of target i moved in place, and put back."""
        if not step:
            return self.values()
        with _moved(self.targets[i], place, step):
            return self.values(f"with input {self.places[i]}{list(place) or ''} moved by {step:g}")

    def shifted(self, i: int, offset: Matrix) -> list[Matrix]:
        """The outputs with the whole of target i moved in place, and put back."""
        with _moved(self.targets[i], ..., offset):
            return self.values(
                f"with input {self.places[i]} moved by {float(np.abs(offset).max(initial=0.0)):.1g} at most"
            )

    def analytical(self, output: Tensor) -> list[Matrix | None]:
        """For each target its Jacobian by backward, (elements of the target, elements of the output); None if no gradient arrives."""
        jacobians: list[Matrix | None] = [None] * len(self.targets)
        for k in range(output.numel()):
            seed = np.zeros(output._array.shape, output._array.dtype)
            seed.reshape(-1)[k] = 1
            for j, g in enumerate(self.gradients(output, seed)):
                if g is None:
                    continue
                jacobian = jacobians[j]
                if jacobian is None:
                    jacobian = jacobians[j] = np.zeros((self.targets[j].numel(), output.numel()))
                jacobian[:, k] = g._array.reshape(-1)
        return jacobians

    def gradients(self, output: Tensor, seed: Matrix) -> tuple[Tensor | None, ...]:
        """One backward pass; None for every input where the output does not require grad."""
        if not output.requires_grad:
            return (None,) * len(self.targets)
        with telling(
            f"{self.check}: backward raised this, for an output of shape {list(output.shape)}; func itself ran."
        ):
            found: Any = grad(output, self.targets, Tensor._of(seed), retain_graph=True, allow_unused=True)
        return tuple(found)

    def drift(self, tolerance: Tolerance) -> str:
        """Say that the function is not deterministic, if it is not."""
        pairs = zip(self.values(), self.values(), strict=True)
        drift = max(
            [float(np.nan_to_num(np.abs(a - b)).max(initial=0.0)) if a.shape == b.shape else np.inf for a, b in pairs],
            default=0.0,
        )
        if drift <= tolerance.nondet:
            return ""
        return (
            f"func is not deterministic: two calls with the same inputs differ by up to {drift:.6g}. Fix the seed inside func, or put "
            "the layers that draw (dropout) into eval()."
        )

    def _refuse_writes(self, before: list[Matrix]) -> None:
        for place, x, old in zip(self.places, self.targets, before, strict=True):
            changed = ~((x._array == old) | (np.isnan(x._array) & np.isnan(old)))
            if not changed.any():
                continue
            at = tuple(map(int, np.argwhere(changed)[0]))
            new = float(x._array[at])
            x._writable()[...] = old
            raise uncheckable(
                f"func changes input {place} in place: one call turned {list(at) or 'it'} from {float(old[at]):.6g} into {new:.6g} (it was put "
                "back). Let func work on a copy, x = x.clone(), or use the operation without the underscore."
            )


def as_outputs(found: object, check: str) -> tuple[Tensor, ...]:
    """What a checked function returned, as a tuple of tensors."""
    outs = several(found)
    for number, out in enumerate(outs):
        if not isinstance(out, Tensor):
            what = f"a {type(out).__name__}" + (f" as output {number}" if isinstance(found, tuple | list) else "")
            raise TypeError(
                f"{check}: func must return a Tensor or a tuple of Tensors, but returned {what}. A number (item(), float()) or an array "
                "has left the graph: return the tensor itself. None comes from a function without return."
            )
    return outs


def several(values: Any) -> tuple[Any, ...]:
    """A tuple of one or several."""
    return tuple(values) if isinstance(values, tuple | list) else (values,)


@contextmanager
def telling(sentence: str) -> Iterator[None]:
    """Add a sentence to an exception that passes: the user's own, so its type and its place stay."""
    try:
        yield
    except Exception as error:
        if not any([note.startswith(CHECKS) for note in getattr(error, "__notes__", [])]):  # the innermost knows best
            error.add_note(sentence)
        raise


def _shown(x: object) -> str:
    return (
        f"{str(x.dtype).removeprefix('torch.')} tensor of shape {list(x.shape)}"
        if isinstance(x, Tensor)
        else repr(x)[:40]
    )


@contextmanager
def _moved(x: Tensor, place: Any, step: float | Matrix) -> Iterator[None]:
    """One element of ``x``, or all (``...``), lies ``step`` higher inside the block. Put back exactly, so no version is counted."""
    array = x._writable()
    before = array[place].copy()
    array[place] = before + step
    try:
        yield
    finally:
        array[place] = before
