"""Broken gradient formulas: what a mutant is, how it is made, and how it is undone.

A mutant is one gradient formula of one op, wrong in one way. All twins of the op (the same forward under another of torch's
names) are broken together, for the first order and for all recorded ones, and mended when the ``with`` block ends.

Seven ways break what a formula returns: sign, factor, zero, transposed, poured (the first-order shortcut alone), the same of a
kernel of first order, and swapped (with the formula of another argument). Four break its source: a term dropped, a reduction left out, two arguments exchanged.
"""

from __future__ import annotations

import ast
import copy
import functools
import gc
import inspect
import itertools
import types
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

import numpy as np

from tinygrad_edu._core.op import Many, Op, Pour

PACKAGE = "tinygrad_edu._ops"
REDUCTIONS = {"sum", "sum_to", "mean", "total", "column_sums", "per_channel", "sum_each", "sum_copies"}


class Kind(StrEnum):
    """The ways to be wrong."""

    SIGN = "sign"
    FACTOR = "factor 2"
    ZERO = "zero"
    TRANSPOSED = "transposed"
    UNSUMMED = "missing reduction"
    SWAPPED = "swapped inputs"
    EXCHANGED = "exchanged names"
    DROPPED = "dropped term"


@dataclass(frozen=True)
class Mutant:
    """One wrong formula. ``place`` tells mutants of the same kind apart; ``make`` breaks the op it is given."""

    op: str
    argument: str
    kind: Kind
    place: str
    make: Callable[[Op], Change] = field(repr=False, compare=False)

    def __str__(self) -> str:
        return " ".join(part for part in (self.op, self.argument, self.kind, self.place) if part)


Change = dict[str, Any]  # attribute of the op -> its broken value
Formula = Callable[..., Any]


# ---- the ops and their twins


def key(op: Op) -> str:
    """Return the name of an op and all its twins: the module and the name of the forward."""
    return f"{op.forward.__module__.rpartition('.')[2]}.{op.forward.__name__}"


@functools.cache
def families() -> dict[str, list[Op]]:
    """Return every differentiable op of ``_ops`` by its key, with its twins, whichever module holds them."""
    found: dict[str, list[Op]] = {}
    for thing in gc.get_objects():
        if not issubclass(type(thing), Op):  # isinstance would wake lazy objects of others
            continue
        if thing.forward.__module__.startswith(PACKAGE) and thing.differentiable:
            found.setdefault(key(thing), []).append(thing)
    return dict(sorted(found.items()))


# ---- changes of what a formula returns


def altered(op: Op, argument: str, change: Callable[[Any], Any]) -> Change:
    """Return what replaces the rules of ``op`` so that ``change`` is applied to the share of ``argument``."""

    def apply(share: Any) -> Any:
        return share if share is None else change(share)

    return rewired(op, argument, lambda formula: lambda *given: apply(formula(*given)))


def rewired(op: Op, argument: str, wrap: Callable[[Formula], Formula]) -> Change:
    """Return what replaces the rules of ``op``, with ``wrap`` around that of ``argument``."""
    if isinstance(op, Many):
        return {"_formula": wrap(op._formula)}
    i = op.arguments.index(argument)
    if op.shared is not None:
        shared = op.shared

        def one_broken(g: Any, saved: Any, wanted: Any) -> Any:
            shares = list(shared(g, saved, wanted))
            shares[i] = wrap(lambda g, saved: shares[i])(g, saved)
            return tuple(shares)

        return {"shared": one_broken}
    rules = list(op.rules)
    rules[i] = wrap(rules[i])
    return {"rules": tuple(rules), "pulls": tuple(rules)}


def turned(share: Any) -> Any:
    """Swap the last two axes, where there are two."""
    return share.mT if share.ndim >= 2 else share


CHANGES: dict[Kind, Callable[[Any], Any]] = {
    Kind.SIGN: lambda share: -share,
    Kind.FACTOR: lambda share: 2 * share,
    Kind.ZERO: lambda share: 0 * share,
    Kind.TRANSPOSED: turned,
}


def differentiable_arguments(op: Op) -> tuple[str, ...]:
    """Return the arguments that have a formula, or a part in the joint one."""
    if op.shared is None:
        return tuple(op.formulas)
    (formula,) = op.formulas.values()
    return op.arguments[: shares_of(formula)]


