"""One derivative of one row at one case, as one engine computes it, compared with finite differences and a reference."""

from __future__ import annotations

import functools
import importlib.util
import inspect
import math
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from .._core.engine import ShareShapeError
from ..autograd._verdict import Finding, Matrix, Moved, Report, Tolerance, Verdict, WrongShape, examine, numerical
from ._draw import LAYOUTS, arrays_in, in_place_of_arrays, is_float, through
from .adapter import Adapter, Function, NotOffered, Ours, TorchLike
from .table.row import Row

__all__ = ["Guard", "Refused", "check_case", "reference"]

EPS = 3e-6  # the step: its truncation (of its square) and its rounding (of its inverse) are both near 1e-11
LACKS = (
    "unsupported operand",
    "not subscriptable",
    "not support item assignment",
)  # Python, of an operator not written
CALL = "the call"  # what an engine is doing where it may lack something


def check_case(
    adapter: Adapter,
    row: Row,
    case: tuple[Any, ...],
    *,
    order: int = 1,
    layout: str = "contiguous",
    is_continuous: bool = True,
) -> Report:
    """Examine one derivative of a row at one case.

    At order 1 the values are compared with the reference, then all Jacobians of the results with finite differences. Order k
    examines all Jacobians of the derivative of order k - 1, contracted with random weights, by the inputs and by the weights.
    The reference is tinygrad_edu, which its tests prove equal to torch; for tinygrad_edu itself it is torch, where installed.

    ``layout`` is how the arrays lie in memory. Where the row is not continuous, finite differences mean nothing: there a gradient
    has to be finite where the reference's is.

    Raises
    ------
    NotOffered
        If the engine does not have what the row calls.
    """
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        return _Trial(adapter, row, case, order, layout, is_continuous).report()


class Refused(Exception):  # noqa: N818  # it says who refused, and is no error of ours
    """The engine raised; ``args`` is what it was doing, and the error."""


class _Problem:
    """A row at a case as a function of its differentiated arrays, run by one engine."""

    def __init__(self, adapter: Adapter, row: Row, case: tuple[Any, ...], layout: str) -> None:
        self.adapter, self.row, self.layout = adapter, row, LAYOUTS[layout]
        self.case = through(_as_float32, case) if adapter.precision == "float32" else case
        self.functions = adapter.functions()
        # The (output, input) that could not be computed because another input's share had a wrong shape.
        self.unknown: set[tuple[int, int]] = set()
        self.points = [x for i, x in enumerate(self.case) if i not in row.frozen for x in arrays_in(x)]

    def tensor(self, array: np.ndarray, wanted: bool = False) -> Any:
        """Make a tensor in the layout of this problem."""
        if array.dtype.kind != "f":
            return self.adapter.tensor(np.array(array, order="C"))
        exact = self.exact(array)
        return self.adapter.tensor(self.layout(exact) if exact.ndim else exact, wanted)

    def weight(self, array: np.ndarray) -> Any:
        """Make a tensor of weights, which wants a gradient too."""
        return self.adapter.tensor(self.exact(array), True)

    def exact(self, array: np.ndarray) -> np.ndarray:
        """Return the array in the precision of the engine."""
        return array.astype(np.float32) if self.adapter.precision == "float32" else array

    def results(self, tensors: Sequence[Any]) -> list[Any]:
        """Run the row on tensors in place of its differentiated arrays; return the tensors and numbers it gives."""
        arguments = in_place_of_arrays(self.case, self.row.frozen, tensors, self.tensor)
        with self.guarded(CALL):
            return list(_leaves(self.adapter, self.row.call(self.functions, *arguments)))

    def guarded(self, doing: str) -> Guard:
        """Turn an error of the engine into NotOffered or Refused."""
        return Guard(self.adapter, doing)

    def start(self) -> list[Any]:
        """Run the row on tensors that want gradients, if it has any."""
        return self.results([self.tensor(x, self.row.order > 0) for x in self.points])

    def function(self, order: int, wanted: Sequence[bool], counts: Sequence[int]) -> Function:
        """Return the derivative of order ``order - 1`` as a function of tensors: the inputs, then weights of each order.

        ``wanted`` says which results are differentiated, ``counts`` how many arguments each order has.
        """
        if order == 1:
            return lambda *tensors: [x for x, w in zip(self.results(tensors), wanted, strict=True) if w]
        inner, count = self.function(order - 1, wanted, counts), counts[order - 2]

        def derivative(*tensors: Any) -> list[Any]:
            with self.guarded("backward"):
                found = self.adapter.gradients(inner, tensors[:count], tensors[count:])
            pairs = zip(found, tensors, strict=False)
            return [self.adapter.tensor(np.zeros(self.array(x).shape)) if g is None else g for g, x in pairs]

        return derivative

    def array(self, x: Any) -> np.ndarray:
        """Read a tensor, or what an engine gives in its place."""
        return np.asarray(self.adapter.array(x) if self.adapter.is_tensor(x) else x)

    def values(self, function: Function, arrays: Sequence[np.ndarray], by: int, order: int) -> list[np.ndarray]:
        """Compute the results of ``function``, unrecorded at order 1, then derivatives by the first ``by`` arrays."""
        tensors = [self.adapter.tensor(self.exact(np.array(x)), order > 1 and i < by) for i, x in enumerate(arrays)]
        return [np.asarray(self.array(x), np.float64) for x in function(*tensors)]

    def jacobians(
        self, function: Function, arrays: Sequence[np.ndarray], shapes: Sequence[tuple[int, ...]]
    ) -> _Jacobians:
        """Compute the Jacobian of each result by each array: one backward for each element of each result."""
        rows: list[list[Matrix | WrongShape | None]] = []
        for o, shape in enumerate(shapes):
            columns: list[list[Any]] = []
            for place in np.ndindex(shape):
                seed = np.zeros(shape)
                seed[place] = 1
                tensors = [
                    self.tensor(x, True) if i < len(self.points) else self.weight(x) for i, x in enumerate(arrays)
                ]
                try:
                    with self.guarded("backward"):
                        found = self.adapter.gradients(
                            lambda *tensors, o=o: [function(*tensors)[o]],
                            tensors,
                            [self.adapter.tensor(self.exact(seed))],
                        )
                except Refused as refused:
                    at, share = _misshapen(refused, [x.shape for x in arrays])
                    self.unknown |= {(o, i) for i in range(len(arrays)) if i != at}
                    found = [share if i == at else None for i in range(len(arrays))]
                columns.append([None if g is None else self.array(g) for g in found])
            rows.append([_matrix([c[i] for c in columns], x.shape) for i, x in enumerate(arrays)])
        return rows


