"""Does a function do the same with tinygrad_edu as with PyTorch? Values, dtypes, shapes, and gradients of any order."""

from __future__ import annotations

import importlib
import inspect
import warnings
from collections.abc import Callable, Iterator, Mapping
from typing import Any, cast

import numpy as np

from .._tensor import Tensor
from ..random import fork_rng
from ._close import assert_close

__all__ = ["assert_matches_torch"]

Leaves = dict[str, Any]  # what there is to compare, by what it is called: "output[0]", "the gradient of argument 1 (w)"
_OURS = __name__.partition(".")[0]
_ORDINALS = {1: "", 2: "second ", 3: "third "}


def assert_matches_torch(
    fn: Callable[..., Any],
    *args: Any,
    reference: Callable[..., Any] | None = None,
    order: int = 1,
    rtol: float | None = None,
    atol: float | None = None,
) -> None:
    """Require that ``fn(tinygrad_edu, *args)`` and ``fn(torch, *args)`` give the same.

    Compared are what they return (tensors, numbers, nested in tuples, lists and dicts): value, dtype, shape,
    requires_grad; and the gradients of all arguments, by a random weighting of all outputs that is the same for both.
    Both begin from the same seed, so that dropout and random initialisation agree; your own random streams are left
    where they were.

    Parameters
    ----------
    fn
        Takes the framework, then the arguments: ``lambda t, x: t.tanh(x)``. Write it for torch's interface.
    args
        Arrays become tensors, floating ones such that require grad. So do tensors of tinygrad_edu; they require grad if
        they did. Both may be inside of lists, tuples and dicts. Everything else is handed on as it is.
    reference
        A function of torch alone to compare with. Then ``fn`` is yours alone, and neither is handed the framework:
        ``assert_matches_torch(my_swish, x, reference=torch.nn.functional.silu)``.
    order
        How often to differentiate.
    rtol, atol
        Tolerances: both or neither, which takes those of `assert_close`.

    Raises
    ------
    AssertionError
        If they differ; the message lists everything that does.
    ImportError
        If PyTorch is not installed.

    Examples
    --------
    >>> import numpy as np
    >>> from tinygrad_edu.testing import assert_matches_torch
    >>> x, w = np.array([[0.5, -1.0]]), np.array([[2.0], [3.0]])
    >>> assert_matches_torch(lambda t, x, w: (x @ w).tanh().sum(), x, w, order=2)
    >>> assert_matches_torch(lambda t, x: x * 2 if t.__name__ == "torch" else x + x.detach(), x)
    Traceback (most recent call last):
        ...
    AssertionError: tinygrad_edu and torch differ:
    <BLANKLINE>
    gradient of argument 0 (x): Tensor-likes are not close!
    <BLANKLINE>
    Mismatched elements: 2 / 2 (100.0%)
    Greatest absolute difference: 1.1369616873214543 at index (0, 0) (up to 1e-07 allowed)
    Greatest relative difference: 0.5 at index (0, 0) (up to 1e-07 allowed)
    """
    __tracebackhide__ = True
    torch, ours = _torch(), importlib.import_module(_OURS)
    names = _names(fn, framework_first=reference is None)

    def program(t: Any, function: Callable[..., Any]) -> Leaves:
        arguments = _tensors(args, t)
        return _everything(
            t, lambda: function(t, *arguments) if reference is None else function(*arguments), arguments, names, order
        )

    with warnings.catch_warnings(), torch.random.fork_rng(devices=[]):
        warnings.simplefilter("ignore")  # what torch has to say is not under test
        theirs = _outcome(lambda: program(torch, reference or fn))
    with fork_rng():
        mine = _outcome(lambda: program(ours, fn))
    if isinstance(mine, Exception) or isinstance(theirs, Exception):
        raise _refusal(mine, theirs)
    differences = _differences(mine, theirs, {"rtol": rtol, "atol": atol})
    if differences:
        raise AssertionError("tinygrad_edu and torch differ:\n\n" + "\n\n".join(differences))