def shares_of(formula: Any) -> int:
    """Count what a joint formula returns; one that returns what a function gives returns as many as that."""
    tree = tree_of(formula)
    results = (
        [tree.body] if isinstance(tree, ast.Lambda) else [n.value for n in ast.walk(tree) if isinstance(n, ast.Return)]
    )
    counts = [len(value.elts) for value in results if isinstance(value, ast.Tuple)]
    if counts:
        return counts[0]
    (called,) = [value.func.id for value in results if isinstance(value, ast.Call) and isinstance(value.func, ast.Name)]
    return shares_of(formula.__globals__[called])


def of_results(name: str, op: Op) -> Iterator[Mutant]:
    """Yield the mutants that change what a formula returns."""
    for argument in differentiable_arguments(op):
        for kind, change in CHANGES.items():
            yield Mutant(name, argument, kind, "", functools.partial(altered, argument=argument, change=change))


def of_pours(name: str, op: Op) -> Iterator[Mutant]:
    """Yield the mutants of the first-order shortcut alone."""
    if op.quick is None and op.pulls and op.rules and op.pulls is not op.rules:
        for kind, factor in ((Kind.SIGN, -1), (Kind.FACTOR, 2), (Kind.ZERO, 0)):
            yield Mutant(name, op.arguments[0], kind, "poured", functools.partial(poured, factor=factor))


def poured(op: Op, factor: int) -> Change:
    """Return what replaces the shortcut of ``op``: it pours ``factor`` times what it should."""
    (pull,) = op.pulls

    def wrong(g: Any, saved: Any) -> Pour:
        share = pull(g, saved)
        return Pour(share.add, share.g * factor, share.settings)

    return {"pulls": (wrong,)}


def of_kernels(name: str, op: Op) -> Iterator[Mutant]:
    """Yield the mutants that change what the kernel of first order returns."""
    if op.quick is not None:
        for argument in differentiable_arguments(op):
            for kind, change in CHANGES.items():
                make = functools.partial(kernel_altered, argument=argument, change=change)
                yield Mutant(name, argument, kind, "at first order", make)


def kernel_altered(op: Op, argument: str, change: Callable[[Any], Any]) -> Change:
    """Return what replaces the kernel of ``op`` so that ``change`` is applied to the share of ``argument``."""
    i, quick = op.arguments.index(argument), op.quick

    def wrong(g: Any, saved: Any, wanted: Any) -> Any:
        shares = list(quick(g, saved, wanted))
        shares[i] = None if shares[i] is None else change(shares[i])
        return tuple(shares)

    return {"quick": wrong}


def of_pairs(name: str, op: Op) -> Iterator[Mutant]:
    """Yield the mutants in which two arguments have each other's formulas."""
    if isinstance(op, Many):
        yield Mutant(name, *op.arguments, Kind.SWAPPED, "", neighbours)
    for pair in itertools.combinations(differentiable_arguments(op), 2):
        yield Mutant(name, " and ".join(pair), Kind.SWAPPED, "", functools.partial(swapped, pair=pair))


def neighbours(op: Op) -> Change:
    """Return what gives the first array of an op of many the share of the second, and the reverse."""
    formula, place = op._formula, op._asked.index("which")

    def wrong(g: Any, *given: Any) -> Any:
        other = list(given)
        other[place] ^= 1
        try:
            return formula(g, *other)
        except IndexError:  # the last of an odd number has no neighbour
            return formula(g, *given)

    return {"_formula": wrong}


def swapped(op: Op, pair: tuple[str, str]) -> Change:
    """Return what gives two arguments each other's share."""
    i, j = (op.arguments.index(a) for a in pair)

    def exchange(items: Any) -> Any:
        order = list(items)
        order[i], order[j] = order[j], order[i]
        return tuple(order)

    if op.shared is not None:
        shared = op.shared
        return {"shared": lambda g, saved, wanted: exchange(shared(g, saved, exchange(wanted)))}
    return {"rules": exchange(op.rules), "pulls": exchange(op.rules), "needs": exchange(op.needs), "kept": {}}


def of_broadcasting(name: str, op: Op) -> Iterator[Mutant]:
    """Yield the mutant whose shares the engine does not sum."""
    if op.broadcasts:
        yield Mutant(name, "", Kind.UNSUMMED, "broadcasts", lambda op: {"broadcasts": False})


# ---- changes of the source


@functools.cache
def module_tree(path: str) -> ast.Module:
    """Return the syntax tree of a file."""
    return ast.parse(Path(path).read_text())


