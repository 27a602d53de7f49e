"""why_no_grad: every way to lose a gradient, and the sentence that names it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tinygrad_edu as t
from tinygrad_edu import nn, viz

RECORD = "Run the forward pass inside `with viz.record() as tape:` and ask again to see the line."
LOST = (
    "No gradient reaches x: no step on the way to the loss used it. It was cut off before (detach(), .data, no_grad, argmax, an "
    f"integer cast, item(), NumPy, torch.tensor(...)), another tensor took its place, or it was never used. {RECORD}"
)
OUTSIDE = (
    "No gradient reaches x: mul (MulBackward0) used its numbers outside of the graph: by way of detach() or .data, under no_grad, or "
    f"before it required grad. Use the tensor itself there. {RECORD}"
)
ITEM = "Plain numbers have no graph: keep the tensor itself, and join several with torch.stack."
NUMPY = "What NumPy computes is not recorded: compute it with torch's functions."
SMOOTH = "Its result does not change smoothly, so that it has no gradient."


def leaf(*values: float) -> t.Tensor:
    return t.tensor(list(values), requires_grad=True)


CASES: dict[str, tuple[Callable[[t.Tensor, t.Tensor], t.Tensor], str, str]] = {}


def case(plain: str, recorded: str) -> Callable[[Callable[[t.Tensor, t.Tensor], t.Tensor]], None]:
    """Put a program on the list, with what is said of it without and with a recording; HERE stands for the line that ends in ``# cut``."""

    def put(program: Callable[[t.Tensor, t.Tensor], t.Tensor]) -> None:
        CASES[program.__name__] = program, plain, recorded

    return put


@case(
    LOST,
    "No gradient reaches x: the path to the loss is cut by detach() at HERE. What detach() gives stands outside of the graph: use the "
    "tensor itself where the gradient must flow.",
)
def detach(x: t.Tensor, w: t.Tensor) -> t.Tensor:
    h = (x * 2).detach()  # cut
    return (w * h).sum()


@case(
    OUTSIDE,
    "No gradient reaches x: the path to the loss is cut by .data at HERE. What .data gives stands outside of the graph: use the "
    "tensor itself where the gradient must flow.",
)
def data(x: t.Tensor, w: t.Tensor) -> t.Tensor:
    return (w * x.data).sum()  # cut


@case(
    LOST,
    "No gradient reaches x: the path to the loss is cut by no_grad(), under which mul ran at HERE. What is computed under no_grad() or "
    "inference_mode() is not recorded: compute it outside of that block.",
)
def no_grad(x: t.Tensor, w: t.Tensor) -> t.Tensor:
    with t.no_grad():
        h = x * 2  # cut
    return (w * h).sum()


@case(LOST, f"No gradient reaches x: it is cut by argmax at HERE. {SMOOTH} As an index it passes none on either.")
def argmax(x: t.Tensor, w: t.Tensor) -> t.Tensor:
    return w[x.argmax()] * 1  # cut


@case(LOST, f"No gradient reaches x: the path to the loss is cut by gt at HERE. {SMOOTH}")
def comparison(x: t.Tensor, w: t.Tensor) -> t.Tensor:
    mask = x > 1  # cut
    return (mask.float() * w).sum()


@case(LOST, f"No gradient reaches x: the path to the loss is cut by a cast to int64 at HERE. {SMOOTH}")
def integer_cast(x: t.Tensor, w: t.Tensor) -> t.Tensor:
    return (w * x.long()).sum()  # cut


@case(LOST, f"No gradient reaches x: it left the graph as plain numbers, by numpy() at HERE. {NUMPY}")
def numpy_detour(x: t.Tensor, w: t.Tensor) -> t.Tensor:
    array = (x * 2).detach().numpy()  # cut
    return (w * t.from_numpy(np.sqrt(array))).sum()


