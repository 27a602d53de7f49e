"""The house rules: floors, formulas, names, manners on import."""

import ast
import importlib
import inspect
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import tinygrad_edu
from tests.oracle import torch as real_torch
from tinygrad_edu._core.op import Op

ROOT = Path(tinygrad_edu.__file__).parent
FLOORS = {
    "_blas": 0, "_dtype": 0, "_types": 0, "_frames": 0, "_lint": 0, "_lazy": 0, "_allocator": 0, "_core.modes": 0, "_core.memory": 0,
    "_core.node": 0, "_errors": 0,
    "_core": 1, "_core.op": 1, "_core.engine": 1,
    "_ops": 2,
    "return_types": 3, "_functions": 3, "_arrays": 3, "_differentiate": 3,
    "_printing": 4, "_tensor": 4,
    "_creation": 5, "random": 5, "_numpy_dispatch": 5, "_legacy": 5, "_machine": 5, "linalg": 5,
    "autograd": 6, "func": 6, "nn": 6, "optim": 6, "utils": 6,
    "serialization": 7, "datasets": 7, "vision": 7, "testing": 7,
    "viz": 8, "_cli": 8, "_stand_in": 8, "profiler": 8, "__main__": 8,
    "": 9, "lab": 9,  # its experiments are learners' programs: they enter by the front door
}  # fmt: skip  # one floor a line
SOURCES = sorted(ROOT.rglob("*.py"))


def module_of(path):
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def floor_of(module):
    """The floor of the longest listed name that ``module`` begins with."""
    while module not in FLOORS:
        module = module.rpartition(".")[0]
    return FLOORS[module]


MODULES = {module_of(p): p for p in SOURCES}


def only_types(tree):
    """The nodes under ``if TYPE_CHECKING:``: imports there are for names of types and never run."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id.strip("_") == "TYPE_CHECKING":
            found |= {id(n) for n in ast.walk(node)}
    return found


def imports_of(path):
    """The package's modules that a file imports when it runs, in functions and on first use included."""
    module = module_of(path)
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    tree = ast.parse(path.read_text())
    skipped = only_types(tree)
    found = set()
    for node in ast.walk(tree):
        if id(node) in skipped:
            continue
        if isinstance(node, ast.ImportFrom):
            if node.level:
                parts = package.split(".") if package else []
                base = parts[: len(parts) - (node.level - 1)]
                base = ".".join([*base, *(node.module or "").split(".")]).strip(".")
            elif (node.module or "").split(".")[0] == "tinygrad_edu":
                base = node.module.partition(".")[2]
            else:
                continue
            for alias in node.names:
                inner = f"{base}.{alias.name}".strip(".")
                found.add(inner if inner in MODULES else base)
        elif isinstance(node, ast.Import):
            found |= {a.name.partition(".")[2] for a in node.names if a.name.split(".")[0] == "tinygrad_edu"}
        elif isinstance(node, ast.Call) and getattr(node.func, "id", "").strip("_") == "on_first_use":
            files = [k.value.value for k in node.keywords if k.arg]
            found |= {f"{package}.{file}".strip(".") for file in files}
    return found - {module}


def test_imports_go_down_or_stay_on_their_floor():
    wrong = [
        f"{module} (F{floor_of(module)}) imports {other} (F{floor_of(other)})"
        for module, path in MODULES.items()
        if path.name != "__main__.py" and module != "_stand_in" and not module.startswith("_cli")
        for other in imports_of(path)
        if floor_of(other) > floor_of(module)
    ]
    assert wrong == []


def test_no_ring_of_imports_exists():
    graph = {m: {o for o in imports_of(p) if o} for m, p in MODULES.items() if m}
    done, open_ = set(), []

    def visit(module):
        if module in done:
            return
        assert module not in open_, " -> ".join([*open_[open_.index(module) :], module])
        open_.append(module)
        for other in graph.get(module, ()):
            if not module.startswith(other + "."):  # a file inside a package may name its neighbours' package
                visit(other)
        open_.pop()
        done.add(module)

    for module in graph:
        visit(module)
    assert len(done) >= 60


