"""The points where operations have no derivative: each is one, none is missing, and the gradient there is torch's."""

from __future__ import annotations

import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest

import tinygrad_edu
from tests.harness import derivatives
from tests.oracle import both, outcome, torch
from tests.test_op_table import NAMED
from tinygrad_edu.autograd._gradcheck import GradcheckError, check_grads
from tinygrad_edu.autograd._verdict import Verdict
from tinygrad_edu.testing._draw import is_float, through
from tinygrad_edu.testing.points import Line, Place, close, page, picked
from tinygrad_edu.testing.table import COMPOSED
from tinygrad_edu.testing.table.row import Kind

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")  # torch's advice, given by us too; tested elsewhere

PAGE = Path(tinygrad_edu.__file__).parents[1] / "docs" / "non-differentiable-points.md"
ROWS = NAMED | {row.name: row for row in COMPOSED}
POINTS = {
    f"{name}: {point.words}{'' if i == 0 else f' ({i})'}": (row, point)
    for name, row in ROWS.items()
    for i, point in enumerate(row.points)
}
points = pytest.mark.parametrize(("row", "point"), POINTS.values(), ids=POINTS.keys())


def names_of(kinds):
    """Kinds as values show them: a tie as a kink, a trap as a slope that leaves its course for a moment."""
    return {str({Kind.TIE: Kind.KINK, Kind.TRAP: Kind.BEND}.get(kind, kind)) for kind in kinds}


@points
def test_a_point_is_what_its_kind_says(row, point):
    place = Place(tinygrad_edu, row, point.case)
    seen = set(place.slopes().kinds()[:, point.element]) - {""}
    if point.kind in (Kind.BEND, Kind.REMOVABLE, Kind.TRAP):
        assert not seen, f"it is no smooth point: {seen}"
    else:
        assert names_of([point.kind]) <= seen
    if point.kind == Kind.TIE:
        assert sum(place.slopes().kinds()[:, point.element] == Kind.KINK) >= 2, "nothing competes here"
    if point.kind == Kind.BEND:
        bends = place.slopes(lambda moved, step: place.gradient(point.element, moved, step))
        assert np.diag(bends.kinds()).any(), "the slope has no kink here"


@points
def test_the_gradient_at_a_smooth_point_is_the_slope_and_at_a_trap_it_is_not(row, point):
    if point.kind in (Kind.REMOVABLE, Kind.TRAP):
        line = Line.of(tinygrad_edu, row, point)
        same = close(line.gradient, line.left) & close(line.gradient, line.right)
        assert same.all() == (point.kind == Kind.REMOVABLE)


@points
def test_the_gradient_at_a_kink_lies_between_the_slopes_or_the_page_says_otherwise(row, point):
    line = Line.of(tinygrad_edu, row, point)
    if line.point.kind in (Kind.KINK, Kind.TIE, Kind.BEND) and not line.choice():
        assert point.why, f"{line.gradient} lies beside {line.left} and {line.right}: say why"


@points
def test_a_line_says_which_gradient_it_is_and_why(row, point):
    assert Line.of(tinygrad_edu, row, point).cells()[-1]


@points
def test_value_and_gradients_at_a_point_are_torchs(row, point):
    order = min(row.order, point.order)
    tolerance = {"rtol": row.rtol or 1e-8, "atol": row.rtol or 1e-10}
    both(lambda t: derivatives(t, row.call, point.case, row.frozen, order, seed=1), **tolerance)


@points
def test_gradcheck_accepts_the_choice(row, point):
    """What a learner's checker says of a kink, by other means: it is accepted, unless it is not a number."""
    if point.kind in (Kind.KINK, Kind.TIE, Kind.BEND, Kind.REMOVABLE):
        place = Place(tinygrad_edu, row, point.case)
        chosen = lambda *leaves: picked(place.results(leaves), point.element)
        accepted = outcome(lambda t: check_grads(chosen, tuple(place.leaves()), order=1).verdict, tinygrad_edu)
        if np.isfinite(place.gradient(point.element)).all():
            assert accepted in (Verdict.KINK, Verdict.RIGHT)
        else:
            assert isinstance(accepted, GradcheckError)
            assert f"verdict: {Verdict.NOT_FINITE}" in str(accepted)


