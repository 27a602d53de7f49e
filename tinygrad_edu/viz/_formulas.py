"""The formulas of ops as text: as they are written in the source, as a textbook writes them, and for one cell with numbers put in.

The first kind is read from the source of the op itself. The second is a table for the common ops. The third says which cells
of which arrays a cell of the result is made of; numbers put in give an expression whose value is that cell.
"""

from __future__ import annotations

import ast
import inspect
import itertools
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple

from ._graph import Vertex

__all__ = ["Cells", "Formula", "expression", "forward_formula", "gradient_formula", "textbook"]

Shape = Sequence[int]


class Cells(NamedTuple):
    """How one cell of a result is made: the sum of ``term`` over the loops that are not axes of the result, then ``tail``."""

    term: str  # {x} * {y}
    operands: dict[
        str, tuple[int | None, ...]
    ]  # for each axis of an operand the loop that runs along it; None: it stays at 0
    loops: tuple[int, ...]  # how long each loop is; the axes of the result first
    axes: int  # how many of them are axes of the result
    tail: str = ""


class Formula(NamedTuple):
    """A formula: from the source, from the textbook, and cell by cell; None where there is none."""

    code: str | None
    mathematics: str | None
    cells: Cells | None


def forward_formula(vertex: Vertex, shapes: Mapping[str, Shape]) -> Formula:
    """How ``vertex`` computes its result from arguments of ``shapes``."""
    op = _op(vertex)
    if op is None:
        return Formula(None, None, None)
    code = source_of(op.forward)
    entry = _entry(vertex)
    cells = None if vertex.error is not None else _forward_cells(vertex, code, shapes)
    if code is not None and "\n" not in code and "(...)" not in code:
        return Formula(f"out = {code}", None if entry is None else entry.forward, cells)
    if entry is not None:  # several lines are there for speed, and the textbook says it shorter
        return Formula(None, entry.forward, cells)
    return Formula((op.__doc__ or "").strip().partition("\n")[0] or None, None, cells)


def gradient_formula(vertex: Vertex, argument: str, shapes: Mapping[str, Shape]) -> Formula:
    """How the share of ``argument`` comes from the gradient ``g`` of the result of ``vertex``."""
    op = _op(vertex)
    if op is None:
        return Formula(None, None, None)
    formula = (
        op.formulas.get(argument) or op.formulas.get("all") or (op.arguments and op.formulas.get(op.arguments[-1]))
    )
    code = source_of(formula) if formula else None
    entry = _entry(vertex)
    return Formula(
        code, None if entry is None else entry.gradients.get(argument), _gradient_cells(vertex, argument, code, shapes)
    )


def title_of_argument(vertex: Vertex, argument: str) -> str:
    """The name of an argument in the op's source, after its letter in the textbook's formula."""
    entry = _entry(vertex)
    letter = argument if entry is None else entry.letters.get(argument, argument)
    return argument if letter == argument else f"{letter}: {argument}"


def textbook(vertex: Vertex) -> tuple[str | None, Mapping[str, str]]:
    """The textbook's formula of ``vertex`` alone, if there is one, and the letters that it has for the arguments."""
    entry = _entry(vertex)
    return (None, {}) if entry is None else (entry.forward, entry.letters)


def _op(vertex: Vertex) -> Any:
    return vertex.op if hasattr(vertex.op, "formulas") else None  # an autograd.Function has none of its own


# ---- as written in the source


@cache
def source_of(function: Callable[..., Any]) -> str | None:
    """What ``function`` returns, as its source says it: for a lambda its body, for a function of several lines all of them.

    Examples
    --------
    >>> from tinygrad_edu._ops.elementwise import sub
    >>> source_of(sub.formulas["y"])
    '-g'
    """
    function = inspect.unwrap(function)
    try:
        if function.__name__ == "<lambda>":
            return _body_of_lambda(function)
        tree = ast.parse(inspect.getsource(function)).body[0]
    except (OSError, SyntaxError):  # no source at hand, or a def inside other code
        return None
    statements = [s for s in tree.body if not _is_docstring(s)] if isinstance(tree, ast.FunctionDef) else []
    if len(statements) == 1 and isinstance(statements[0], ast.Return) and statements[0].value is not None:
        return ast.unparse(statements[0].value)
    text = "\n".join(ast.unparse(statement) for statement in statements)
    return text if text and text.count("\n") < 12 else f"{function.__name__}(...)"