@case(LOST, f"No gradient reaches x: the path to the loss is cut by item() or tolist() at HERE. {ITEM}")
def item(x: t.Tensor, w: t.Tensor) -> t.Tensor:
    scale = (x * 2).sum().item()  # cut
    return w.sum() * scale


@case(LOST, f"No gradient reaches x: it left the graph as plain numbers, by item() at HERE. {ITEM}")
def item_computed_with(x: t.Tensor, w: t.Tensor) -> t.Tensor:
    scale = (x * 2).sum().item() * 3  # cut
    return w.sum() * t.tensor(scale)


@case(LOST, f"No gradient reaches x: the path to the loss is cut by item() or tolist() at HERE. {ITEM}")
def rebuilt_of_a_list(x: t.Tensor, w: t.Tensor) -> t.Tensor:
    again = t.tensor((x * 2).tolist())  # cut
    return (w * again).sum()


@case(
    LOST,
    f"No gradient reaches x: the loss uses a tensor that torch.tensor(...) rebuilt of others at HERE. {ITEM}",
)
def rebuilt_of_tensors(x: t.Tensor, w: t.Tensor) -> t.Tensor:
    again = t.tensor([x[0] * 3, x[1] * 3])
    return (w * again).sum()  # cut


@case(LOST, "No gradient reaches x: no recorded operation used it.")
def never_used(x: t.Tensor, w: t.Tensor) -> t.Tensor:
    return w.sum()


@case(LOST, "No gradient reaches x: it was used by mul at HERE, but nothing of that reached the loss.")
def used_for_nothing(x: t.Tensor, w: t.Tensor) -> t.Tensor:
    print((x * 2).sum().item())  # cut
    return w.sum()


@case(
    OUTSIDE,
    "No gradient reaches x: it was used at HERE before it required grad. Call x.requires_grad_() before the forward pass.",
)
def asked_too_late(x: t.Tensor, w: t.Tensor) -> t.Tensor:
    x.requires_grad_(False)
    loss = (w * x).sum()  # cut
    x.requires_grad_()
    return loss


@case(
    f"No gradient reaches x: the loss is cut off by detach(). What detach() gives stands outside of the graph: use the tensor itself "
    f"where the gradient must flow. {RECORD}",
    "No gradient reaches x: the path to the loss is cut by detach() at HERE (1 other path is cut as well). What detach() gives stands "
    "outside of the graph: use the tensor itself where the gradient must flow.",
)
def all_is_cut(x: t.Tensor, w: t.Tensor) -> t.Tensor:
    h = (x * 2).detach()  # cut
    return h.sum() + x.exp().detach().sum()


@case(
    "Nothing is cut: backward() has not been called yet, or x.grad was emptied since. Call loss.backward().",
    "Nothing is cut: backward() has not been called yet, or x.grad was emptied since. Call loss.backward().",
)
def no_backward_yet(x: t.Tensor, w: t.Tensor) -> t.Tensor:
    return (x * w).sum()


@case("Nothing is cut: x.grad is there.", "Nothing is cut: x.grad is there.")
def all_is_well(x: t.Tensor, w: t.Tensor) -> t.Tensor:
    loss = (x * w).sum()
    loss.backward()
    return loss


DEAD = (
    "Nothing is cut: x.grad is there, and every element is 0. The slopes on the way are 0, as those of relu are for negative "
    "inputs (dead units), or x does not change the loss here."
)


@case(DEAD, DEAD)
def dead_relu(x: t.Tensor, w: t.Tensor) -> t.Tensor:
    loss = (w * (-x).relu()).sum()
    loss.backward()
    return loss


EMPTIED = (
    "Nothing is cut, and backward() has run: x.grad was emptied since (zero_grad(), x.grad = None), or the gradients were asked for by "
    "autograd.grad() or backward(inputs=...), which leave other tensors alone."
)


