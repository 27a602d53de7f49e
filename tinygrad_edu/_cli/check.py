"""``check``: the op table on an engine: which operations are right, which are wrong, and in which way."""

from __future__ import annotations

import argparse
import json
import os
import sys
import textwrap
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..testing.adapter import Adapter
    from ..testing.suite import Result
    from ._types import Commands

WIDTH = 100
NAMED = 40  # what is not offered, by name
HEAD = f"{'operation':<38}{'cases':>6}{'order':>6}{'error':>10}{'time':>8}  verdict"


def add(commands: Commands) -> None:
    """Describe the command."""
    parser = commands.add_parser(
        "check",
        help="check every operation's gradients, of this or of any other engine",
        description="Run the op table on an engine: cases drawn by hypothesis, gradients compared with finite differences "
        "(and with torch, where it is installed). Exit status: 0 all right, 1 something is wrong, 2 it could not run.",
    )
    parser.add_argument(
        "--engine", metavar="PACKAGE.MODULE:ADAPTER", help="another engine, by its adapter (examples/adapters)"
    )
    parser.add_argument("--op", metavar="NAME", help="this operation alone, such as relu or linalg.inv")
    parser.add_argument(
        "--order", type=int, choices=(1, 2, 3), default=2, help="how often to differentiate (default 2)"
    )
    parser.add_argument("--seed", type=int, default=0, help="what the cases are drawn from (default 0)")
    parser.add_argument("--max-examples", type=_positive, metavar="N", help="ordinary cases of each row of the table")
    parser.add_argument("--json", action="store_true", help="print the results as JSON")
    parser.set_defaults(execute=execute)


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ValueError(text)
    return number


def execute(asked: argparse.Namespace) -> int:
    """Run the command."""
    try:
        from ..testing import adapter, suite
    except ImportError as error:
        if "hypothesis" not in str(error):
            raise
        return _refuse("it draws its cases with hypothesis, which is not installed: pip install 'tinygrad-edu[check]'")
    if os.getcwd() not in sys.path:
        sys.path.insert(0, os.getcwd())  # the engine of a learner lies where the command is given
    try:
        engine = adapter.find(asked.engine) if asked.engine else adapter.Ours()
        names = suite.names(asked.op)
    except (ValueError, LookupError) as error:
        return _refuse(str(error.args[0]))
    start = time.perf_counter()
    results: list[Result] = []

    def show(result: Result) -> None:
        results.append(result)
        if result.offered and not asked.json:
            print(_row(result), flush=True)

    if not asked.json:
        print(_title(engine, len(names), asked))
        print(HEAD)
        print("-" * WIDTH)
    examples = asked.max_examples or suite.MAX_EXAMPLES
    is_whole = True
    try:
        suite.run(engine, op=asked.op, order=asked.order, seed=asked.seed, max_examples=examples, progress=show)
    except KeyboardInterrupt:
        is_whole = False
    spent = time.perf_counter() - start
    if asked.json:
        print(json.dumps(_record(engine, results, asked, examples, spent, is_whole), indent=1))
    else:
        print("\n".join(_summary(engine, results, spent, is_whole, len(names))))
    if not is_whole:
        return 130
    if not any(r.cases for r in results):
        return _refuse(f"{engine.name} offers nothing of what was asked")
    return int(any(not r.passes for r in results))


def _refuse(reason: str) -> int:
    print(f"check: {reason}", file=sys.stderr)
    return 2


def _title(engine: Adapter, count: int, asked: argparse.Namespace) -> str:
    what = f"{count} operations and laws" if count > 1 else "one operation"
    order = min(asked.order, engine.orders)
    once = " (it differentiates no further)" if order < asked.order else ""
    return f"Checking {engine.name}: {what}, to order {order}{once}, seed {asked.seed}.\n"