def _torch() -> Any:
    """PyTorch, or a sentence."""
    __tracebackhide__ = True
    try:
        torch = importlib.import_module("torch")
    except ImportError:
        torch = None
    if torch is None:
        raise ImportError(
            "assert_matches_torch compares with PyTorch, which is not installed: pip install torch. Without it, check_grads checks the "
            "gradients by finite differences."
        )
    if not hasattr(torch, "_C"):
        raise ImportError(
            "assert_matches_torch compares with PyTorch, but `import torch` means tinygrad_edu at present: leave the block of as_torch(), "
            "or do not start through `python -m tinygrad_edu run`."
        )
    return torch


def _names(fn: Callable[..., Any], *, framework_first: bool) -> list[str]:
    """What the function calls its arguments, as far as it shows."""
    try:
        parameters = list(inspect.signature(fn).parameters.values())[framework_first:]
    except (TypeError, ValueError):  # a function written in C that shows no signature
        return []
    return [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]


def _tensors(args: Any, t: Any) -> Any:
    """The arguments with a new tensor of the framework in place of each array and each tensor."""
    if isinstance(args, Tensor):
        return t.from_numpy(np.array(args.detach().numpy())).requires_grad_(args.requires_grad)
    if isinstance(args, np.ndarray | np.generic):
        return t.from_numpy(np.array(args)).requires_grad_(args.dtype.kind == "f")
    if isinstance(args, tuple) and hasattr(args, "_fields"):
        return type(args)(*[_tensors(x, t) for x in args])
    if type(args) in (tuple, list):
        return type(args)(_tensors(x, t) for x in args)
    return {key: _tensors(x, t) for key, x in args.items()} if type(args) is dict else args


def _outcome(program: Callable[[], Leaves]) -> Leaves | Exception:
    try:
        return program()
    except Exception as error:
        return error


def _refusal(mine: Leaves | Exception, theirs: Leaves | Exception) -> Exception:
    """What to raise: our exception where both raise the same; else that they differ."""
    if isinstance(mine, Exception) and isinstance(theirs, Exception):
        if _builtin(theirs) in type(mine).__mro__:
            mine.add_note(f"torch raises, too: {_shown(theirs)}")
            return mine
        words = f"they raise different exceptions.\ntinygrad_edu: {_shown(mine)}\ntorch: {_shown(theirs)}"
    elif isinstance(mine, Exception):
        words = f"only tinygrad_edu raises: {_shown(mine)}"
    else:
        words = f"only torch raises: {_shown(cast(Exception, theirs))}"
    refusal = AssertionError(f"tinygrad_edu and torch differ: {words}")
    refusal.__cause__ = mine if isinstance(mine, Exception) else cast(Exception, theirs)
    return refusal


def _builtin(error: Exception) -> type:
    """The first built-in class that an exception descends from: RuntimeError for torch's LinAlgError."""
    return next(kind for kind in type(error).__mro__ if kind.__module__ == "builtins")