OPS = sorted(
    {
        id(value): value
        for name in MODULES
        if name.startswith("_ops.")
        for value in vars(importlib.import_module(f"tinygrad_edu.{name}")).values()
        if isinstance(value, Op)
    }.values(),
    key=lambda o: o.name,
)


def test_formulas_name_no_numpy_and_no_data():
    wrong = []
    for op in OPS:
        for argument, formula in op.formulas.items():
            code = formula.__code__
            if {"np", "_array", "data"} & set(code.co_names):
                wrong.append(f"{op.name}.{argument}")
    assert wrong == []
    assert len(OPS) > 150


def test_the_core_imports_no_numpy():
    for path in (ROOT / "_core").glob("*.py"):
        names = {a.name for n in ast.walk(ast.parse(path.read_text())) if isinstance(n, ast.Import) for a in n.names}
        froms = {n.module for n in ast.walk(ast.parse(path.read_text())) if isinstance(n, ast.ImportFrom)}
        assert "numpy" not in names | froms, path


def test_nn_optim_and_data_never_import_the_core():
    for module, path in MODULES.items():
        if module.split(".")[0] in ("nn", "optim", "utils"):
            assert not {o for o in imports_of(path) if o.startswith("_core")}, module


NOT_TORCHS = {"as_torch", "datasets", "lint", "return_types", "vision", "viz"}


def test_public_names_are_torchs_except_a_written_list():
    extra = {n for n in tinygrad_edu.__all__ if not hasattr(real_torch, n)}
    assert extra <= NOT_TORCHS, extra - NOT_TORCHS
    for ours, theirs in (
        (tinygrad_edu.nn, real_torch.nn),
        (tinygrad_edu.optim, real_torch.optim),
        (tinygrad_edu.nn.init, real_torch.nn.init),
    ):
        assert {n for n in ours.__all__ if not hasattr(theirs, n)} == set()
    assert {n for n in tinygrad_edu.func.__all__ if not hasattr(real_torch.func, n)} == {"value_and_grad"}  # JAX's name
    only_here = {"assert_matches_torch", "check_grads", "module_check"}
    assert {n for n in tinygrad_edu.testing.__all__ if not hasattr(real_torch.testing, n)} == only_here


def test_public_methods_of_tensor_are_torchs():
    own = {n for n in dir(tinygrad_edu.Tensor) if not n.startswith("_")}
    assert {n for n in own if not hasattr(real_torch.Tensor, n)} == set()


@pytest.mark.parametrize(
    "name",
    [
        "",
        "nn",
        "optim",
        "autograd",
        "func",
        "testing",
        "utils.data",
        "datasets",
        "vision",
        "viz",
        "lab",
        "nn.functional",
        "nn.init",
    ],
)
def test_all_names_exist_and_are_sorted(name):
    module = importlib.import_module(f"tinygrad_edu.{name}".rstrip("."))
    assert len(set(module.__all__)) == len(module.__all__)
    for public in module.__all__:
        assert hasattr(module, public), public


def fresh(code):
    """What a new interpreter prints."""
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT.parent)


def test_import_is_a_good_neighbour():
    code = """
import sys, signal, warnings, numpy as np
before = (np.geterr(), np.random.get_state()[1].tolist(), sys.getrecursionlimit(), [signal.getsignal(s) for s in (2, 15)], len(warnings.filters))
import tinygrad_edu
after = (np.geterr(), np.random.get_state()[1].tolist(), sys.getrecursionlimit(), [signal.getsignal(s) for s in (2, 15)], len(warnings.filters) - 1)
assert before == after, "global state changed beyond the one written filter"
heavy = {"torch", "matplotlib", "graphviz", "tqdm", "hypothesis", "pytest", "PIL", "sklearn"} & set(sys.modules)
assert not heavy, heavy
"""
    done = fresh(code)
    assert (done.stdout, done.stderr) == ("", "")