def _body_of_lambda(function: Callable[..., Any]) -> str:
    """Two formulas may share a line, so the places of the instructions decide."""
    places = [place for place in function.__code__.co_positions() if None not in place and place[3]]
    begin = min((place[0], place[2]) for place in places)
    end = max((place[1], place[3]) for place in places)
    lines = inspect.getsource(inspect.getmodule(function)).splitlines()[begin[0] - 1 : end[0]]  # type: ignore[arg-type, operator]  # None was left out
    lines[-1] = lines[-1].encode()[: end[1]].decode()
    lines[0] = lines[0].encode()[begin[1] :].decode()
    return ast.unparse(ast.parse("(" + "\n".join(lines) + ")", mode="eval"))


def _is_docstring(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)


# ---- as a textbook writes it


class Entry(NamedTuple):
    """An op in the table: letters of its arguments, its formula, and the gradient of each argument; C is the result, L the loss."""

    letters: dict[str, str]
    forward: str
    gradients: dict[str, str]
    only: dict[str, Any] = {}  # settings without which the formula does not hold


def _one(forward: str, gradient: str, argument: str = "x", **only: Any) -> Entry:
    return Entry({argument: "A"}, forward, {argument: gradient}, only)


def _two(forward: str, first: str, second: str, **only: Any) -> Entry:
    return Entry({"x": "A", "y": "B"}, forward, {"x": first, "y": second}, only)