def _shown(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"


def _everything(t: Any, run: Callable[[], Any], arguments: Any, names: list[str], order: int) -> Leaves:
    """What the function returns, and the gradients of a weighting of it, and of a weighting of these, and so on."""
    t.manual_seed(0)
    latest = dict(_leaves(run(), "output"))
    inputs = {
        label: x
        for i, argument in enumerate(arguments)
        for label, x in _leaves(argument, f"argument {i} ({names[i]})" if i < len(names) else f"argument {i}")
        if isinstance(x, t.Tensor) and x.requires_grad
    }
    found, draw = dict(latest), np.random.default_rng(0)
    for k in range(1, order + 1):
        gradients = _gradients(t, latest, inputs, draw, create_graph=k < order)
        if k > 1:  # a gradient that does not depend on an input has a gradient of zero, whether it says so or not
            gradients = {name: t.zeros_like(inputs[name]) if g is None else g for name, g in gradients.items()}
        latest = {f"{_ORDINALS.get(k, f'{k}th ')}gradient of {name}": g for name, g in gradients.items()}
        found |= latest
    return found


def _gradients(t: Any, outputs: Leaves, inputs: Leaves, draw: np.random.Generator, *, create_graph: bool) -> Leaves:
    """The gradients of the inputs, each None if none arrives, by a random weighting of the outputs."""
    tensors = [x for x in outputs.values() if isinstance(x, t.Tensor) and x.is_floating_point()]
    weights = [t.from_numpy(np.asarray(draw.uniform(0.5, 1.5, tuple(x.shape)))).to(x.dtype) for x in tensors]
    able = [(x, w) for x, w in zip(tensors, weights, strict=True) if x.requires_grad]
    if not inputs or not able:
        return dict.fromkeys(inputs)
    found = t.autograd.grad(
        [x for x, _ in able],
        list(inputs.values()),
        [w for _, w in able],
        create_graph=create_graph,
        allow_unused=True,
    )
    return dict(zip(inputs, found, strict=True))


def _leaves(tree: Any, label: str) -> Iterator[tuple[str, Any]]:
    """What is not a tuple, a list or a dict, with what it is called."""
    if isinstance(tree, tuple | list):
        for i, x in enumerate(tree):
            yield from _leaves(x, f"{label}[{i}]")
    elif isinstance(tree, Mapping):
        for key, x in tree.items():
            yield from _leaves(x, f"{label}[{key!r}]")
    else:
        yield label, tree


def _differences(mine: Leaves, theirs: Leaves, tolerances: dict[str, float | None]) -> list[str]:
    """A paragraph for each thing that differs, in the order in which they were computed."""
    found = []
    for label in mine | theirs:
        if label in mine and label in theirs:
            words = _difference(mine[label], theirs[label], "gradient" in label, tolerances)
        else:
            words = ["only torch has it" if label in theirs else "torch does not have it"]
        found += [f"{label}: {sentence}" for sentence in words]
    return found


def _difference(mine: Any, theirs: Any, is_gradient: bool, tolerances: dict[str, float | None]) -> list[str]:
    """What differs between two results."""
    if not (_is_tensor(mine) and _is_tensor(theirs)):
        if _is_tensor(mine) or _is_tensor(theirs) or type(mine).__name__ != type(theirs).__name__:
            return [_both_sides(*[f"a {type(x).__name__}" if x is not None else "None" for x in (mine, theirs)])]
        if isinstance(mine, int | float | np.ndarray):
            return _values(mine, theirs, tolerances)
        return [] if str(mine) == str(theirs) else [_both_sides(str(mine), str(theirs))]  # dtypes, devices, texts
    if tuple(mine.shape) != tuple(theirs.shape):
        return [f"the shape differs: {_both_sides(str(tuple(mine.shape)), str(tuple(theirs.shape)))}"]
    words = []
    if str(mine.dtype) != str(theirs.dtype):
        words.append(f"the dtype differs: {_both_sides(str(mine.dtype), str(theirs.dtype))}")
    words += _values(mine.detach(), theirs.detach(), tolerances)
    if not is_gradient and mine.requires_grad != theirs.requires_grad:
        words.append(f"requires_grad differs: {_both_sides(str(mine.requires_grad), str(theirs.requires_grad))}")
    return words


def _values(mine: Any, theirs: Any, tolerances: dict[str, float | None]) -> list[str]:
    if _is_tensor(mine):
        mine, theirs = mine.numpy(), theirs.numpy(force=True)  # force: torch's gradients may be zeros without memory
    try:
        assert_close(mine, theirs, equal_nan=True, check_dtype=False, **tolerances)  # type: ignore[arg-type]  # rtol, atol
    except AssertionError as error:
        return [str(error)]
    return []


def _is_tensor(x: Any) -> bool:
    return hasattr(x, "requires_grad") and hasattr(x, "grad_fn")


def _both_sides(mine: str, theirs: str) -> str:
    return f"tinygrad_edu gives {mine}, torch gives {theirs}"