_Jacobians = list[list[Matrix | WrongShape | None]]


class Guard:
    """A context in which an engine runs: says what its errors mean."""

    def __init__(self, adapter: Adapter, doing: str) -> None:
        self.adapter, self.doing = adapter, doing

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if error is None or isinstance(error, NotOffered | Refused) or not isinstance(error, Exception):
            return
        if isinstance(error, NotImplementedError):
            raise NotOffered(str(error) or "not implemented") from error
        if isinstance(error, AttributeError) and self.adapter.is_tensor(error.obj):
            raise NotOffered(f"tensor.{error.name}") from error
        if self.doing == CALL:  # in backward the same errors are a formula's mistake
            if isinstance(error, AttributeError) and isinstance(error.obj, bool | int | float):
                raise NotOffered("numbers as operands") from error
            if isinstance(error, TypeError) and any(words in str(error) for words in LACKS):
                raise NotOffered(str(error)) from error
        raise Refused(self.doing, error) from error


class _Trial:
    """One examination of one engine."""

    arrays: list[np.ndarray]  # the inputs, then the weights of each lower order
    outs: list[tuple[int, ...]]  # the shapes of what is differentiated
    wanted: Sequence[bool]  # which results of the row carry gradients
    counts: list[int]  # how many of the arrays each order has
    tolerance: Tolerance

    def __init__(
        self, adapter: Adapter, row: Row, case: tuple[Any, ...], order: int, layout: str, is_continuous: bool
    ) -> None:
        if layout == "expanded":  # its values are others: the first row, repeated
            case = through(lambda a: np.array(LAYOUTS[layout](a)), case)
        self.adapter, self.row, self.order, self.is_continuous = adapter, row, order, is_continuous
        self.mine = _Problem(adapter, row, case, layout)
        judge = reference(adapter)
        self.theirs = None if judge is None else _Problem(judge, row, self.mine.case, "contiguous")
        # What is differenced: values of the reference, which are exact; gradients of the engine itself, since at a kink
        # two engines may have different ones.
        self.trusted = self.mine if order > 1 or isinstance(adapter, Ours) or self.theirs is None else self.theirs
        rtol, atol = (1e-5, 1e-6) if adapter.precision == "float64" else (2e-3, 4e-4)
        self.rtol, self.atol = max(rtol, 10 * (row.rtol or 0)), atol

    def report(self) -> Report:
        """Compare values, then derivatives."""
        expected, refusal = None, None
        if self.theirs is not None:
            try:
                expected = self.theirs.start()
            except Refused as error:
                refusal = error
        try:
            results = self.mine.start()
        except Refused as error:
            if refusal is not None or (self.theirs is not None and not _finite(map(self.theirs.array, expected or ()))):
                return self.refused()
            return self.failed(Verdict.RAISES, _raises(self.row, error))
        if refusal is not None:
            return self.passed()  # more than the reference does: there is nothing to compare it with
        if self.order == 1 and expected is not None and self.theirs is not None:
            found = self.compare(results, expected, self.theirs)
            if found is not None:
                return found
        judge, given = (self.mine, results) if expected is None or self.theirs is None else (self.theirs, expected)
        wanted = [judge.adapter.is_tensor(x) and judge.adapter.differentiable(x) for x in given]
        if self.row.order < self.order or not self.mine.points or not any(wanted):
            return self.passed()
        shapes = [self.mine.array(x).shape for x, w in zip(results, wanted, strict=True) if w]
        try:
            return self.differentiate(wanted, shapes)
        except Refused as error:
            if self.theirs is not None:
                matrices = (m for of_output in self.jacobians(self.theirs) for m in of_output)
                if not _finite(m for m in matrices if isinstance(m, np.ndarray)):
                    return self.refused()
            return self.failed(Verdict.RAISES, _raises(self.row, error))

    def refused(self) -> Report:
        """Return the report of an engine that raises where there is no finite answer."""
        sentence = "It refuses a point where there is no finite answer: accepted."
        return Report((Finding(0, 0, Verdict.KINK, sentence, cause=Verdict.KINK),), order=self.order)

    def passed(self) -> Report:
        """Return the report of what had no derivative to compare."""
        return Report(order=self.order)

    def failed(self, verdict: Verdict, sentence: str, output: int = 0, **more: Any) -> Report:
        """Return the report of a failure that is not a derivative's."""
        return Report((Finding(output, 0, verdict, sentence, cause=verdict, **more),), np.inf, 0, self.order)

    def compare(self, results: list[Any], expected: list[Any], theirs: _Problem) -> Report | None:
        """Compare values with the reference's; return None if they agree."""
        name, judge = self.row.name, theirs.adapter.name
        if len(results) != len(expected):
            return self.failed(
                Verdict.SHAPE,
                f"{name} returns {len(results)} results, {judge}'s {len(expected)}: return as many, in this order.",
            )
        for o, (mine, right) in enumerate(zip(results, expected, strict=True)):
            a, b = self.mine.array(mine), theirs.array(right)
            which = f"result {o} of {name}" if len(results) > 1 else name
            if a.shape != b.shape:
                return self.failed(
                    Verdict.SHAPE,
                    f"{which} has the shape {a.shape}, {judge}'s {b.shape}: see which axes forward keeps.",
                    output=o,
                )
            loose = max(self.row.rtol or 0, 0.0 if b.dtype.itemsize > 4 else 2e-5)
            close = (
                _close(a, b, max(self.rtol / 100, loose), max(self.atol / 1000, loose))
                if b.dtype.kind in "fc"
                else a == b
            )
            if not np.all(close):
                at = tuple(int(i) for i in np.argwhere(~close)[0])
                return self.failed(
                    Verdict.VALUE,
                    f"{which}{list(at) or ''} is {a[at]!s}, {judge}'s {b[at]!s}: forward itself is wrong, so its gradient is not judged.",
                    output=o, at=at, analytical=float(a[at]), numerical=float(b[at]), count=int((~close).sum()), size=close.size,
                )  # fmt: skip
        return None

    def differentiate(self, wanted: Sequence[bool], shapes: Sequence[tuple[int, ...]]) -> Report:
        """Compare the Jacobians of order ``order``."""
        rng = np.random.default_rng(7)
        points = self.mine.points
        self.arrays, self.counts, self.outs, self.wanted = list(points), [len(points)], list(shapes), wanted
        for _ in range(1, self.order):
            weights = [np.asarray(rng.uniform(0.5, 1.5, s) * rng.choice([-1.0, 1.0], s)) for s in self.outs]
            self.outs = [x.shape for x in self.arrays]
            self.arrays += weights
            self.counts.append(len(self.arrays))
        given = self.jacobians(self.mine)
        base = self.trusted.function(self.order, wanted, self.counts)
        by = self.counts[
            max(self.order - 2, 0)
        ]  # the function itself is a derivative by these, lower weights among them

        def moved(i: int, place: tuple[int, ...], step: float) -> list[np.ndarray]:
            shifted = list(self.arrays)
            if step:
                shifted[i] = np.array(self.arrays[i])
                shifted[i][place] += step
            try:
                return self.trusted.values(base, shifted, by, self.order)
            except Refused:  # beyond the end of the domain there is nothing
                return [np.full(s, np.nan) for s in self.outs]

        scale = max([1.0, *(float(np.max(np.abs(v[np.isfinite(v)]), initial=0)) for v in moved(0, (), 0.0))])
        self.tolerance = Tolerance(EPS, self.atol * scale, self.rtol)
        names, outputs = _labels(self.row, self.mine.case, self.counts)

        def look(given: _Jacobians, known: list[list[Matrix]], moved: Moved = moved) -> Report:
            report = examine(
                moved, self.arrays, given, self.tolerance, order=self.order, names=names,
                output_names=outputs[self.order - 1], differences=known,
            )  # fmt: skip
            return replace(
                report, findings=tuple(f for f in report.findings if (f.output, f.input) not in self.mine.unknown)
            )

        if not (self.row.finite and self.is_continuous):
            known = [[np.full((x.size, math.prod(s)), np.nan) for s in self.outs] for x in self.arrays]
            return self.second_opinion(look, given, known, self.passed()) if self.theirs is not None else self.passed()
        known = [numerical(moved, i, x.shape, EPS) for i, x in enumerate(self.arrays)]
        report = look(given, known)
        return report if report else self.second_opinion(look, given, known, report)

    def jacobians(self, problem: _Problem) -> _Jacobians:
        """Return the Jacobians that an engine computes."""
        return problem.jacobians(problem.function(self.order, self.wanted, self.counts), self.arrays, self.outs)

    def second_opinion(
        self, look: Callable[..., Report], given: _Jacobians, known: list[list[Matrix]], first: Report
    ) -> Report:
        """Judge by the reference's Jacobians where finite differences do not tell; if it has none, the first opinion stands.

        Where the reference, which is right wherever the function is smooth, differs from the differences, the point is a kink or
        singular (or the row is random or piecewise constant, and has no differences). There a finite gradient is accepted, and of
        such a row only the reference's.
        """
        try:
            theirs = self.jacobians(self.theirs) if self.theirs is not None else _trusting(given, known)
        except Refused:
            return first
        judged: _Jacobians = [list(of_output) for of_output in given]
        known = [list(of_input) for of_input in known]
        others = 0
        # An element by which the reference itself has no finite gradient: zeros of a seed times infinity are nan elsewhere too.
        hopeless = [_hopeless([of_output[i] for of_output in theirs], x.size) for i, x in enumerate(self.arrays)]
        for o, of_output in enumerate(theirs):
            for i, right in enumerate(of_output):
                n, mine = known[i][o], judged[o][i]
                if isinstance(right, WrongShape) or isinstance(mine, WrongShape):
                    continue
                r = np.zeros(n.shape) if right is None else right
                a = np.zeros(n.shape) if mine is None else mine
                smooth = self.tolerance.excess(r, n) <= 0
                same = (self.tolerance.excess(a, r) <= 0) | ~(np.isfinite(a) | np.isfinite(r))
                endless = np.broadcast_to(hopeless[i][:, None], r.shape)
                accepted = ~smooth & (
                    same | (np.isfinite(a) & self.row.finite) | ~np.isfinite(r)
                ) | endless & ~np.isfinite(a)
                others += int((accepted & ~same).sum())
                known[i][o] = np.where(smooth, n, np.where(accepted, 0.0, r))
                judged[o][i] = None if mine is None and not accepted.any() else np.where(accepted, 0.0, a)

        def tangent(i: int, place: tuple[int, ...], step: float) -> list[Matrix]:
            """The function as the reference has it here: straight, so that no noise is taken for a kink."""
            row = int(np.ravel_multi_index(place, self.arrays[i].shape)) if place else 0
            return [step * known[i][o][row].reshape(s) if step else np.zeros(s) for o, s in enumerate(self.outs)]

        report = look(judged, known, tangent)
        if not report or not others or report.findings:
            return report
        sentence = f"Finite, and not the reference's at {others} elements where there is no derivative: accepted."
        return replace(report, findings=(Finding(0, 0, Verdict.KINK, sentence, cause=Verdict.KINK),))