def _row(result: Result) -> str:
    name = _shortened(result.name.replace("nn.functional.", "F."), 37)
    error = f"{result.worst:.1e}" if result.worst < float("inf") else "-"
    return f"{name:<38}{result.cases:>6}{result.order or '-':>6}{error:>10}{result.seconds:>6.2f} s  {_verdict(result)}"


def _verdict(result: Result) -> str:
    if not result.passes:
        return f"WRONG: {_shortened(result.verdict.value, 23)}"
    if not result.is_compared:
        return "its gradients need torch"
    return "right, sub-gradient at kinks" if result.verdict.name == "KINK" else "right"


def _shortened(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 3] + "..."


def _summary(engine: Adapter, results: list[Result], spent: float, is_whole: bool, count: int) -> Iterator[str]:
    """Yield the lines below the table."""
    failing = [r for r in results if not r.passes]
    offered = [r for r in results if r.offered]
    for result in failing:
        yield f"\n{result.name}: {result.verdict}"
        yield textwrap.fill(result.sentence, WIDTH, initial_indent="    ", subsequent_indent="    ")
        for line in result.example.splitlines():
            yield textwrap.fill(line, WIDTH, initial_indent="    ", subsequent_indent="        ")
    yield ""
    if not is_whole:
        yield f"Interrupted after {len(results)} of {count}; what was found until then:"
    kinds: dict[str, int] = {}
    for result in results:
        for kind, cases in result.kinds.items():
            kinds[kind] = kinds.get(kind, 0) + cases
    listed = ", ".join(f"{cases} {kind}" for kind, cases in kinds.items())
    yield _filled(f"{sum(r.cases for r in results)} cases: {listed or 'none'}.")
    absent = [r.name for r in results if not r.offered and not _is_unjudged(r)]
    if absent:
        more = f", ... (--json names all {len(absent)})" if len(absent) > NAMED else ""
        yield _filled(f"Not offered ({len(absent)}): {', '.join(absent[:NAMED])}{more}.")
    unjudged: dict[str, list[str]] = {}
    for result in filter(_is_unjudged, results):
        unjudged.setdefault(result.missing[0], []).append(result.name.removeprefix("law: "))
    for reason, laws in unjudged.items():
        yield _filled(f"Laws {reason}: {', '.join(laws)}.")
    partly = [f"{r.name} ({r.missing[0]})" for r in offered if r.missing]
    if partly:
        yield _filled(f"Offered in part ({len(partly)}): {'; '.join(partly)}.")
    if failing:
        verb = "is" if len(offered) == 1 else "are"
        wrong = ", ".join(r.name for r in failing)
        yield _filled(f"{engine.name}: {len(failing)} of {len(offered)} {verb} wrong: {wrong}.")
    elif len(offered) == 1:
        yield f"{engine.name}: {offered[0].name} is right."
    else:
        yield f"{engine.name}: all {len(offered)} are right."
    yield f"{spent:.1f} s"


def _is_unjudged(result: Result) -> bool:
    return not result.offered and result.missing[0].startswith("not judged")


def _filled(text: str) -> str:
    return textwrap.fill(text, WIDTH, subsequent_indent="    ", break_on_hyphens=False)


def _record(
    engine: Adapter, results: list[Result], asked: argparse.Namespace, examples: int, spent: float, is_whole: bool
) -> dict[str, object]:
    """Return what --json prints."""
    return {
        "engine": engine.name,
        "order": min(asked.order, engine.orders),
        "seed": asked.seed,
        "max_examples": examples,
        "seconds": round(spent, 3),
        "complete": is_whole,
        "passes": all(r.passes for r in results),
        "operations": [
            {
                "name": r.name,
                "offered": r.offered,
                "passes": r.passes,
                "verdict": r.verdict.value if r.offered else None,
                "cases": r.cases,
                "kinds": r.kinds,
                "order": r.order,
                "worst_error": r.worst if r.worst < float("inf") else None,
                "seconds": round(r.seconds, 4),
                "sentence": r.sentence,
                "example": r.example,
                "missing": list(r.missing),
            }
            for r in results
        ],
    }