_PRODUCT = _two("C = A @ B", "dL/dA = dL/dC @ B^T", "dL/dB = A^T @ dL/dC")
TEXTBOOK = {
    "abs": _one("C = |A|", "dL/dA = dL/dC * sign(A)"),
    "add": _two("C = A + B", "dL/dA = dL/dC", "dL/dB = dL/dC"),
    "average": _one("C = mean(A)", "dL/dA = broadcast(dL/dC) / n"),
    "bmm": _PRODUCT,
    "broadcast_to": _one("C = broadcast(A)", "dL/dA = sum(dL/dC)"),
    "clone": _one("C = A", "dL/dA = dL/dC"),
    "contiguous": _one("C = A", "dL/dA = dL/dC"),
    "cos": _one("C = cos(A)", "dL/dA = -dL/dC * sin(A)"),
    "cross_entropy": _one(
        "C = mean(log(sum(e^A)) - A[target])", "dL/dA = dL/dC * (softmax(A) - onehot(target)) / n", reduction="mean"
    ),
    "div": _two("C = A / B", "dL/dA = dL/dC / B", "dL/dB = -dL/dC * A / B^2"),
    "dot": _two("C = sum(A * B)", "dL/dA = dL/dC * B", "dL/dB = dL/dC * A"),
    "exp": _one("C = e^A", "dL/dA = dL/dC * C"),
    "getitem": _one("C = A[index]", "dL/dA[index] = dL/dC"),
    "linear": Entry(
        {"x": "X", "w": "W", "b": "b"},
        "C = X @ W^T + b",
        {"x": "dL/dX = dL/dC @ W", "w": "dL/dW = (dL/dC)^T @ X", "b": "dL/db = sum_rows(dL/dC)"},
    ),
    "log": _one("C = ln(A)", "dL/dA = dL/dC / A"),
    "log_softmax": _one("C = A - log(sum(e^A))", "dL/dA = dL/dC - e^C * sum(dL/dC)"),
    "matmul": _PRODUCT,
    "mean": _one("C = mean(A)", "dL/dA = broadcast(dL/dC) / n"),
    "mm": _PRODUCT,
    "mse_loss": _two(
        "C = mean((A - B)^2)",
        "dL/dA = dL/dC * 2 * (A - B) / n",
        "dL/dB = -dL/dC * 2 * (A - B) / n",
        reduction="mean",
    ),
    "mul": _two("C = A * B", "dL/dA = dL/dC * B", "dL/dB = dL/dC * A"),
    "mv": _two("C = A @ B", "dL/dA = outer(dL/dC, B)", "dL/dB = A^T @ dL/dC"),
    "neg": _one("C = -A", "dL/dA = -dL/dC"),
    "pow": _two("C = A^B", "dL/dA = dL/dC * B * A^(B - 1)", "dL/dB = dL/dC * C * ln(A)"),
    "power": _one("C = A^p", "dL/dA = dL/dC * p * A^(p - 1)"),
    "reciprocal": _one("C = 1 / A", "dL/dA = -dL/dC * C^2"),
    "relu": _one("C = max(A, 0)", "dL/dA = dL/dC * (A > 0)"),
    "reshape": _one("C = reshape(A)", "dL/dA = reshape(dL/dC)"),
    "rows_mm": _two("C = A @ B", "dL/dA = dL/dC @ B^T", "dL/dB = rows(A)^T @ rows(dL/dC)"),
    "rsub": _one("C = v - A", "dL/dA = -dL/dC"),
    "sigmoid": _one("C = 1 / (1 + e^(-A))", "dL/dA = dL/dC * C * (1 - C)"),
    "sin": _one("C = sin(A)", "dL/dA = dL/dC * cos(A)"),
    "softmax": _one("C = e^A / sum(e^A)", "dL/dA = C * (dL/dC - sum(dL/dC * C))"),
    "sqrt": _one("C = sqrt(A)", "dL/dA = dL/dC / (2 * C)"),
    "sub": _two("C = A - B", "dL/dA = dL/dC", "dL/dB = -dL/dC"),
    "sum": _one("C = sum(A)", "dL/dA = broadcast(dL/dC)"),
    "swap": _one("C = A^T", "dL/dA = (dL/dC)^T"),
    "t": _one("C = A^T", "dL/dA = (dL/dC)^T"),
    "tanh": _one("C = tanh(A)", "dL/dA = dL/dC * (1 - C^2)"),
    "total": _one("C = sum(A)", "dL/dA = broadcast(dL/dC)"),
    "vecmat": _two("C = A @ B", "dL/dA = B @ dL/dC", "dL/dB = outer(A, dL/dC)"),
}


def _entry(vertex: Vertex) -> Entry | None:
    entry = TEXTBOOK.get(vertex.name)
    op = _op(vertex)
    if entry is None or op is None or tuple(entry.letters) != op.arguments:
        return None
    settings = _settings(vertex)
    return entry if all(settings.get(name) == value for name, value in entry.only.items()) else None


def _settings(vertex: Vertex) -> dict[str, Any]:
    """The settings of an op; none where the graph was freed and nothing recorded them."""
    if vertex.value is None and (vertex.maker is None or vertex.maker.saved is None):
        return {}
    return {**vertex.op.settings, **vertex.settings}


# ---- cell by cell


EINSUM = {  # labels of x, y and the result
    "bmm": ("nik", "nkj", "nij"),
    "dot": ("k", "k", ""),
    "mm": ("ik", "kj", "ij"),
    "mv": ("ik", "k", "i"),
    "outer": ("i", "j", "ij"),
    "vecmat": ("k", "kj", "j"),
}
SUMS, MEANS = {"sum", "total"}, {"mean", "average"}
TERMS = {  # where the source computes otherwise than one would by hand: (op, argument or None) -> the term of a cell
    ("abs", "x"): "{g} * sign({x})",
    ("clone", None): "{x}",
    ("contiguous", None): "{x}",
    ("div", "y"): "-{g} * {x} / {y} ** 2",
    ("exp", None): "exp({x})",
    ("maximum", None): "max({x}, {y})",
    ("minimum", None): "min({x}, {y})",
    ("power", None): "{x} ** {exponent}",
    ("power", "x"): "{g} * {exponent} * {x} ** ({exponent} - 1)",
    ("reciprocal", None): "1 / {x}",
    ("relu", None): "max({x}, 0)",
    ("relu", "x"): "{g} * ({out} > 0)",
    ("sigmoid", None): "1 / (1 + exp(-{x}))",
    ("to", None): "{x}",
    ("to", "x"): "{g}",
}
CELLWISE = ("elementwise", "activation")  # the files of ops that compute element by element
FUNCTIONS = {"abs", "cos", "exp", "log", "log1p", "sin", "sqrt", "tan", "tanh"}