@functools.cache
def _torch() -> Adapter | None:
    return TorchLike("torch") if importlib.util.find_spec("torch") is not None else None


@functools.cache
def _ours() -> Adapter:
    return Ours()


def reference(adapter: Adapter) -> Adapter | None:
    """Return the engine whose values are right, and whose gradients are where finite differences do not tell."""
    return _torch() if isinstance(adapter, Ours) else _ours()


def _misshapen(refused: Refused, shapes: Sequence[tuple[int, ...]]) -> tuple[int, np.ndarray]:
    """Return which input was meant by a share of a wrong shape that tinygrad_edu's engine refused, and the share."""
    _, error = refused.args
    meant = [i for i, shape in enumerate(shapes) if isinstance(error, ShareShapeError) and shape == error.wanted]
    if not meant:
        raise refused
    share = getattr(error, "share", None)
    return (
        error.argument if error.argument in meant else meant[0],
        np.full(error.given, np.nan) if share is None else np.asarray(getattr(share, "_array", share)),
    )


def _trusting(given: _Jacobians, known: list[list[Matrix]]) -> _Jacobians:
    """Return what stands for a reference where there is none: the differences, or where they are not finite, what was given."""
    theirs: _Jacobians = []
    for o, of_output in enumerate(given):
        lost = [_hopeless([of_input[o]], len(of_input[o]))[:, None] for of_input in known]
        theirs.append(
            [np.where(lost[i], a, known[i][o]) if isinstance(a, np.ndarray) else a for i, a in enumerate(of_output)]
        )
    return theirs


