"""Sentences for failures, shared by all: which op, in which layer, on what, what was expected, how to mend it.

Wording is built only when something has failed.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ._core.modes import module_scope, state


def where() -> str:
    """The layer that is running, as ``" (in net.layer2 (Linear(...)))"``; empty outside any module."""
    labels = module_scope.labels(state.own.path)
    if not labels:
        return ""
    path = ".".join(label.name for label in labels)
    module: Any = labels[-1].module()
    describe = ""
    if module is not None:
        extra = module.extra_repr() if hasattr(module, "extra_repr") else ""
        describe = f" ({type(module).__name__}({extra}))" if extra else f" ({type(module).__name__})"
    return f"\n  in {path}{describe}"


def nearest(name: str, names: Iterable[str], cutoff: float = 0.6) -> list[str]:
    """The one of ``names`` that ``name`` may be a slip of, if any.

    >>> nearest("forwrd", ["forward", "backward"])
    ['forward']
    """
    from difflib import get_close_matches  # here, for a program without slips never needs it

    return get_close_matches(name, list(names), 1, cutoff)


def size(array: Any) -> str:
    """A shape as people write it: 2x3."""
    return "x".join(map(str, array.shape))


def cannot_broadcast(op_name: str, arrays: tuple[Any, ...]) -> str | None:
    """torch's sentence for two shapes that do not broadcast, or None if they do."""
    shaped = [a for a in arrays if hasattr(a, "shape")]
    if len(shaped) < 2:
        return None
    a, b = shaped[:2]
    for back in range(1, min(a.ndim, b.ndim) + 1):
        m, n = a.shape[-back], b.shape[-back]
        if m != n and m != 1 and n != 1:
            dim = max(a.ndim, b.ndim) - back
            return (
                f"The size of tensor a ({m}) must match the size of tensor b ({n}) at non-singleton dimension {dim}: "
                f"{op_name} was given shapes {list(a.shape)} and {list(b.shape)}. Sizes must be equal or 1, counted from the last; "
                "reshape or unsqueeze one of them."
            )
    return None


def cannot_multiply(a: Any, b: Any) -> str:
    """torch's sentence for two matrices whose inner sizes differ."""
    if a.ndim == 1 and b.ndim == 1:
        return f"inconsistent tensor size, expected tensor [{a.shape[0]}] and src [{b.shape[0]}] to have the same number of elements"
    if a.ndim == 0 or b.ndim == 0:
        return f"both arguments to matmul need to be at least 1D, but they are {a.ndim}D and {b.ndim}D; multiply by a number with *."
    if a.ndim == 2 and b.ndim == 1:
        return (
            f"size mismatch, got input ({a.shape[0]}), mat ({size(a)}), vec ({b.shape[0]}): the matrix has {a.shape[1]} columns, "
            f"the vector {b.shape[0]} elements."
        )
    if max(a.ndim, b.ndim) > 2 and a.shape[-1] == b.shape[-2 if b.ndim > 1 else -1]:
        return f"The size of tensor a ({a.shape[0]}) must match the size of tensor b ({b.shape[0]}) at non-singleton dimension 0"
    columns = a.shape[-1]
    rows = b.shape[-2] if b.ndim > 1 else b.shape[-1]
    m, k = (a.shape if a.ndim == 2 else (a[..., 0].size if columns else 0, columns)) if a.ndim > 1 else (1, columns)
    hint = ""
    if b.ndim > 1 and b.shape[-1] == columns:
        hint = " Did you mean x @ y.mT?"
    if b.ndim == 3 and a.ndim == 3:
        return (
            f"Expected size for first two dimensions of batch2 tensor to be: [{a.shape[0]}, {columns}] but got: "
            f"[{b.shape[0]}, {rows}]: x has {columns} columns, y has {rows} rows.{hint}"
        )
    return f"mat1 and mat2 shapes cannot be multiplied ({m}x{k} and {size(b)}): x has {columns} columns, y has {rows} rows.{hint}"


def wrong_features(x: Any, weight: Any) -> str:
    """What went wrong when a linear layer met an input of another width."""
    lead = x[..., 0].size if x.ndim > 1 and x.shape[-1] else (1 if x.ndim <= 1 else 0)
    width = x.shape[-1] if x.ndim else 1
    return (
        f"mat1 and mat2 shapes cannot be multiplied ({lead}x{width} and {weight.shape[-1]}x{weight.shape[0]}): the input has "
        f"{width} features in its last dimension, the layer expects in_features={weight.shape[-1]}. "
        f"Give the layer in_features={width}, or reshape the input (flatten images with x.flatten(1))."
    )