def expression(cells: Cells, index: tuple[int, ...], number: Callable[[str, tuple[int, ...]], str]) -> str:
    """Put numbers in for the cell at ``index`` of the result; ``number(operand, place)`` writes one of them.

    Examples
    --------
    >>> product = Cells("{x} * {y}", {"x": (0, 2), "y": (2, 1)}, (1, 1, 2), 2)
    >>> expression(product, (0, 0), lambda name, place: f"{name}{place[0]}{place[1]}")
    'x00 * y00 + x01 * y10'
    """
    terms = []
    for rest in itertools.product(*[range(n) for n in cells.loops[cells.axes :]]):
        at = (*index, *rest)
        put = {name: number(name, place) for name, place in _places(cells, at)}
        terms.append(cells.term.format(**put))
    whole = " + ".join(terms) or "0"  # a sum of nothing
    if not cells.tail:
        return whole
    tail = cells.tail.format(**{name: number(name, place) for name, place in _places(cells, index)})
    return f"({whole}){tail}" if len(terms) > 1 and tail.startswith((" /", " *")) else whole + tail


def _places(cells: Cells, at: tuple[int, ...]) -> Iterator[tuple[str, tuple[int, ...]]]:
    for name, loops in cells.operands.items():
        if all(loop is None or loop < len(at) for loop in loops):
            yield name, tuple([0 if loop is None else at[loop] for loop in loops])


def _forward_cells(vertex: Vertex, code: str | None, shapes: Mapping[str, Shape]) -> Cells | None:
    out = tuple(vertex.shape)
    labels = _labels(vertex, shapes)
    if labels is not None and all(name in shapes for name in labels if name != "out"):
        factors = [name for name in labels if name not in ("out", "b")]
        tail = " + {b}" if "b" in labels else _share_of_mean(vertex, shapes)
        term = " * ".join(f"{{{name}}}" for name in factors)
        return _cells(out, term, labels["out"], {name: labels[name] for name in labels if name != "out"}, shapes, tail)
    x, y = shapes.get("x"), shapes.get("y")
    if vertex.name == "mse_loss" and _entry(vertex) is not None and x is not None and x == y:
        every = list(range(len(x)))
        return _cells(out, "({x} - {y}) ** 2", [], {"x": every, "y": every}, shapes, f" / {math.prod(x)}")
    term_of_op = _term(vertex, None, code)
    if term_of_op is None or not _is_cellwise(vertex.op, shapes):
        return None
    every = list(range(len(out)))
    return _cells(out, term_of_op, every, {name: _last(every, shape) for name, shape in shapes.items()}, shapes)


def _gradient_cells(vertex: Vertex, argument: str, code: str | None, shapes: Mapping[str, Shape]) -> Cells | None:
    out = tuple(vertex.shape)
    if argument not in shapes:
        return None
    labels = _labels(vertex, shapes)
    mine, shapes = shapes[argument], {**shapes, "g": out, "out": out}
    if labels is not None:
        others = [name for name in labels if name not in ("out", "b", argument)] if argument != "b" else []
        if any(name not in shapes for name in others):
            return None
        term = " * ".join(f"{{{name}}}" for name in ("g", *others)) + _share_of_mean(vertex, shapes)
        return _cells(mine, term, labels[argument], {"g": labels["out"], **{n: labels[n] for n in others}}, shapes)
    if vertex.name == "mse_loss" and _entry(vertex) is not None and shapes.get("x") == shapes.get("y"):
        every = list(range(len(mine)))
        sign = "" if argument == "x" else "-"
        term = f"{sign}{{g}} * 2 * ({{x}} - {{y}}) / {math.prod(mine)}"
        return _cells(mine, term, every, {"g": [], "x": every, "y": every}, shapes)
    term_of_op = _term(vertex, argument, code)
    if term_of_op is None or not _is_cellwise(vertex.op, shapes):
        return None
    every = list(range(len(out)))
    named = {name: _last(every, shape) for name, shape in shapes.items() if f"{{{name}}}" in term_of_op}
    return _cells(mine, term_of_op, _last(every, mine), named, shapes)


