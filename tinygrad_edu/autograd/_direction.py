"""The derivative along one random direction: one number in place of a Jacobian.

With u for the input and v for the output, v J u is found by two calls of the function (J u, numerically) and by one backward
pass (v J, analytically). A wrong element of J shows in it with probability one, though a small one among many may be lost in
the tolerance. Written as a function of one number t, ``v . f(x + t u)``, it is examined like any other function.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from .._tensor import Tensor
from ..random import Generator, rand
from ._program import Program
from ._report import Finding, Matrix, Report, Tolerance
from ._verdict import examine, numerical

SAMPLED = 24  # elements of an input that are examined by themselves once a direction has failed


class Direction:
    """A program along one direction for each input, its outputs weighted to one number each."""

    def __init__(self, program: Program, outputs: Sequence[Tensor], draw: Callable[[Tensor], Matrix]) -> None:
        self.program, self.outputs = program, outputs
        self.along = [draw(x) for x in program.targets]
        self.weights = [draw(out) for out in outputs]
        self.points = [np.zeros(()) for _ in program.targets]

    def moved(self, i: int, place: tuple[int, ...], step: float) -> list[Matrix]:
        """Each weighted output, with input i moved by ``step`` along its direction."""
        return self._weighted(self.program.shifted(i, step * self.along[i]) if step else self.program.values())

    def numerical(self, eps: float) -> list[list[Matrix]]:
        """v J u for each input and output."""
        return [numerical(self.moved, i, (), eps) for i in range(len(self.points))]

    def gradients(self) -> list[list[Matrix | None]]:
        """v J for each output and input, flat."""
        return [
            [None if g is None else np.array(g._array, np.float64).reshape(-1) for g in self.program.gradients(out, v)]
            for out, v in zip(self.outputs, self.weights, strict=True)
        ]

    def analytical(self, gradients: list[list[Matrix | None]]) -> list[list[Matrix | None]]:
        """v J u for each output and input."""
        return [
            [None if g is None else np.array([[g @ u.reshape(-1)]]) for g, u in zip(of_output, self.along, strict=True)]
            for of_output in gradients
        ]

    def examine(self, tolerance: Tolerance, names: Sequence[str], *, order: int = 1, explain: bool = False) -> Report:
        """Judge the numbers; where one fails, judge some elements of each input by themselves, so that the cause shows."""
        gradients = self.gradients()
        report = examine(
            self.moved,
            self.points,
            self.analytical(gradients),
            tolerance,
            dtypes=[x.dtype for x in self.program.targets],
            order=order,
            names=[f"{name} along a random direction" for name in names],
            output_names=[f"{name} (weighted sum)" for name in self.program.output_names],
            explain=explain,
        )
        if report:
            return report
        local = self._elements(gradients, tolerance, names, order)
        return report if local else local

    def _elements(
        self, gradients: list[list[Matrix | None]], tolerance: Tolerance, names: Sequence[str], order: int
    ) -> Report:
        """The weighted outputs by single elements of the inputs, some of each."""
        arrays = [x._array for x in self.program.targets]
        chosen = [np.unique(np.linspace(0, x.size - 1, min(x.size, SAMPLED)).astype(int)) for x in arrays]
        places = [
            [tuple(map(int, np.unravel_index(k, x.shape))) for k in ks] for x, ks in zip(arrays, chosen, strict=True)
        ]

        def moved(i: int, place: tuple[int, ...], step: float) -> list[Matrix]:
            return self._weighted(self.program.moved(i, places[i][place[0]] if step else (), step))

        report = examine(
            moved,
            [np.array([x[p] for p in ps], np.float64) for x, ps in zip(arrays, places, strict=True)],
            [
                [None if g is None else g[ks, None] for g, ks in zip(of_output, chosen, strict=True)]
                for of_output in gradients
            ],
            tolerance,
            dtypes=[x.dtype for x in self.program.targets],
            order=order,
            names=names,
            output_names=[f"{name} (weighted sum)" for name in self.program.output_names],
        )
        return replace(report, findings=tuple([_placed(finding, places) for finding in report.findings]))

    def _weighted(self, values: list[Matrix]) -> list[Matrix]:
        return [np.array((v * value).sum()) for v, value in zip(self.weights, values, strict=True)]


def _placed(finding: Finding, places: list[list[tuple[int, ...]]]) -> Finding:
    """The finding with its index in the whole input."""
    return replace(finding, place=places[finding.input][finding.place[0]]) if finding.place else finding


def torch_direction(program: Program, outputs: Sequence[Tensor]) -> Direction:
    """The directions that torch's fast mode takes: positive, from the default seed."""
    generator = Generator()

    def draw(x: Tensor) -> Matrix:
        u = rand(x.numel(), generator=generator)._array.astype(x._array.dtype)
        return np.asarray(u / np.linalg.norm(u) if u.size else u).reshape(x._array.shape)

    return Direction(program, outputs, draw)


def random_direction(program: Program, seed: int = 0) -> Direction:
    """Normal numbers: of both signs, so that no two errors cancel in each; of size one, so that an error keeps its size."""
    source = np.random.default_rng(seed)
    return Direction(program, program.compared, lambda x: np.asarray(source.standard_normal(x._array.shape)))