def test_import_brings_what_every_program_needs_and_little_else():
    """Counted, not timed: importing tinygrad_edu shall take 40 ms and 4 MB beyond NumPy's."""
    code = """
import sys, numpy
before = set(sys.modules)
import tinygrad_edu
print(*sorted(set(sys.modules) - before))
tinygrad_edu.nn.Linear(1, 1), tinygrad_edu.optim.SGD, tinygrad_edu.conv2d, tinygrad_edu.autograd.gradcheck
"""
    loaded = set(fresh(code).stdout.split())
    ours = {name for name in loaded if name.partition(".")[0] == "tinygrad_edu"}
    assert len(ours) <= 55  # 49 in July 2026: 23 ms and 3.5 MB
    assert len(loaded - ours) <= 12  # 7 then
    absent = "nn optim utils func datasets vision viz lab testing serialization profiler _stand_in _cli"
    for part in absent.split():
        assert not {name for name in ours if f"{name}.".startswith(f"tinygrad_edu.{part}.")}, part
    heavy = (
        "dataclasses pathlib tempfile difflib string json zipfile hashlib secrets multiprocessing urllib numpy.random"
    )
    assert not loaded & set(heavy.split())


def test_what_comes_on_first_use_is_listed_and_stays():
    code = """
import tinygrad_edu as torch
assert {"nn", "conv2d", "func", "save"} <= set(dir(torch)) and not {"nn", "conv2d"} & set(vars(torch))
import tinygrad_edu.nn.functional as F
assert torch.conv2d is F.conv2d and vars(torch)["conv2d"] is F.conv2d
from tinygrad_edu.autograd.gradcheck import GradcheckError
import tinygrad_edu.autograd.gradcheck
assert callable(torch.autograd.gradcheck) and issubclass(GradcheckError, Exception)
assert {"functional", "gradcheck"} <= set(dir(torch.autograd))
assert torch.autograd.functional.__name__ == "tinygrad_edu.autograd.functional"
try:
    torch.autograd.gradchek
except AttributeError as error:
    print(error)
"""
    assert fresh(code).stdout == "module 'tinygrad_edu.autograd' has no attribute 'gradchek'\n"


def test_it_works_with_graphviz_and_tqdm_uninstalled():
    code = """
import sys
sys.modules["graphviz"] = sys.modules["tqdm"] = None
import tinygrad_edu as torch
x = torch.tensor(2.0, requires_grad=True)
(x * x).backward()
print(x.grad)
"""
    assert fresh(code).stdout == "tensor(4.)\n"


@pytest.mark.parametrize("flags", [[], ["-W", "error"]])
def test_no_runtime_warning_of_ours_escapes_and_the_users_own_do(flags):
    code = """
import warnings, numpy as np
import tinygrad_edu as torch
big = torch.tensor([1e30])
inf = torch.tensor([float("inf")])
net = torch.nn.Linear(1, 1)
(big * big, inf - inf, torch.tensor([[3e38]]) @ torch.tensor([[3e38]]), torch.tensor([1e300], dtype=torch.float64).float(), net(big * big))
(torch.tensor([0.0]).log(), torch.tensor([1.0]) / 0, torch.tensor(1e30) * torch.tensor(1e30))
x = torch.tensor([0.0], requires_grad=True)
x.sqrt().sum().backward()
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    np.float32(1e30) * np.float32(1e30)
print(len(caught))
"""
    done = subprocess.run([sys.executable, *flags, "-c", code], capture_output=True, text=True, cwd=ROOT.parent)
    assert (done.stdout, done.stderr) == ("1\n", "")


def lines_of(function):
    return len(inspect.getsourcelines(function)[0])


def test_sizes_are_printed_without_limits_to_golf_against(capsys):
    core = sum(len(p.read_text().splitlines()) for p in (ROOT / "_core").glob("*.py"))
    functions = []
    for module, path in MODULES.items():
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef):
                functions.append((node.end_lineno - node.lineno + 1, f"{module}.{node.name}"))
    formulas = [
        (len(inspect.getsource(f).splitlines()), f"{op.name}.{a}") for op in OPS for a, f in op.formulas.items()
    ]
    per_op = sum(lines_of(op.forward) for op in OPS) / len(OPS)
    with capsys.disabled():
        print(
            f"\nhouse: {core} lines of _core; longest function {max(functions)}; longest formula {max(formulas)}; {len(OPS)} ops, {per_op:.1f} lines per forward"
        )
    assert core > 300
    assert np.isfinite(per_op)