def _labels(vertex: Vertex, shapes: Mapping[str, Shape]) -> dict[str, list[Any]] | None:
    """The axes of each argument and of the result by label, as in einsum, for an op that is linear in each of its arguments.

    Its result is the product of its arguments, summed over the labels that the result lacks, plus ``b``; the gradient of an argument is
    the product of ``g`` and the other arguments, summed over the labels that the argument lacks. A label of None: one element.
    """
    name, out = vertex.name, tuple(vertex.shape)
    if name in EINSUM:
        return dict(zip(("x", "y", "out"), map(list, EINSUM[name]), strict=True))
    if name in ("matmul", "rows_mm"):
        batch = list(range(len(out) - 2))
        lead = {argument: _last(batch, shapes.get(argument, ())[:-2]) for argument in "xy"}
        return {"x": [*lead["x"], "i", "k"], "y": [*lead["y"], "k", "j"], "out": [*batch, "i", "j"]}
    if name == "linear":
        result = [*range(len(out) - 1), "j"]
        bias = {"b": _last(result, shapes["b"])} if "b" in shapes else {}
        return {"x": [*result[:-1], "k"], "w": ["j", "k"], **bias, "out": result}
    if "x" not in shapes:
        return None
    every = list(range(len(shapes["x"])))
    if name in ("t", "swap", "permute"):
        order = {"t": every[::-1], "swap": [*every[:-2], *every[:-3:-1]]}.get(name) or _settings(vertex).get("axes")
        return None if order is None else {"x": every, "out": [every[axis] for axis in order]}
    if name == "broadcast_to":
        result = list(range(len(out)))
        return {"x": _last(result, shapes["x"]), "out": result}
    if name in SUMS | MEANS:
        kept = _kept(vertex, every)
        return None if kept is None else {"x": every, "out": kept}
    return None


def _share_of_mean(vertex: Vertex, shapes: Mapping[str, Shape]) -> str:
    """What a mean divides by, and its gradient too."""
    if vertex.name not in MEANS or not math.prod(vertex.shape):
        return ""
    return f" / {math.prod(shapes['x']) // math.prod(vertex.shape)}"


def _is_cellwise(op: Any, shapes: Mapping[str, Shape]) -> bool:
    return op.forward.__module__.rpartition(".")[2] in CELLWISE and all(name in shapes for name in op.arguments)


def _last(labels: Sequence[Any], shape: Shape, against: Shape = ()) -> list[Any]:
    """The labels of the last axes, as many as ``shape`` has; None where broadcasting repeats an axis of one element."""
    mine = labels[len(labels) - len(shape) :] if len(labels) >= len(shape) else labels
    return [None if n == 1 else label for n, label in zip(shape, mine, strict=False)]


def _kept(vertex: Vertex, every: list[int]) -> list[Any] | None:
    """The axes of the argument of a reduction that its result still has; None for each that stays as one element."""
    settings = _settings(vertex)
    axis, keepdims = settings.get("axis"), bool(settings.get("keepdims"))
    if "axis" not in vertex.op.settings:
        return []
    if "axis" not in settings or axis.__class__ not in (int, tuple, type(None)):
        return None
    reduced = every if axis is None else [a % len(every) for a in (axis if isinstance(axis, tuple) else (axis,))]
    return [None if a in reduced else a for a in every if keepdims or a not in reduced]