@case(EMPTIED, EMPTIED)
def emptied(x: t.Tensor, w: t.Tensor) -> t.Tensor:
    loss = (w * x.exp()).sum()
    loss.backward()
    x.grad = None
    return loss


FROZEN = "x is frozen: its requires_grad is False. Call x.requires_grad_() before the forward pass."


@case(FROZEN, FROZEN)
def frozen(x: t.Tensor, w: t.Tensor) -> t.Tensor:
    x.requires_grad_(False)
    return (w * x).sum()


def here(program: Callable[..., object]) -> str:
    """The file, line and text of the line of ``program`` that ends in ``# cut``."""
    import inspect

    lines, first = inspect.getsourcelines(program)
    return next(
        (
            f"test_why_no_grad.py:{first + i} ({line.strip()})"
            for i, line in enumerate(lines)
            if line.rstrip().endswith("# cut")
        ),
        "",
    )


@pytest.mark.parametrize("name", CASES)
def test_without_a_recording_the_cut_is_named_where_it_is_known(name: str) -> None:
    program, plain, _ = CASES[name]
    x, w = leaf(1.25, 2.5), leaf(3.0, 4.0)
    assert str(viz.why_no_grad(x, program(x, w))) == plain


@pytest.mark.parametrize("name", CASES)
def test_recorded_it_comes_with_its_line(name: str) -> None:
    program, _, recorded = CASES[name]
    x, w = leaf(1.25, 2.5), leaf(3.0, 4.0)
    with viz.record() as tape:
        loss = program(x, w)
    answer = viz.why_no_grad(x, loss, tape=tape)
    assert str(answer) == recorded.replace("HERE", here(program))
    assert (answer.source is not None) == ("HERE" in recorded)
    assert repr(viz.why_no_grad(x, loss)) == str(answer)  # the last tape is at hand


def test_inside_the_block_the_running_tape_is_asked() -> None:
    x = leaf(1.0)
    with viz.record():
        assert viz.why_no_grad(x, (x * 2).detach().sum()).source is not None


def test_a_result_that_does_not_keep_its_gradient_is_told_apart() -> None:
    h = leaf(1.0) * 2
    assert str(viz.why_no_grad(h, h.sum())) == (
        "Nothing is cut, but x is not a leaf: backward() computes its gradient and does not keep it. Call x.retain_grad() before "
        "backward()."
    )
    h.retain_grad()
    assert str(viz.why_no_grad(h, h.sum())).startswith("Nothing is cut: backward() has not been called yet")


@pytest.mark.parametrize(
    ("x", "sentence"),
    [
        (t.tensor([1]), "x is int64: only floating-point tensors have gradients. Convert it with .float() first."),
        (
            t.tensor([1.0]),
            "x asks for no gradient: create it with requires_grad=True, or call x.requires_grad_() before the forward pass.",
        ),
        (nn.Parameter(t.ones(1), requires_grad=False), FROZEN),
        (
            leaf(1.0).exp().detach(),
            "x itself is cut off by detach(). What detach() gives stands outside of the graph: use the tensor itself where the gradient "
            "must flow.",
        ),
    ],
)
def test_a_tensor_that_asks_for_none_is_told_so(x: t.Tensor, sentence: str) -> None:
    assert str(viz.why_no_grad(x, leaf(1.0).sum())) == sentence


def test_what_is_no_tensor_is_refused() -> None:
    x: Any = 3.0
    with pytest.raises(TypeError, match="asks about two tensors, but loss is a float"):
        viz.why_no_grad(leaf(1.0), x)


def test_the_errors_for_missing_gradients_name_it() -> None:
    x = leaf(1.0)
    with pytest.raises(RuntimeError, match=r"viz\.why_no_grad\(x, loss\) tells where the path"):
        x.detach().sum().backward()
    with pytest.raises(RuntimeError, match=r"viz\.why_no_grad\(x, output\) tells where it was lost"):
        t.autograd.grad(leaf(1.0).sum(), x)
