"""Hooks of modules, as torch runs them."""

from __future__ import annotations

from typing import Any

import pytest

from tests.oracle import both


def test_forward_hooks_see_and_change() -> None:
    def program(t: Any) -> Any:
        t.manual_seed(0)
        layer, seen = t.nn.Linear(2, 3), []
        first = layer.register_forward_pre_hook(lambda m, args: seen.append(("pre", len(args))))
        layer.register_forward_pre_hook(lambda m, args: (args[0] * 2,))
        layer.register_forward_hook(lambda m, args, out: seen.append(("post", tuple(out.shape))))
        layer.register_forward_hook(lambda m, args, out: out + 1)
        a = layer(t.ones(4, 2))
        first.remove()
        first.remove()
        return a, layer(t.ones(4, 2)), seen

    both(program)


def test_hooks_with_keywords_see_and_change_them() -> None:
    def program(t: Any) -> Any:
        class Add(t.nn.Module):
            def forward(self, x: Any, y: Any = 0) -> Any:
                return x + y

        m, seen = Add(), []
        m.register_forward_pre_hook(lambda m, a, k: (a, {"y": k["y"] * 10}), with_kwargs=True)
        m.register_forward_hook(lambda m, a, k, out: seen.append(k), with_kwargs=True)
        return m(t.ones(2), y=3), seen

    both(program)


def test_a_prepended_hook_runs_first() -> None:
    def program(t: Any) -> Any:
        m, seen = t.nn.ReLU(), []
        m.register_forward_hook(lambda *_: seen.append("a"))
        m.register_forward_hook(lambda *_: seen.append("b"), prepend=True)
        with m.register_forward_hook(lambda *_: seen.append("c")):
            m(t.ones(1))
        m(t.ones(1))
        return seen

    both(program)


def test_a_hook_that_must_run_runs_after_a_failure() -> None:
    def program(t: Any) -> Any:
        m, seen = t.nn.Linear(2, 3), []
        m.register_forward_hook(lambda *_: seen.append("always"), always_call=True)
        m.register_forward_hook(lambda *_: seen.append("never"))
        try:
            m(t.ones(1, 5))
        except RuntimeError:
            seen.append("raised")
        return seen

    both(program)


def test_a_pre_hook_with_keywords_must_return_a_pair() -> None:
    def program(t: Any) -> Any:
        m = t.nn.ReLU()
        m.register_forward_pre_hook(lambda m, a, k: 3, with_kwargs=True)
        return m(t.ones(1))

    both(program)


def test_full_backward_hooks_see_the_gradients() -> None:
    def program(t: Any) -> Any:
        t.manual_seed(0)
        seen = []
        net = t.nn.Sequential(t.nn.Linear(2, 3), t.nn.Tanh(), t.nn.Linear(3, 1))
        for layer in net:
            layer.register_full_backward_hook(lambda m, gi, go: seen.append((type(m).__name__, gi, go)))
        x = t.ones(4, 2, requires_grad=True)
        net(x).sum().backward()
        return seen, x.grad, [p.grad for p in net.parameters()]

    both(program)


def test_a_backward_hook_changes_the_gradient_that_leaves() -> None:
    def program(t: Any) -> Any:
        t.manual_seed(0)
        layer = t.nn.Linear(2, 3)
        layer.register_full_backward_hook(lambda m, gi, go: (gi[0] * 100,))
        layer.register_full_backward_pre_hook(lambda m, go: (go[0] * 2,))
        x = t.ones(4, 2, requires_grad=True)
        layer(x).sum().backward()
        return x.grad, layer.weight.grad

    both(program)


def test_a_backward_hook_runs_without_gradient_of_the_input() -> None:
    def program(t: Any) -> Any:
        t.manual_seed(0)
        layer, seen = t.nn.Linear(2, 3), []
        layer.register_full_backward_hook(lambda m, gi, go: seen.append((gi, go)))
        layer(t.ones(4, 2)).sum().backward()
        return seen, layer.weight.grad

    both(program)


def test_a_backward_hook_sees_several_inputs_and_outputs() -> None:
    def program(t: Any) -> Any:
        class Two(t.nn.Module):
            def forward(self, x: Any, n: int, y: Any) -> Any:
                return x * y, x * n

        m, seen = Two(), []
        m.register_full_backward_hook(lambda m, gi, go: seen.append((gi, go)))
        x, y = t.ones(2, requires_grad=True), t.full((2,), 3.0, requires_grad=True)
        a, b = m(x, 5, y)
        (a.sum() + (b * b).sum()).backward()
        return seen, x.grad, y.grad

    both(program)


def test_backward_hooks_rest_under_no_grad() -> None:
    def program(t: Any) -> Any:
        m = t.nn.Linear(1, 1)
        m.register_full_backward_hook(lambda *_: None)
        with t.no_grad():
            return m(t.ones(1, 1)).requires_grad

    both(program)


def test_state_dict_hooks_run_around_collecting() -> None:
    def program(t: Any) -> Any:
        m, seen = t.nn.Sequential(t.nn.Linear(1, 1)), []
        m[0].register_state_dict_pre_hook(lambda module, prefix, keep: seen.append((prefix, keep)))
        m[0].register_state_dict_post_hook(lambda module, state, prefix, meta: state.pop(prefix + "bias") and None)
        return list(m.state_dict()), seen

    both(program)


def test_load_hooks_may_rename_keys_and_amend_the_report() -> None:
    def program(t: Any) -> Any:
        m = t.nn.Sequential(t.nn.Linear(1, 1))

        def rename(module: Any, state: Any, prefix: str, *_: Any) -> None:
            state[prefix + "weight"] = state.pop(prefix + "w")

        m[0].register_load_state_dict_pre_hook(rename)
        m.register_load_state_dict_post_hook(lambda module, keys: keys.missing_keys.clear())
        return repr(m.load_state_dict({"0.w": t.full((1, 1), 4.0)})), m[0].weight

    both(program)


def test_a_module_output_that_is_no_tensor_warns_when_gradients_are_watched() -> None:
    import tinygrad_edu as tg

    class Dict(tg.nn.Module):
        def forward(self, x: Any) -> Any:
            return {"x": x}

    m = Dict()
    m.register_full_backward_hook(lambda *_: None)
    with pytest.warns(UserWarning, match="should be a Tensor or a tuple of Tensors"):
        m(tg.ones(1, requires_grad=True))
