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