def test_only_the_excused_points_differ_from_torch_and_they_do():
    """An excuse goes when it is no longer needed; where the first gradient differs, the page says what torch's is."""
    excused = {name: (row, point) for name, (row, point) in POINTS.items() if point.order < min(row.order, 2)}
    needless = []
    for name, (row, point) in excused.items():
        tolerance = {"rtol": row.rtol or 1e-8, "atol": row.rtol or 1e-10}
        program = lambda t, row=row, point=point: derivatives(
            t, row.call, point.case, row.frozen, point.order + 1, seed=1
        )
        try:
            both(program, **tolerance)
        except AssertionError:
            pass
        else:
            needless.append(name)
        assert ("PyTorch: " in point.why) == (point.order == 0), name
    assert not needless, f"their order can be raised: {needless}"
    assert sum(point.order == 0 for _, point in excused.values()) <= 9
    assert len(excused) <= 28


@points
def test_the_gradient_on_the_page_is_the_one_that_torch_gives(row, point):
    """The page looks at one element of the result; torch gives the same there, not only in a weighted sum."""
    if point.order == 0 or point.kind == Kind.BEND:
        return
    mine = Line.of(tinygrad_edu, row, point).gradient
    place = Place(torch, row, point.case)
    theirs = place.gradient(point.element)
    np.testing.assert_allclose(mine, theirs, rtol=1e-8, atol=1e-10)


# Nothing is missing.

EVERYWHERE = (0.0, 1.0, -1.0, 0.5, -0.5, 2.0, 3.0, -3.0, 6.0)


def suspicious(case, frozen):
    """Yield cases with ties, zeros, ends of domains and the row's own settings in one element, or in all."""

    def changed(change):
        return tuple(x if i in frozen else through(change, x) for i, x in enumerate(case))

    def first(value):
        def change(x):
            x = x.copy()
            x.reshape(-1)[:1] = value
            return x

        return change

    flat = [*case, *(v for x in case if isinstance(x, dict) for v in x.values())]
    settings = {float(v) for v in flat if isinstance(v, int | float) and not isinstance(v, bool) and abs(v) < 99}
    values = dict.fromkeys((*EVERYWHERE, *sorted(settings), *sorted(-v for v in settings)))
    yield case
    yield changed(np.rint)
    for value in values:
        yield changed(lambda x, value=value: np.full_like(x, value))
        yield changed(first(value))
    arrays = [x for x in case if is_float(x)]
    for value in values if len(arrays) > 1 else ():
        yield changed(lambda x, value=value: x if x is arrays[0] or x.shape != arrays[0].shape else arrays[0] + value)


def collected(row, count):
    """Draw the first cases of a row, none of them large."""
    return row.sample.seeded(0, count, rarity=8)


def kinds_found(row, count=2):
    """Search a row for kinds of points; return where each was found first."""
    found = {}
    for drawn in collected(row, count):
        bends = row.order > 1 and curved(Place(tinygrad_edu, row, drawn))
        for case in suspicious(drawn, row.frozen):
            place = Place(tinygrad_edu, row, case)
            results = outcome(lambda t, place=place: place.run()[1], tinygrad_edu)
            if isinstance(results, Exception) or any(str(x.dtype) != "torch.float64" for x in results):
                continue  # refused, as singular matrices are; or float32, in which small steps drown
            few = range(min(place.size, 2))
            slopes = place.slopes(elements=few)
            kinds = slopes.kinds()
            kinds[np.isnan(slopes.value) & np.isnan(slopes.left) & np.isnan(slopes.right)] = ""  # far outside
            for kind in set(kinds.ravel()) - {""}:
                found.setdefault(kind, case)
            if bends and not found and slopes.value.size and np.isfinite(slopes.value).all():
                program = lambda t, place=place, few=few: place.slopes(
                    lambda moved, step: place.gradient(0, moved, step), few
                )
                slopes = outcome(program, tinygrad_edu)
                if isinstance(slopes, Exception):
                    continue  # no gradient here, as of a singular matrix
                if np.isin(np.diag(slopes.kinds()), [Kind.KINK, Kind.JUMP]).any():
                    found.setdefault(Kind.BEND, case)
    return found


def curved(place):
    """Say whether a gradient depends on the input at all: a sum's does not, and it has no bends."""
    leaves, results = place.run()
    total = sum((x**2).sum() / 2 if x.grad_fn is None else x.sum() for x in results)
    if not leaves or not results or not place.size or total.numel() == 0:
        return False
    gradients = tinygrad_edu.autograd.grad(total, leaves, create_graph=True, allow_unused=True)
    return any(g is not None and g.requires_grad for g in gradients)


BLIND = {  # what the search sees and is no point
    ("round.decimals_3", "singular"): "its steps are as small as the search's",
    ("linalg.cond", "jump"): "of a singular matrix rounding decides between large numbers",
}