def explain(op: Any, error: Exception, arrays: tuple[Any, ...], settings: dict[str, Any]) -> Exception:
    """The exception to raise for ``error``, which NumPy raised inside the forward of ``op``."""
    if getattr(error, "explained", False):  # an op inside an op has spoken already
        return error
    name = op.name
    kind: type[Exception] = IndexError if isinstance(error, IndexError) else RuntimeError
    sentence: str | None
    if name == "linear":
        sentence = wrong_features(arrays[0], arrays[1])
    elif name in ("matmul", "mm", "bmm", "mv", "dot", "vecmat", "addmm"):
        pair = [a for a in arrays if hasattr(a, "shape")][-2:]
        sentence = cannot_multiply(*pair) if len(pair) == 2 else str(error)
    elif op.broadcasts:
        sentence = cannot_broadcast(name, arrays)
    else:
        sentence = None
    if isinstance(error, TypeError):
        sentence = _no_kernel(op, error, arrays)
        kind = TypeError if sentence is None else NotImplementedError if "not implemented" in sentence else RuntimeError
    if sentence is None:
        given = [
            f"{n} {list(a.shape)}" if hasattr(a, "shape") else f"{n}={a!r}"
            for n, a in zip(op.arguments, arrays, strict=False)
        ]
        given += [f"{k}={v!r}" for k, v in settings.items() if not hasattr(v, "shape")]
        sentence = f"{error} ({name} was given {', '.join(given)})"
    made = kind(sentence + where())
    made.explained = True  # type: ignore[attr-defined]  # a mark for the op outside this one
    return made


def cut_off(tensor: Any) -> str:
    """Why ``tensor`` has no gradient: the name of what cut it off the graph."""
    cut = tensor._cut
    reasons = {
        None: "none of the tensors it was computed from requires grad. Create them with requires_grad=True, check that the parameters "
        "are not frozen, and that nothing was rebuilt from numbers on the way (item(), torch.tensor(...), NumPy).",
        "no_grad": "it was computed under torch.no_grad() (or inference_mode). Compute the loss outside that block.",
        "detach": "it comes from detach(). Use the tensor itself where the gradient must flow.",
        "data": "it comes from .data, which leaves the graph. Use the tensor itself where the gradient must flow.",
        "item": "it was rebuilt from Python numbers (item(), tolist() or torch.tensor(...)). Keep the tensor itself.",
    }
    reason = reasons.get(cut, f"it was cut off by {cut}, which has no gradient (its result does not change smoothly).")
    return (
        f"{reason} Setting loss.requires_grad = True would silence this error and train nothing; "
        "tinygrad_edu.viz.why_no_grad(x, loss) tells where the path from a tensor x to the loss was cut."
    )


def no_gradient_to(number: int, tensor: Any) -> str:
    """torch's sentence when backward starts at a tensor without history, with the reason."""
    return f"element {number} of tensors does not require grad and does not have a grad_fn: {cut_off(tensor)}"


def in_place(op: Any, error: Exception, mine: Any, other: Any, name: str) -> Exception:
    """The exception for an in-place write whose operand does not fit."""
    sentence = cannot_broadcast(name, (mine, other))
    if sentence is None:
        sentence = (
            f"output with shape {list(mine.shape)} doesn't match the broadcast shape of {list(other.shape)} ({name})"
        )
    return RuntimeError(sentence + where())


BOOL_MINUS = (
    "Subtraction, the `-` operator, with a bool tensor is not supported. If you are trying to invert a mask, use the `~` or "
    "`logical_not()` operator instead; otherwise convert with .int()."
)


def _no_kernel(op: Any, error: Exception, arrays: tuple[Any, ...]) -> str | None:
    """torch's sentence for an op that a dtype does not have, or None if the error is another."""
    if op.name in ("sub", "rsub") and "boolean" in str(error):
        return (
            "Subtraction, the `-` operator, with two bool tensors is not supported. Use the `^` or `logical_xor()` operator instead, or "
            "convert with .int()."
        )
    if op.name == "neg" and "boolean" in str(error):
        return (
            "Negation, the `-` operator, on a bool tensor is not supported. If you are trying to invert a mask, use the `~` or "
            "`logical_not()` operator instead."
        )
    if "ufunc" in str(error) or "boolean" in str(error):
        names = {str(a.dtype): None for a in arrays if hasattr(a, "dtype")}
        return f'"{op.name}" not implemented for {", ".join(names)}: convert first, with .float() or .long().'
    return None


_SYMBOLS = {
    "add": "+", "sub": "-", "mul": "*", "div": "/", "eq": "==", "ne": "!=", "lt": "<", "le": "<=", "gt": ">", "ge": ">=",
    "bitwise_and": "&", "bitwise_or": "|", "bitwise_xor": "^",
}  # fmt: skip  # a table reads better in rows


def wrong_operand(op_name: str, other: object) -> str:
    """Python's sentence for an operand that is no tensor and no number."""
    symbol = _SYMBOLS.get(op_name, op_name)
    if symbol[0] in "=!<>":
        return f"'{symbol}' not supported between instances of 'Tensor' and '{type(other).__name__}'"
    return f"unsupported operand type(s) for {symbol}: 'Tensor' and '{type(other).__name__}'"