def tree_of(function: Any) -> ast.Lambda | ast.FunctionDef:
    """Return the syntax tree of a function; of several lambdas in a line the one that the byte code came from."""
    code = function.__code__
    at = max((line, column) for line, _, column, _ in code.co_positions() if line is not None and column is not None)
    best: ast.Lambda | ast.FunctionDef | None = None
    for node in ast.walk(module_tree(code.co_filename)):
        if isinstance(node, ast.Lambda | ast.FunctionDef):
            begins, ends = (node.lineno, node.col_offset), (node.end_lineno or 0, node.end_col_offset or 0)
            if begins <= at < ends and code.co_name in ("<lambda>", getattr(node, "name", None)):
                best = node  # the walk goes from the outside inwards
    assert best is not None, function
    return best


def helpers_of(function: Any) -> dict[str, Any]:
    """Return the plain functions of ``_ops`` that ``function`` calls by name; ops are no plain functions."""
    found = {}
    codes = [function.__code__]
    while codes:
        code = codes.pop()
        codes += [c for c in code.co_consts if isinstance(c, types.CodeType)]
        for name in code.co_names:
            value = function.__globals__.get(name)
            if isinstance(value, types.FunctionType) and value.__module__.startswith(PACKAGE):
                found[name] = value
    return found


def all_helpers(function: Any) -> dict[str, Any]:
    """Return ``function`` and every helper it reaches, by name."""
    found: dict[str, Any] = {function.__name__: function}
    stack = [function]
    while stack:
        for helper in helpers_of(stack.pop()).values():
            if helper.__name__ not in found:
                found[helper.__name__] = helper
                stack.append(helper)
    return found


class Replace(ast.NodeTransformer):
    """Puts one expression in the place of another."""

    def __init__(self, old: ast.AST, new: ast.AST) -> None:
        self.old, self.new = old, new

    def visit(self, node: ast.AST) -> Any:
        """Return the new node for the old one."""
        return self.new if node is self.old else self.generic_visit(node)


def compiled(tree: ast.Lambda | ast.FunctionDef, function: Any, names: dict[str, Any]) -> Any:
    """Compile a tree into a function that sees ``names``."""
    assert function.__closure__ is None, "a formula closes over nothing"
    filename = function.__code__.co_filename
    if isinstance(tree, ast.Lambda):
        return eval(compile(ast.fix_missing_locations(ast.Expression(tree)), filename, "eval"), names)
    body = ast.Module([tree], [])
    exec(compile(ast.fix_missing_locations(body), filename, "exec", dont_inherit=True, flags=ANNOTATIONS), names)
    return names[tree.name]


ANNOTATIONS = 1 << 24  # from __future__ import annotations: names of types are not looked up


def rebuilt(formula: Any, broken: Any, old: ast.AST, new: ast.expr) -> Any:
    """Return ``formula`` as it is when ``old`` reads ``new`` in the function ``broken`` that it reaches."""
    made: dict[Any, Any] = {}

    def again(function: Any) -> Any:
        if function not in made:
            names = dict(function.__globals__)
            if function is broken:
                tree = copied(tree_of(function), old, new)
                made[function] = compiled(tree, function, names)
            else:
                made[function] = types.FunctionType(
                    function.__code__, names, function.__name__, function.__defaults__, function.__closure__
                )
                made[function].__kwdefaults__ = function.__kwdefaults__
            names.update({name: again(helper) for name, helper in helpers_of(function).items()})
        return made[function]

    return again(formula)


def copied(tree: Any, old: ast.AST, new: ast.expr) -> Any:
    """Return a copy of ``tree`` in which ``new`` stands for ``old``."""
    memo: dict[int, Any] = {}
    twin = copy.deepcopy(tree, memo)
    return Replace(memo[id(old)], copy.deepcopy(new)).visit(twin)


def mentions_structure(node: ast.AST) -> bool:
    """Say whether an expression speaks of shapes and places rather than of numbers."""
    names = {n.attr for n in ast.walk(node) if isinstance(n, ast.Attribute)} | {
        n.id for n in ast.walk(node) if isinstance(n, ast.Name)
    }
    return bool(names & {"ndim", "shape", "len", "which", "index", "slice", "range"})


NUMBERS = {"exponent", "value", "fill", "condition"}  # keyword arguments that are no shapes, axes or places


def expressions(node: ast.AST) -> Iterator[ast.expr]:
    """Yield the expressions of numbers in ``node``: not what stands in subscripts, shapes, axes and annotations."""
    if isinstance(node, ast.expr):
        yield node
    for name, value in ast.iter_fields(node):
        if name in ("args", "annotation", "returns", "slice") and not isinstance(node, ast.Call):
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.keyword) and child.arg not in NUMBERS:
                continue
            if isinstance(child, ast.AST):
                yield from expressions(child)


