"""Where a function has no derivative: kinks, jumps, infinite slopes and edges of its domain, seen from its values alone."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from ._report import Matrix, Tolerance

Heights = Callable[[int, tuple[int, ...], float], Matrix]
"""heights(i, place, step): one output, flat, with element ``place`` of input i ``step`` higher; nan where it cannot be computed."""


@dataclass
class Bounds:
    """What each element of a Jacobian may be: between ``low`` and ``high``, infinite where ``up`` or ``down`` says so.

    At a smooth point both are the numerical derivative. At a kink they are the slopes of its two sides, at a jump or at the edge
    of the domain any finite value lies between them, and where the function itself is not finite anything goes. ``kinks`` are
    the elements where one of these was seen, ``left`` and ``right`` the slopes there.
    """

    low: Matrix
    high: Matrix
    up: Matrix
    down: Matrix
    anything: Matrix
    kinks: Matrix
    left: Matrix
    right: Matrix

    @classmethod
    def smooth(cls, numerical: Matrix) -> Bounds:
        """Those of a function that is differentiable everywhere."""
        slope, nowhere = numerical, np.zeros(numerical.shape, bool)
        flags = [nowhere.copy() for _ in range(4)]
        return cls(slope.copy(), slope.copy(), flags[0], flags[1], flags[2], flags[3], slope.copy(), slope.copy())

    def accepts(self, candidate: Matrix, tolerance: Tolerance) -> Matrix:
        """For each element of ``candidate``, whether it is a derivative or a sub-gradient."""
        slack = tolerance.atol + tolerance.rtol * np.maximum(_size(self.low), _size(self.high))
        with np.errstate(invalid="ignore"):
            between = (candidate >= self.low - slack) & (candidate <= self.high + slack) & np.isfinite(candidate)
        infinite = ((candidate == np.inf) & self.up) | ((candidate == -np.inf) & self.down)
        same = candidate == np.where(self.low == self.high, self.low, np.nan)  # infinite numbers too
        accepted: Matrix = between | infinite | same | self.anything
        return accepted

    def look(
        self,
        heights: Heights,
        i: int,
        places: Iterable[tuple[int, tuple[int, ...]]],
        tolerance: Tolerance,
        machine: float,
    ) -> None:
        """Compare the slopes of both sides, at ``eps`` and at ``8 eps``, in the given (row, place)s."""
        eps = tolerance.eps
        for row, place in places:
            far_left, left, here, right, far_right = [heights(i, place, k * eps) for k in (-8, -1, 0, 1, 8)]
            with np.errstate(all="ignore"):
                near = np.stack([here - left, right - here]) / eps
                far = np.stack([here - far_left, far_right - here]) / (8 * eps)
            known = np.isfinite(np.stack([left, here, right])).all(0)
            highest = np.nanmax(
                np.abs(np.nan_to_num(np.stack([left, here, right, far_left, far_right]), nan=0.0, posinf=0.0)), 0
            )
            self._settle(row, near, far, known, np.isfinite(here), tolerance, 64 * machine * highest / eps)

    def _settle(
        self, row: int, near: Matrix, far: Matrix, known: Matrix, here: Matrix, tolerance: Tolerance, noise: Matrix
    ) -> None:
        """Set one row from its slopes, (side, elements of the output)."""
        with np.errstate(all="ignore"):
            gap, wide = np.abs(near[1] - near[0]), np.abs(far[1] - far[0])
            large = tolerance.atol + tolerance.rtol * np.fmax.reduce(np.abs(near))  # one side may be nan
            # A smooth function's gap grows with the step, about 8 times; that of a jump shrinks 8 times, as that of rounding does.
            bend = known & (gap > large) & (gap > noise) & ((wide <= 2 * gap) | ~np.isfinite(wide))
            # A slope that grows without bound as the step shrinks: jumps, and roots at 0.
            # The steepest side decides: of a kink beside the point, the other side's slope depends on the step too.
            grows = np.fmax.reduce(np.abs(near)) > 2 * np.fmax.reduce(np.abs(far))
            steep = (
                grows
                & (np.abs(near) > 2 * np.abs(far))
                & (np.abs(near) > noise)
                & (np.abs(near) > large)
                & np.isfinite(near)
            )
            steep |= np.isinf(near)
        between = np.concatenate(
            [near, np.where(np.isfinite(far), far, near)]
        )  # far: the kink may lie beside the point
        free = ~known | (known & steep.any(0))
        self.low[row] = np.where(bend, between.min(0), self.low[row])
        self.high[row] = np.where(bend, between.max(0), self.high[row])
        self.low[row] = np.where(free, -np.inf, self.low[row])
        self.high[row] = np.where(free, np.inf, self.high[row])
        self.up[row] = (steep & (near > 0)).any(0)
        self.down[row] = (steep & (near < 0)).any(0)
        self.anything[row] = ~here
        self.kinks[row] = bend | free | ~here
        self.left[row], self.right[row] = near


def _size(bound: Matrix) -> Matrix:
    return np.where(np.isfinite(bound), np.abs(bound), 0.0)


def describe(left: float, right: float, here: float, at: float) -> str:
    """Say what the slopes of the two sides show."""
    if not np.isfinite(at):
        return f"The input is {at:g} here: there is no derivative, and any value is accepted."
    if not np.isfinite(here):
        return f"func is {here:g} here, at {at:.6g}: there is no derivative, and any value is accepted."
    return f"func is not differentiable here, at {at:.6g}: the slope is {_slope(left)} on the left and {_slope(right)} on the right."


def _slope(value: float) -> str:
    return f"{value:.6g}" if np.isfinite(value) else "not defined" if np.isnan(value) else "infinite"