def _cells(
    shape: Shape,
    term: str,
    result: Sequence[Any],
    operands: Mapping[str, Sequence[Any]],
    shapes: Mapping[str, Shape],
    tail: str = "",
) -> Cells:
    """Number the labels: those of the result, whose ``shape`` is given, first, then those that are summed over."""
    sizes: dict[Any, int] = {}
    for name, labels in operands.items():
        for label, n in zip(labels, shapes.get(name, ()), strict=False):
            if label is not None:
                sizes[label] = n if n != 1 else sizes.get(label, 1)
    order: list[Any] = [label if sizes.get(label) == n else object() for label, n in zip(result, shape, strict=True)]
    order += [label for label in sizes if label not in order]
    places = {
        name: tuple(
            [
                None if label is None or n != sizes[label] else order.index(label)
                for label, n in zip(labels, shapes[name], strict=True)
            ]
        )
        for name, labels in operands.items()
        if name in shapes
    }
    sums = tuple([sizes[label] for label in order[len(result) :]])
    return Cells(term, places, (*shape, *sums), len(result), tail)


def _term(vertex: Vertex, argument: str | None, code: str | None) -> str | None:
    """The formula with the names of arrays in braces, or None if it is more than arithmetic."""
    settings = {name: repr(value) for name, value in _settings(vertex).items() if type(value) in (int, float)}
    settings = {name: f"({value})" if value.startswith("-") else value for name, value in settings.items()}
    known = TERMS.get((vertex.name, argument))
    if known is not None:
        for name, value in settings.items():
            known = known.replace(f"{{{name}}}", value)
        arrays = {"g", "out", *vertex.op.arguments}
        return known if all(part.split("}")[0] in arrays for part in known.split("{")[1:]) else None
    try:
        tree = ast.parse(code or "", mode="eval")
    except SyntaxError:
        return None
    arrays = {"g", "out", *vertex.op.arguments}
    return _written(tree.body, arrays, settings)


_OPERATORS: dict[type, str] = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.Pow: "**"}


def _written(tree: ast.expr, arrays: set[str], settings: Mapping[str, str]) -> str | None:
    """Write an expression of +, -, *, /, **, numbers and a few functions; None if there is anything else in it.

    >>> _written(ast.parse("g * (1 - out)", mode="eval").body, {"g", "out"}, {})
    '{g} * (1 - {out})'
    """
    if isinstance(tree, ast.Name):
        return f"{{{tree.id}}}" if tree.id in arrays else settings.get(tree.id)
    if isinstance(tree, ast.Constant):
        return repr(tree.value) if type(tree.value) in (int, float) else None
    if isinstance(tree, ast.UnaryOp) and isinstance(tree.op, ast.USub):
        inner = _written(tree.operand, arrays, settings)
        return None if inner is None else f"-{_wrapped(inner, tree.operand)}"
    if isinstance(tree, ast.BinOp) and type(tree.op) in _OPERATORS:
        left, right = _written(tree.left, arrays, settings), _written(tree.right, arrays, settings)
        if left is None or right is None:
            return None
        product = not isinstance(tree.op, ast.Add | ast.Sub)
        left = _wrapped(left, tree.left) if product and _is_sum(tree.left) else left
        right = _wrapped(right, tree.right) if product or isinstance(tree.op, ast.Sub) else right
        return f"{left} {_OPERATORS[type(tree.op)]} {right}"
    if isinstance(tree, ast.Call) and len(tree.args) == 1 and not tree.keywords:
        name = ast.unparse(tree.func).removeprefix("np.").removeprefix("math.")
        inner = _written(tree.args[0], arrays, settings)
        return f"{name}({inner})" if name in FUNCTIONS and inner is not None else None
    return None


def _wrapped(text: str, tree: ast.expr) -> str:
    return f"({text})" if isinstance(tree, ast.BinOp) else text


def _is_sum(tree: ast.expr) -> bool:
    return isinstance(tree, ast.BinOp) and isinstance(tree.op, ast.Add | ast.Sub)
