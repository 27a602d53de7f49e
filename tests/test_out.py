"""``out=``: a result is written where it is asked for."""

import pytest

from tests.oracle import both

CALLS = {
    "add": lambda t, **k: t.add(t.ones(2), 2, **k),
    "sub": lambda t, **k: t.sub(t.ones(2), 2, **k),
    "mul": lambda t, **k: t.mul(t.ones(2), 2, **k),
    "div": lambda t, **k: t.div(t.ones(2), 2, **k),
    "pow": lambda t, **k: t.pow(t.ones(2) * 3, 2, **k),
    "exp": lambda t, **k: t.exp(t.ones(2), **k),
    "matmul": lambda t, **k: t.matmul(t.ones(2, 3), t.ones(3, 2), **k),
    "mm": lambda t, **k: t.mm(t.ones(2, 3), t.ones(3, 2), **k),
    "cat": lambda t, **k: t.cat([t.ones(2), t.zeros(1)], **k),
    "stack": lambda t, **k: t.stack([t.ones(2), t.zeros(2)], **k),
    "zeros": lambda t, **k: t.zeros(2, **k),
    "ones": lambda t, **k: t.ones(2, **k),
    "full": lambda t, **k: t.full((2,), 3.0, **k),
    "eye": lambda t, **k: t.eye(2, **k),
    "arange": lambda t, **k: t.arange(2.0, **k),
    "linspace": lambda t, **k: t.linspace(0, 1, 2, **k),
    "logspace": lambda t, **k: t.logspace(0, 1, 2, **k),
    "clamp": lambda t, **k: t.clamp(t.ones(2) * 5, 0, 2, **k),
}


@pytest.mark.parametrize("name", sorted(CALLS))
def test_the_result_lands_in_out(name):
    def program(t):
        into = t.empty(0)
        returned = CALLS[name](t, out=into)
        return into, returned is into

    both(program)


def test_a_tensor_of_the_right_shape_is_written_where_it_lies():
    def program(t):
        whole = t.zeros(2, 2)
        t.add(t.ones(2), 1, out=whole[0])
        return whole

    both(program)


def test_out_refuses_what_wants_a_gradient():
    both(lambda t: t.exp(t.ones(2, requires_grad=True), out=t.empty(2)))


def test_to_copies_when_asked_by_place():
    def program(t):
        x = t.ones(2)
        return x.to(t.float32, False, True) is x, x.to(t.float32, False, False) is x

    both(program)