def _hopeless(matrices: Sequence[Matrix | WrongShape | None], size: int) -> Matrix:
    """Say of each element of an input whether a derivative by it is not finite."""
    hopeless = np.zeros(size, bool)
    for matrix in matrices:
        if isinstance(matrix, np.ndarray):
            hopeless |= ~np.isfinite(matrix).all(axis=1)
    return hopeless


def _finite(arrays: Iterable[np.ndarray]) -> bool:
    return all(bool(np.isfinite(a).all()) for a in arrays)


def _as_float32(a: np.ndarray) -> np.ndarray:
    return a.astype(np.float32).astype(np.float64)


def _leaves(adapter: Adapter, result: Any) -> Iterator[Any]:
    """Yield the tensors and numbers of a result, in order."""
    if adapter.is_tensor(result) or isinstance(result, bool | int | float | np.generic):
        yield result
    elif isinstance(result, list | tuple):
        for x in result:
            yield from _leaves(adapter, x)


def _matrix(columns: list[np.ndarray | None], shape: tuple[int, ...]) -> Matrix | WrongShape | None:
    """Put gradients of one input, one for each element of an output, beside each other."""
    size = int(np.prod(shape, dtype=int))
    if all(c is None for c in columns):
        return None if columns else np.zeros((size, 0))
    wrong = [c for c in columns if c is not None and c.shape != shape]
    if wrong:
        same = [c for c in columns if c is not None and c.shape == wrong[0].shape]
        whole = len(same) == len(columns)
        return WrongShape(
            wrong[0].shape, np.stack([c.reshape(-1) for c in same], 1).astype(np.float64) if whole else None
        )
    return np.stack([np.zeros(size) if c is None else np.asarray(c, np.float64).reshape(-1) for c in columns], axis=1)


