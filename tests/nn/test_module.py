"""Module: registration, traversal, saving, moving and printing, as torch does it."""

from __future__ import annotations

import copy
import gc
import pickle
import weakref
from collections import OrderedDict
from typing import Any

import pytest

from tests.oracle import both, torch
from tinygrad_edu import nn as our_nn


def net(t: Any) -> Any:
    """Make a network with parameters, buffers, a shared layer, a None and a plain attribute."""

    class Net(t.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.scale = t.nn.Parameter(t.ones(2))
            self.first = t.nn.Linear(2, 3)
            self.body = t.nn.Sequential(t.nn.BatchNorm1d(3), t.nn.ReLU(), t.nn.Linear(3, 2, bias=False))
            self.again = self.first
            self.register_buffer("count", t.zeros(1))
            self.register_buffer("hidden", t.zeros(2), persistent=False)
            self.nothing = None
            self.register_parameter("absent", None)
            self.number = 3

        def forward(self, x: Any, gain: float = 1.0) -> Any:
            return self.body(self.first(x * self.scale)) * gain

    t.manual_seed(0)
    return Net()


def test_what_is_assigned_registers_itself_in_order() -> None:
    def program(t: Any) -> Any:
        n = net(t)
        return {
            "parameters": [name for name, _ in n.named_parameters()],
            "with doubles": [name for name, _ in n.named_parameters(remove_duplicate=False)],
            "own": [name for name, _ in n.named_parameters(recurse=False)],
            "prefixed": [name for name, _ in n.named_parameters(prefix="net")],
            "buffers": [name for name, _ in n.named_buffers()],
            "modules": [name for name, _ in n.named_modules()],
            "all modules": [name for name, _ in n.named_modules(remove_duplicate=False)],
            "children": [name for name, _ in n.named_children()],
            "counts": [len(list(n.parameters())), len(list(n.buffers())), len(list(n.modules()))],
            "state": list(n.state_dict()),
            "plain": [n.number, n.nothing, n.absent],
        }

    both(program)


def test_a_network_prints_as_in_torch() -> None:
    both(lambda t: repr(net(t)))


def test_lines_of_extra_repr_stand_before_the_children() -> None:
    def program(t: Any) -> Any:
        class Talk(t.nn.Module):
            def __init__(self, lines: str, child: bool) -> None:
                super().__init__()
                self.lines = lines
                if child:
                    self.child = t.nn.Linear(1, 1)

            def extra_repr(self) -> str:
                return self.lines

        return [repr(Talk(lines, child)) for lines in ("", "a", "a\nb") for child in (False, True)]

    both(program)


def test_a_module_computes_and_takes_keywords() -> None:
    both(lambda t: net(t)(t.arange(8.0).reshape(4, 2), gain=2.0))


def test_reassigning_replaces_and_moves_between_registries() -> None:
    def program(t: Any) -> Any:
        n = net(t)
        n.first = t.nn.Linear(2, 4)
        n.scale = None
        n.count = t.ones(3)
        n.number = t.nn.Parameter(t.ones(1))
        n.absent = t.nn.Parameter(t.ones(1))
        n.body = None
        n.fresh = t.nn.Buffer(t.ones(2), persistent=False)
        del n.again
        return repr(n), list(n.state_dict()), [k for k, _ in n.named_buffers()], [k for k, _ in n.named_parameters()]

    both(program)


@pytest.mark.parametrize(
    "act",
    [
        lambda t, n: setattr(n, "scale", t.ones(2)),
        lambda t, n: setattr(n, "scale", 3),
        lambda t, n: setattr(n, "first", 3),
        lambda t, n: setattr(n, "first", t.ones(2)),
        lambda t, n: setattr(n, "count", 3),
        lambda t, n: n.register_parameter("number", t.nn.Parameter(t.ones(1))),
        lambda t, n: n.register_parameter("a.b", t.nn.Parameter(t.ones(1))),
        lambda t, n: n.register_parameter("", None),
        lambda t, n: n.register_parameter(3, None),
        lambda t, n: n.register_parameter("x", t.ones(2)),
        lambda t, n: n.register_parameter("x", 3),
        lambda t, n: n.register_buffer("number", t.ones(1)),
        lambda t, n: n.register_buffer("x", 3),
        lambda t, n: n.register_buffer("a.b", None),
        lambda t, n: n.add_module("number", t.nn.ReLU()),
        lambda t, n: n.add_module("x", 3),
        lambda t, n: n.add_module("x", t.nn.ReLU),
        lambda t, n: n.add_module("a.b", t.nn.ReLU()),
        lambda t, n: n.add_module("", t.nn.ReLU()),
        lambda t, n: n.missing,
        lambda t, n: delattr(n, "missing"),
        lambda t, n: n.get_submodule("body.7"),
        lambda t, n: n.get_submodule("scale"),
        lambda t, n: n.get_parameter("first.wait"),
        lambda t, n: n.get_parameter("count"),
        lambda t, n: n.get_buffer("first.weight"),
        lambda t, n: n.set_submodule("", t.nn.ReLU()),
        lambda t, n: n.train("yes"),
        lambda t, n: n.to(t.int32),
        lambda t, n: n.to("cuda"),
        lambda t, n: n.cuda(),
        lambda t, n: n.load_state_dict([1]),
        lambda t, n: t.nn.Module()(1),
        lambda t, n: t.nn.Module(1),
        lambda t, n: t.nn.Module(a=1),
    ],
)
def test_what_cannot_be_done_is_refused_in_torchs_words(act: Any) -> None:
    theirs: list[str] = []

    def program(t: Any) -> Any:
        try:
            return act(t, net(t))
        except Exception as error:
            theirs.append(str(error))
            raise

    assert isinstance(both(program), Exception)
    their, our = (text.strip("\"'") for text in theirs)
    their = their.removeprefix("torch.nn.modules.activation.")
    assert our.removeprefix("tinygrad_edu.nn._activation.").startswith(their[:40]), (our, their)


def test_assigning_before_the_constructor_of_module_is_refused() -> None:
    def program(t: Any, value: Any) -> Any:
        class Early(t.nn.Module):
            def __init__(self) -> None:
                self.x = value(t)

        return Early()

    for value in (lambda t: t.nn.Linear(1, 1), lambda t: t.nn.Parameter(t.ones(1))):
        error = both(lambda t, value=value: program(t, value))
        assert isinstance(error, AttributeError)
        assert "before Module.__init__() call" in str(error)
        assert "super().__init__()" in str(error)


def test_a_plain_value_may_be_assigned_before_the_constructor() -> None:
    def program(t: Any) -> Any:
        class Early(t.nn.Module):
            def __init__(self) -> None:
                self.x = 3
                super().__init__()

        return Early().x

    both(program)


def test_a_forgotten_constructor_is_named_when_the_module_is_called() -> None:
    def program(t: Any) -> Any:
        class Lazy(t.nn.Module):
            def __init__(self) -> None:
                pass

            def forward(self, x: Any) -> Any:
                return x

        return Lazy()(1)

    assert "super().__init__()" in str(both(program))


def test_a_misspelt_constructor_is_named() -> None:
    import tinygrad_edu as tg

    class Net(tg.nn.Module):
        def _init_(self) -> None:
            super().__init__()
            self.fc = tg.nn.Linear(1, 1)

        def __init__(self) -> None:
            pass

    with pytest.raises(AttributeError, match="_init_; the constructor is called __init__"):
        _ = Net().fc


def test_a_near_miss_is_suggested() -> None:
    import tinygrad_edu as tg

    with pytest.raises(AttributeError, match=r"'Linear' object has no attribute 'wieght'. Did you mean: 'weight'\?"):
        _ = tg.nn.Linear(1, 1).wieght


def test_a_misspelt_forward_is_suggested() -> None:
    import tinygrad_edu as tg

    class Net(tg.nn.Module):
        def foward(self, x: Any) -> Any:
            return x

    with pytest.raises(NotImplementedError, match="is foward a slip of the pen"):
        Net()(1)


def test_attributes_are_found_by_hasattr_and_dir() -> None:
    def program(t: Any) -> Any:
        n = net(t)
        return [hasattr(n, k) for k in ("scale", "first", "count", "absent", "nope")], [
            k for k in dir(n) if k in ("scale", "first", "count", "number", "0")
        ]

    both(program)


def test_submodules_and_tensors_are_found_by_dotted_names() -> None:
    def program(t: Any) -> Any:
        n = net(t)
        n.set_submodule("body.1", t.nn.Tanh())
        return (
            repr(n.get_submodule("body.2")),
            n.get_submodule("") is n,
            n.get_parameter("body.2.weight"),
            n.get_buffer("body.0.running_mean"),
            repr(n.body),
        )

    both(program)


def test_train_eval_apply_and_requires_grad_reach_all_below() -> None:
    def program(t: Any) -> Any:
        n, seen = net(t), []
        returned = [n.eval() is n, n.train(False) is n, n.requires_grad_(False) is n]
        n.apply(lambda module: seen.append(type(module).__name__))
        return returned, seen, [m.training for m in n.modules()], [p.requires_grad for p in n.parameters()]

    both(program)


def test_zero_grad_forgets_or_zeroes() -> None:
    def program(t: Any) -> Any:
        n = net(t)
        n(t.arange(6.0).reshape(3, 2).cos()).sum().backward()
        n.zero_grad(set_to_none=False)
        zeroed = [p.grad for p in n.parameters()]
        n.zero_grad()
        return zeroed, [p.grad for p in n.parameters()]

    both(program)


def test_to_changes_floating_tensors_in_place_of_the_old_ones() -> None:
    def program(t: Any) -> Any:
        n = net(t)
        n(t.arange(6.0).reshape(3, 2).cos()).sum().backward()
        before = list(n.parameters())
        returned = n.double() is n
        same = all(a is b for a, b in zip(before, n.parameters(), strict=True))
        grads = [p.grad for p in n.parameters()]
        kinds = [str(v.dtype) for v in n.state_dict().values()]
        n.to(t.float32)
        n.to("cpu").to(device="cpu", dtype=t.float64).to(t.ones(1))
        n.half()
        n.float()
        return returned, same, grads, kinds, dict(n.state_dict()), n.cpu() is n

    both(program)


def test_state_dict_shares_memory_and_keeps_the_order() -> None:
    def program(t: Any) -> Any:
        n = net(t)
        state = n.state_dict()
        state["scale"].fill_(5)
        prefixed = list(n.state_dict(prefix="net."))
        kept = n.state_dict(keep_vars=True)["scale"] is n.scale
        return list(state), n.scale, prefixed, kept, state["scale"].requires_grad, type(state).__mro__[-2].__name__

    both(program)


def test_loading_copies_by_name() -> None:
    def program(t: Any) -> Any:
        a, b = net(t), net(t)
        for p in a.parameters():
            p.data.add_(1)
        scale = b.scale
        result = b.load_state_dict(a.state_dict())
        return repr(result), str(result), result.missing_keys, dict(b.state_dict()), b.scale is scale

    both(program)


def test_loading_by_assignment_takes_the_tensors_themselves() -> None:
    def program(t: Any) -> Any:
        a = t.nn.Linear(2, 2)
        weight = t.ones(2, 2, dtype=t.float64)
        a.load_state_dict({"weight": weight, "bias": t.zeros(2)}, assign=True)
        weight.fill_(7)
        return a.weight, isinstance(a.weight, t.nn.Parameter)

    both(program)


BAD = {
    "missing": lambda t, s: s.pop("scale"),
    "unexpected": lambda t, s: s.update({"more": t.ones(1), "deep.er": t.ones(1), "first.gain": t.ones(1)}),
    "shape": lambda t, s: s.update({"first.weight": t.ones(2, 3)}),
    "kind": lambda t, s: s.update({"first.weight": 3}),
    "all": lambda t, s: (s.pop("scale"), s.update({"more": t.ones(1), "first.weight": t.ones(4)})),
}


@pytest.mark.parametrize("how", BAD)
def test_a_state_that_does_not_match_is_refused_in_torchs_words(how: str) -> None:
    texts = []

    def program(t: Any) -> Any:
        state = OrderedDict(net(t).state_dict())
        BAD[how](t, state)
        try:
            net(t).load_state_dict(state)
        except RuntimeError as error:
            texts.append(str(error))
            raise

    both(program)
    theirs, ours = texts
    assert ours.startswith(theirs.replace("'>", "")[:-20] if how == "kind" else theirs)
    assert ours[len(theirs) :].startswith("\n\tNothing was loaded") or how == "kind"


@pytest.mark.parametrize("how", BAD)
def test_a_refused_state_changes_nothing(how: str) -> None:
    import tinygrad_edu as tg

    n = net(tg)
    state = OrderedDict((k, v.clone() + 1) for k, v in net(tg).state_dict().items())
    BAD[how](tg, state)
    before = {k: v.clone() for k, v in n.state_dict().items()}
    with pytest.raises(RuntimeError, match="Nothing was loaded"):
        n.load_state_dict(state)
    assert all(tg.equal(v, before[k]) for k, v in n.state_dict().items())


def test_loading_loosely_takes_what_matches() -> None:
    def program(t: Any) -> Any:
        n = net(t)
        result = n.load_state_dict({"scale": t.zeros(2), "more": t.ones(1)}, strict=False)
        return repr(result), list(result.missing_keys), result.unexpected_keys, n.scale

    both(program)


def test_loading_loosely_still_refuses_wrong_shapes() -> None:
    both(lambda t: net(t).load_state_dict({"scale": t.zeros(3)}, strict=False))


@pytest.mark.parametrize(
    ("change", "advice"),
    [
        (
            lambda s: OrderedDict(("module." + k, v) for k, v in s.items()),
            'every key of the file begins with "module."',
        ),
        (lambda s: OrderedDict((k.replace("first", "fist"), v) for k, v in s.items()), 'the model "first.weight"'),
        (lambda s: OrderedDict((k, v.T if k == "first.weight" else v) for k, v in s.items()), "they are transposed"),
    ],
)
def test_a_mismatch_comes_with_advice(change: Any, advice: str) -> None:
    import tinygrad_edu as tg

    n = net(tg)
    del n.again
    with pytest.raises(RuntimeError) as error:
        n.load_state_dict(change(n.state_dict()))
    assert advice in str(error.value)


def test_old_files_without_a_batch_count_still_load() -> None:
    def program(t: Any) -> Any:
        norm = t.nn.BatchNorm1d(2)
        state = OrderedDict(norm.state_dict())
        del state["num_batches_tracked"]
        return repr(norm.load_state_dict(state))

    both(program)


def test_extra_state_is_saved_and_loaded() -> None:
    def program(t: Any) -> Any:
        class Counts(t.nn.Module):
            def __init__(self, n: int) -> None:
                super().__init__()
                self.n = n

            def get_extra_state(self) -> Any:
                return {"n": self.n}

            def set_extra_state(self, state: Any) -> None:
                self.n = state["n"]

        a, b = t.nn.Sequential(Counts(3)), t.nn.Sequential(Counts(0))
        result = b.load_state_dict(a.state_dict())
        return dict(a.state_dict()), b[0].n, repr(result), b.load_state_dict({}, strict=False).missing_keys

    both(program)


def test_deepcopy_copies_values_and_keeps_ties() -> None:
    def program(t: Any) -> Any:
        n = net(t)
        n.first.weight.requires_grad_(False)
        c = copy.deepcopy(n)
        c.scale.data.fill_(9)
        return (
            n.scale,
            c.scale,
            c.again is c.first,
            c.first is n.first,
            repr(c),
            [p.requires_grad for p in c.parameters()],
        )

    both(program)


def test_a_copy_is_named_by_its_new_parent() -> None:
    import tinygrad_edu as tg

    inner = tg.nn.Linear(3, 4)
    outer = tg.nn.ModuleDict({"old": inner})
    clone = copy.deepcopy(outer)
    with pytest.raises(RuntimeError, match=r"old \(Linear"):
        clone["old"](tg.ones(2, 2))


def test_a_module_survives_pickling() -> None:
    import tinygrad_edu as tg

    n = tg.nn.Sequential(tg.nn.Linear(2, 3), tg.nn.BatchNorm1d(3))
    again = pickle.loads(pickle.dumps(n))
    x = tg.ones(4, 2)
    assert tg.equal(n(x), again(x))
    assert [k for k, _ in again.named_parameters()] == [k for k, _ in n.named_parameters()]
    assert isinstance(again[0].weight, tg.nn.Parameter)


def test_parameter_is_a_leaf_that_shares_memory() -> None:
    def program(t: Any) -> Any:
        data = t.zeros(2)
        p = t.nn.Parameter(data)
        data.fill_(3)
        frozen = t.nn.Parameter(t.ones(2), requires_grad=False)
        made = t.nn.Parameter((p * 2).detach())
        return p, repr(p), frozen.requires_grad, made, p.is_leaf, (p * 2).requires_grad, t.nn.Parameter().shape

    both(program)


def test_parameter_copies_and_pickles_with_its_attributes() -> None:
    import tinygrad_edu as tg

    p = tg.nn.Parameter(tg.ones(2), requires_grad=False)
    p.tag = "kept"  # type: ignore[attr-defined]  # users hang things on parameters
    for again in (copy.deepcopy(p), pickle.loads(pickle.dumps(p))):
        assert isinstance(again, tg.nn.Parameter)
        assert tg.equal(again, p)
        assert not again.requires_grad
        assert again.tag == "kept"


def test_parameter_of_a_list_is_refused() -> None:
    import tinygrad_edu as tg

    with pytest.raises(TypeError, match=r"must be Tensor, not list"):
        tg.nn.Parameter([1.0])


def test_a_buffer_moves_with_its_module_and_is_not_learnt() -> None:
    def program(t: Any) -> Any:
        n = net(t)
        n.double()
        return n.count, n.hidden, list(n.state_dict()), [k for k, _ in n.named_parameters()]

    both(program)


def test_a_network_is_freed_without_the_garbage_collector() -> None:
    import tinygrad_edu as tg

    gc.collect()
    gc.disable()
    try:
        n = net(tg)
        n.first.register_full_backward_hook(lambda *_: None)
        n.register_forward_hook(lambda *_: None)
        n(tg.ones(3, 2)).sum().backward()
        known = [weakref.ref(m) for m in n.modules()] + [weakref.ref(p) for p in n.parameters()]
        del n
        assert [r for r in known if r() is not None] == []
    finally:
        gc.enable()


@pytest.mark.parametrize("name", our_nn.__all__)
def test_every_public_name_of_nn_is_torchs(name: str) -> None:
    assert hasattr(torch.nn, name)
