"""no_grad and its kin: context managers, decorators, per thread."""

import pytest

import tinygrad_edu as torch
from tests.oracle import both


def test_modes_nest_and_come_back():
    def program(t):
        seen = []
        with t.no_grad():
            seen.append(t.is_grad_enabled())
            with t.enable_grad():
                seen.append(t.is_grad_enabled())
                with t.set_grad_enabled(False):
                    seen.append(t.is_grad_enabled())
                seen.append(t.is_grad_enabled())
            seen.append(t.is_grad_enabled())
        seen.append(t.is_grad_enabled())
        return seen

    both(program)


def test_set_grad_enabled_works_as_a_function():
    def program(t):
        t.set_grad_enabled(False)
        off = t.is_grad_enabled()
        t.set_grad_enabled(True)
        return off, t.is_grad_enabled()

    both(program)


@pytest.mark.parametrize(
    "spelling", ["no_grad()", "no_grad", "inference_mode()", "inference_mode", "set_grad_enabled(False)"]
)
def test_they_decorate_functions(spelling):
    def program(t):
        @eval(f"t.{spelling}", {"t": t})
        def f(x):
            return (x * 2).requires_grad

        return f(t.ones(1, requires_grad=True)), t.is_grad_enabled()

    both(program)


def test_they_decorate_generators():
    def program(t):
        @t.no_grad()
        def numbers():
            yield t.is_grad_enabled()
            yield t.is_grad_enabled()

        return [(inside, t.is_grad_enabled()) for inside in numbers()]

    both(program)


def test_an_exception_restores_the_mode():
    with pytest.raises(ValueError, match="x"), torch.no_grad():
        raise ValueError("x")
    assert torch.is_grad_enabled()


def test_inference_mode_says_so():
    with torch.inference_mode():
        assert torch.is_inference_mode_enabled()
    assert not torch.is_inference_mode_enabled()