def _close(a: np.ndarray, b: np.ndarray, rtol: float, atol: float) -> np.ndarray:
    close: np.ndarray = np.asarray(np.isclose(a.astype(float), b.astype(float), rtol=rtol, atol=atol, equal_nan=True))
    return close


def _raises(row: Row, refused: Refused) -> str:
    doing, error = refused.args
    return f"{doing} of {row.name} raises {type(error).__name__}: {str(error).strip().splitlines()[0] if str(error) else ''}"


def _labels(row: Row, case: tuple[Any, ...], counts: Sequence[int]) -> tuple[list[str], list[list[str]]]:
    """Name the inputs as the row's call names them, and for each order what is differentiated."""
    parameters = [p for p in inspect.signature(row.call).parameters.values() if p.kind is p.POSITIONAL_OR_KEYWORD][1:]
    named: list[str] = []
    for i, x in enumerate(case):
        name = parameters[i].name if i < len(parameters) else f"argument {i}"
        own = [] if i in row.frozen else list(arrays_in(x))
        named += [name] if is_float(x) else [f"{name}[{k}]" for k in range(len(own))]
    named += [f"seed {k}" for k in range(counts[-1] - len(named))]
    outputs = [["the result" if not k else f"result {k}" for k in range(99)]]
    for count in counts:
        outputs.append([f"the gradient by {name}" for name in named[:count]])
    return named, outputs