def without_a_term(node: ast.expr, names: dict[str, Any]) -> Iterator[tuple[str, ast.expr]]:
    """Yield what a sum or difference is with one of its two terms, and which is missing."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Sub) and not mentions_structure(node):
        yield f"without {ast.unparse(node.right)}", node.left
        right = ast.UnaryOp(ast.USub(), node.right) if isinstance(node.op, ast.Sub) else node.right
        yield f"without {ast.unparse(node.left)}", right


def without_its_reduction(node: ast.expr, names: dict[str, Any]) -> Iterator[tuple[str, ast.expr]]:
    """Yield what a sum is when nothing is summed; Python's own ``sum`` adds shapes up."""
    called = node.func.id if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) else None
    if isinstance(node, ast.Call) and called in REDUCTIONS & set(names):
        yield f"without {called} of {ast.unparse(node.args[0])}", node.args[0]


def of_source(name: str, op: Op) -> Iterator[Mutant]:
    """Yield the mutants whose source lacks a term or a reduction, in the formula or in a function it calls."""
    for argument, formula in op.formulas.items():
        for function in all_helpers(formula).values():
            if function.__name__ in REDUCTIONS:  # its only line is the reduction, which is left out where it is called
                continue
            for node in expressions(tree_of(function)):
                for kind, ways in ((Kind.DROPPED, without_a_term), (Kind.UNSUMMED, without_its_reduction)):
                    for place, new in ways(node, function.__globals__):
                        site = "" if function is formula else f"{function.__name__}: "
                        make = functools.partial(sourced, argument=argument, broken=function, old=node, new=new)
                        yield Mutant(name, argument, kind, site + place, make)


def sourced(op: Op, argument: str, broken: Any, old: ast.AST, new: ast.expr) -> Change:
    """Return what replaces the formula of ``argument`` when one expression of its source reads otherwise."""
    return declared(op, argument, rebuilt(op.formulas[argument], broken, old, new))


def declared(op: Op, argument: str, formula: Formula) -> Change:
    """Return what declaring ``formula`` makes of the op; the formulas of the other arguments stay."""
    fresh = type(op)(op.forward, node_name=op.node_name, broadcasts=op.broadcasts)
    fresh.arguments, fresh.settings = op.arguments, op.settings
    if op.shared is not None:
        fresh.joint(formula)
    else:
        fresh.gradient(**(op.formulas | {argument: formula}))
    names = ("_formula", "_asked") if isinstance(op, Many) else ("rules", "pulls", "shared")
    return {name: getattr(fresh, name) for name in names}


def of_names(name: str, op: Op) -> Iterator[Mutant]:
    """Yield the mutants in which a formula takes one array for another."""
    if op.shared is not None or isinstance(op, Many):
        return
    for argument, formula in op.formulas.items():
        named = [n for n in inspect.signature(formula).parameters if n in ("out", *op.arguments)]
        for pair in itertools.combinations(named, 2):
            yield Mutant(
                name,
                argument,
                Kind.EXCHANGED,
                " for ".join(pair),
                functools.partial(exchanged, argument=argument, pair=pair),
            )


def exchanged(op: Op, argument: str, pair: tuple[str, str]) -> Change:
    """Return what replaces the rules when the formula of ``argument`` reads one of ``pair`` for the other."""
    i, j = (("out", *op.arguments).index(n) for n in pair)

    def wrap(rule: Formula) -> Formula:
        def wrong(g: Any, saved: Any) -> Any:
            other = list(saved)
            other[i], other[j] = other[j], other[i]
            return rule(g, other)

        return wrong

    return rewired(op, argument, wrap)


# ---- all of them, and how they are put in


def mutants_of(name: str, op: Op) -> list[Mutant]:
    """Return every mutant of an op, each with another name."""
    ways = (of_results, of_pours, of_kernels, of_pairs, of_broadcasting, of_source, of_names)
    found: dict[str, Mutant] = {}
    for mutant in itertools.chain.from_iterable(way(name, op) for way in ways):
        twins = itertools.count(2)
        while str(mutant) in found:  # the same words twice in one formula
            mutant = Mutant(mutant.op, mutant.argument, mutant.kind, f"{mutant.place} ({next(twins)})", mutant.make)
        found[str(mutant)] = mutant
    return list(found.values())


@contextmanager
def broken(mutant: Mutant, twins: list[Op]) -> Iterator[Witness]:
    """Break an op and its twins inside a ``with`` block; what is yielded knows how the wrong shares differ from the right ones."""
    whole = [dict(vars(op)) for op in twins]
    witness = Witness()
    try:
        for op in twins:
            change = mutant.make(op)
            if op.quick is not None and "quick" not in change:
                change = {"quick": None, "pulls": op.rules} | change  # the broken formulas speak in first order too
            vars(op).update({name: witness.watched(op, name, value) for name, value in change.items()})
        yield witness
    finally:
        for op, attributes in zip(twins, whole, strict=True):
            vars(op).clear()
            vars(op).update(attributes)