def test_no_operation_lacks_a_point_where_one_is_found():
    """Every kind that a search finds in a row is among the kinds of its own points, or its name's other rows have it."""
    listed, found = defaultdict(set), defaultdict(dict)
    for row in NAMED.values():
        listed[row.name] |= names_of(point.kind for point in row.points)
    for row in NAMED.values():
        if row.order > 0:
            found[row.name] |= kinds_found(row)
    missing = {
        name: {k: case for k, case in kinds.items() if k not in listed[name] and (name, k) not in BLIND}
        for name, kinds in found.items()
    }
    assert {name: kinds for name, kinds in missing.items() if kinds} == {}
    assert sum(map(bool, found.values())) >= 110


def test_every_kink_of_a_function_of_one_number_is_listed():
    """Such a row has no settings: the slopes beside each kink found are those beside one of its points."""
    checked = 0
    for name, row in NAMED.items():
        cases = collected(row, 1) if row.order > 0 else []
        if not cases or len(cases[0]) != 1 or not is_float(cases[0][0]) or not row.points:
            continue
        if outcome(lambda t, row=row: row.call(t, t.tensor(1.0)).shape, tinygrad_edu) != ():
            continue  # not elementwise
        sides = []
        for point in row.points:
            slopes = Place(tinygrad_edu, row, point.case).slopes()
            sides.append((slopes.left[0, 0], slopes.right[0, 0]))
        for x in sorted({*EVERYWHERE, -6.0, -2.0, 1.5, 20.0, 0.75}):
            slopes = Place(tinygrad_edu, row, (np.array(x),)).slopes()
            if np.isnan(slopes.left).all() and np.isnan(slopes.right).all():
                continue
            if slopes.kinds()[0, 0]:
                here = (slopes.left[0, 0], slopes.right[0, 0])
                assert any(np.allclose(here, side, atol=1e-6, equal_nan=True) for side in sides), f"{name} at {x}"
                checked += 1
    assert checked >= 60


def test_the_search_notices_a_kink_a_jump_a_root_and_a_bend():
    for name, kind in {"nn.functional.relu": "kink", "floor": "jump", "sqrt": "end of the domain"}.items():
        assert kind in kinds_found(NAMED[name])
    assert Kind.BEND in kinds_found(NAMED["nn.functional.elu"])
    assert kinds_found(NAMED["tanh"]) == {}


KNOWN = {  # operation: words of a point that is known to go wrong in other engines
    "norm": "the zero vector", "linalg.norm": "the zero vector", "normalize": "the zero vector",
    "pow": "zero to the power of 0", "__rpow__": "the base 0", "sqrt": "x = 0", "prod": "a zero among", "cumprod": "a zero",
    "where(x > 0, sqrt(x), 0 * x)": "masked", "maximum": "x = y", "max.reduction_no_dim": "two equal maxima",
    "max.reduction_with_dim": "two equal maxima", "amax": "two equal", "amin": "two equal", "median": "two elements",
    "sort": "two equal", "topk": "two equal", "clamp": "x = min", "abs": "x = 0", "relu": "x = 0", "relu6": "x = 6",
    "hardtanh": "x = 1", "atan2": "the origin", "std": "all elements equal", "var": "a single element",
    "cdist": "two equal points", "pairwise_distance": "two equal points", "cosine_similarity": "a zero vector",
    "logsumexp": "nothing but -infinity", "softmax": "nothing but -infinity", "xlogy": "0 · log 0", "sinc": "x = 0",
    "max_pool2d": "equal maxima", "floor": "integer", "ceil": "integer", "round": "half-way", "sign": "x = 0",
    "fmod": "multiple", "remainder": "multiple", "frac": "integer", "smooth_l1_loss": "beta", "huber_loss": "delta",
    "hinge_embedding_loss": "margin", "multi_margin_loss": "margin", "margin_ranking_loss": "margin",
    "triplet_margin_loss": "margin", "kl_div": "target 0", "binary_cross_entropy": "input 0, target 0",
}  # fmt: skip


@pytest.mark.parametrize(("name", "words"), KNOWN.items())
def test_the_known_trouble_spots_are_on_the_page(name, words):
    assert any(f"| `{name}`" in line and words in line for line in PAGE.read_text().splitlines())


def test_the_page_is_up_to_date():
    command = "python -m tinygrad_edu.testing.points > docs/non-differentiable-points.md"
    assert PAGE.read_text() == page(), f"the op table or a gradient has changed; refresh the page: {command}"


def test_the_command_prints_the_page():
    run = subprocess.run(
        [sys.executable, "-m", "tinygrad_edu.testing.points"], capture_output=True, check=True, cwd=PAGE.parents[1]
    )
    assert run.stdout.decode() == page()
