"""Sequential, ModuleList, ModuleDict, ParameterList, ParameterDict against torch."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

import pytest

from tests.oracle import both


def show(t: Any, module: Any) -> Any:
    """What can be seen of a container."""
    return repr(module), list(module.state_dict()), len(module)


SEQUENTIAL = {
    "plain": lambda t, s: s,
    "slice": lambda t, s: s[1:],
    "negative slice": lambda t, s: s[:-1],
    "append": lambda t, s: s.append(t.nn.Tanh()),
    "extend": lambda t, s: s.extend(t.nn.Sequential(t.nn.Tanh(), t.nn.ReLU())),
    "insert": lambda t, s: s.insert(1, t.nn.Tanh()),
    "insert negative": lambda t, s: s.insert(-1, t.nn.Tanh()),
    "add": lambda t, s: s + t.nn.Sequential(t.nn.Tanh()),
    "multiply": lambda t, s: s * 2,
    "multiply left": lambda t, s: 2 * s,
    "named": lambda t, s: t.nn.Sequential(OrderedDict(a=t.nn.Linear(1, 2), b=t.nn.ReLU())),
    "named slice": lambda t, s: t.nn.Sequential(OrderedDict(a=t.nn.Linear(1, 2), b=t.nn.ReLU()))[1:],
    "empty": lambda t, s: t.nn.Sequential(),
}


def row(t: Any) -> Any:
    t.manual_seed(0)
    return t.nn.Sequential(t.nn.Linear(2, 3), t.nn.ReLU(), t.nn.Linear(3, 2))


@pytest.mark.parametrize("how", SEQUENTIAL)
def test_sequential_is_built_as_in_torch(how: str) -> None:
    both(lambda t: show(t, SEQUENTIAL[how](t, row(t))))


def test_sequential_changes_in_place() -> None:
    def program(t: Any) -> Any:
        s = row(t)
        s[1] = t.nn.Tanh()
        del s[0]
        s += t.nn.Sequential(t.nn.ReLU())
        s *= 2
        popped = s.pop(-1)
        del s[3:]
        return show(t, s), repr(popped), [type(m).__name__ for m in s], repr(s[-1])

    both(program)


def test_sequential_applies_in_order() -> None:
    both(lambda t: row(t)(t.ones(4, 2)))


@pytest.mark.parametrize(
    "act",
    [
        lambda t, s: s[3],
        lambda t, s: s[-4],
        lambda t, s: s * 0,
        lambda t, s: s * 1.5,
        lambda t, s: s + [t.nn.ReLU()],
        lambda t, s: s.insert(9, t.nn.ReLU()),
        lambda t, s: s.insert(0, 3),
        lambda t, s: t.nn.Sequential([t.nn.ReLU()]),
        lambda t, s: t.nn.Sequential(3),
        lambda t, s: s(t.ones(1, 7)),
        lambda t, s: s["0"],
    ],
)
def test_sequential_refuses_what_torch_refuses(act: Any) -> None:
    assert isinstance(both(lambda t: act(t, row(t))), Exception)


LISTS = {
    "plain": lambda t, m: m,
    "slice": lambda t, m: m[1:],
    "add": lambda t, m: m + [t.nn.Tanh()],
    "append": lambda t, m: m.append(t.nn.Tanh()),
    "extend": lambda t, m: m.extend([t.nn.Tanh()]),
    "equal ones": lambda t, m: t.nn.ModuleList([t.nn.Linear(2, 2)] * 3 + [t.nn.ReLU(), t.nn.Linear(2, 2)]),
    "nested": lambda t, m: t.nn.ModuleList([t.nn.Sequential(t.nn.ReLU()), t.nn.Sequential(t.nn.ReLU())]),
    "empty": lambda t, m: t.nn.ModuleList(),
    "generator": lambda t, m: t.nn.ModuleList(t.nn.Linear(i + 1, 1) for i in range(3)),
}


@pytest.mark.parametrize("how", LISTS)
def test_module_list_is_built_as_in_torch(how: str) -> None:
    both(lambda t: show(t, LISTS[how](t, t.nn.ModuleList([t.nn.Linear(1, 2), t.nn.ReLU(), t.nn.Linear(2, 1)]))))


def test_module_list_changes_in_place() -> None:
    def program(t: Any) -> Any:
        m = t.nn.ModuleList([t.nn.Linear(1, 2), t.nn.ReLU()])
        m.insert(1, t.nn.Tanh())
        m[0] = t.nn.Sigmoid()
        m += [t.nn.GELU()]
        del m[1]
        popped = m.pop(0)
        return show(t, m), repr(popped), repr(m[-1]), [type(x).__name__ for x in m]

    both(program)


@pytest.mark.parametrize(
    "act",
    [
        lambda t: t.nn.ModuleList([3]),
        lambda t: t.nn.ModuleList([t.nn.ReLU()])[1],
        lambda t: t.nn.ModuleList([t.nn.ReLU()])(t.ones(1)),
        lambda t: t.nn.ModuleList().extend(3),
        lambda t: t.nn.ModuleDict({"a": t.nn.ReLU()})["b"],
        lambda t: t.nn.ModuleDict({"a": 3}),
        lambda t: t.nn.ModuleDict({"a.b": t.nn.ReLU()}),
        lambda t: t.nn.ModuleDict(3),
        lambda t: t.nn.ParameterDict({"a": t.ones(1)})["b"],
        lambda t: t.nn.ParameterDict({3: t.ones(1)}),
        lambda t: t.nn.ParameterList([t.ones(1)])[1],
        lambda t: t.nn.ParameterList(3),
    ],
)
def test_containers_refuse_what_torch_refuses(act: Any) -> None:
    assert isinstance(both(act), Exception)


def test_module_dict_is_a_dict_of_modules() -> None:
    def program(t: Any) -> Any:
        d = t.nn.ModuleDict({"a": t.nn.Linear(1, 2), "b": t.nn.ReLU()})
        d["c"] = t.nn.Tanh()
        d.update([("d", t.nn.GELU()), ("a", t.nn.Linear(1, 3))])
        d.update(t.nn.ModuleDict({"e": t.nn.SiLU()}))
        popped = d.pop("b")
        del d["c"]
        seen = show(t, d), list(d), list(d.keys()), [k for k, _ in d.items()], len(list(d.values())), "a" in d
        d.clear()
        return seen, repr(popped), repr(d), len(d)

    both(program)


def test_parameter_list_is_a_list_of_parameters() -> None:
    def program(t: Any) -> Any:
        p = t.nn.ParameterList([t.ones(2), t.nn.Parameter(t.zeros(3, 1)), "text"])
        p.append(t.zeros(()))
        p.extend([t.ones(1)])
        p += [t.ones(4)]
        p[0] = t.zeros(5)
        one = t.nn.ParameterList([t.ones(2)])
        return repr(p), repr(one), len(p), list(p.state_dict()), p[-1], [type(x).__name__ for x in p], len(p[1:3])

    both(program)


def test_parameter_dict_is_a_dict_of_parameters() -> None:
    def program(t: Any) -> Any:
        d = t.nn.ParameterDict({"a": t.ones(2), "b": t.nn.Parameter(t.zeros(3, 1)), "c": 3})
        d["z"] = t.ones(1)
        d.update({"a": t.zeros(2)})
        seen = repr(d), list(d), list(d.state_dict()), d["a"], d.get("q", 5), d.setdefault("w", t.ones(1)), "b" in d
        popped = d.pop("b"), d.popitem()[0]
        return seen, popped, [k for k, _ in d.items()], len(list(d.values())), len(d.copy()), len(d)

    both(program)


def test_networks_in_containers_learn() -> None:
    def program(t: Any) -> Any:
        t.manual_seed(0)
        layers = t.nn.ModuleList([t.nn.Linear(2, 2) for _ in range(3)])
        gains = t.nn.ParameterList([t.ones(2), t.zeros(2)])
        x = t.ones(1, 2)
        for layer in layers:
            x = layer(x).tanh()
        (x * gains[0] + gains[1]).sum().backward()
        return [p.grad for p in layers.parameters()], [p.grad for p in gains]

    both(program)