class Witness:
    """Compares each wrong share with the right one, and remembers what they always had in common."""

    def __init__(self) -> None:
        self.calls = 0
        self.equal = self.transposed = self.proportional = True
        self.reshaped = self.raised = self.not_finite = False
        self.factor: float | None = None
        self.others: set[int] | None = None  # the arguments whose right share the wrong one always was

    def watched(self, op: Op, name: str, wrong: Any) -> Any:
        """Return the broken attribute ``name`` so that each of its calls is compared with the right one."""
        if name in ("rules", "pulls"):
            right = getattr(op, name)
            return tuple(
                [w if w is r else self._of_rule(i, w, right) for i, (w, r) in enumerate(zip(wrong, right, strict=True))]
            )
        if name in ("shared", "quick") and wrong is not None:
            return self._of_joint(wrong, getattr(op, name))
        return self._of_many(wrong, op._formula) if name == "_formula" else wrong

    def _of_rule(self, i: int, wrong: Formula, right: tuple[Any, ...]) -> Formula:
        def rule(g: Any, saved: Any) -> Any:
            with self.noting():
                share = wrong(g, saved)
            given = array_of(g), [array_of(x) for x in saved]
            self.compare(i, share, [None if r is None else attempted(r, *given) for r in right])
            return share

        return rule

    def _of_joint(self, wrong: Formula, right: Any) -> Formula:
        def shared(g: Any, saved: Any, wanted: Any) -> Any:
            with self.noting():
                shares = wrong(g, saved, wanted)
            rights = right(array_of(g), [array_of(x) for x in saved], wanted)
            for i, (share, r) in enumerate(zip(shares, rights, strict=True)):
                if share is not None and r is not None and not same(share, r):
                    self.compare(i, share, rights)
            self.calls += 1
            return shares

        return shared

    def _of_many(self, wrong: Formula, right: Formula) -> Formula:
        def formula(g: Any, *given: Any) -> Any:
            with self.noting():
                share = wrong(g, *given)
            self.compare(0, share, [right(array_of(g), *given)])
            return share

        return formula

    @contextmanager
    def noting(self) -> Iterator[None]:
        """Remember that a formula raised, in a ``with`` block."""
        try:
            yield
        except Exception:
            self.calls += 1
            self.raised = True
            self.equal = self.transposed = self.proportional = False
            raise

    def compare(self, i: int, share: Any, rights: Any) -> None:
        """Note what the wrong share has in common with the right one."""
        self.calls += 1
        right = rights[i]
        if share is None or right is None:
            self.equal = self.equal and share is right
            return
        wrong, right = np.asarray(array_of(share)), np.asarray(array_of(right))
        others = {j for j, r in enumerate(rights) if j != i and r is not None and same(wrong, r)}
        self.others = others if self.others is None else self.others & others
        self.transposed = self.transposed and right.ndim >= 2 and same(wrong, right.mT)
        if wrong.shape != right.shape:
            self.reshaped, self.equal, self.proportional = True, False, False
            return
        self.equal = self.equal and same(wrong, right)
        self.not_finite = self.not_finite or bool((~np.isfinite(wrong) & np.isfinite(right)).any())
        if self.factor is None and right.size:
            at = np.abs(right).argmax()
            if right.flat[at]:
                self.factor = float(wrong.flat[at] / right.flat[at])
        self.proportional = self.proportional and same(wrong, right * (self.factor or 0.0))


def array_of(x: Any) -> Any:
    """Return the array of a tensor, the poured part of a Pour, and anything else as it is."""
    return x.g if isinstance(x, Pour) else getattr(x, "_array", x)


def attempted(right: Formula, g: Any, saved: Any) -> Any:
    """Return a right share, or None where what it needs was not kept because nobody asked for it."""
    try:
        return array_of(right(g, saved))
    except (TypeError, AttributeError):
        return None


def same(a: Any, b: Any) -> bool:
    """Say whether two shares are equal but for rounding."""
    a, b = np.asarray(array_of(a)), np.asarray(array_of(b))
    return a.shape == b.shape and np.allclose(a, b, rtol=1e-7, atol=1e-12, equal_nan=True)


def all_mutants() -> dict[str, list[Mutant]]:
    """Return the mutants of every op by its key."""
    return {name: mutants_of(name, twins[0]) for name, twins in families().items()}
