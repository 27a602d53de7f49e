"""Recording on and off: inference_mode, decorated generators, threads."""

import threading

import pytest

import tinygrad_edu as torch
from tests.oracle import both

SWITCHES = ["no_grad()", "enable_grad()", "inference_mode()", "set_grad_enabled(False)", "set_grad_enabled(True)"]


def test_inference_mode_false_goes_on_recording():
    def program(t):
        with t.inference_mode(False):
            inside = t.is_grad_enabled(), t.is_inference_mode_enabled()
        return inside, t.is_grad_enabled()

    both(program)


def test_a_function_decorated_with_inference_mode_false_records():
    def program(t):
        @t.inference_mode(False)
        def f(x):
            return (x * 2).requires_grad, t.is_inference_mode_enabled()

        return f(t.ones(1, requires_grad=True))

    both(program)


def test_inference_modes_nest():
    def program(t):
        seen = []
        with t.inference_mode():
            with t.inference_mode(False):
                seen.append(t.is_inference_mode_enabled())
            seen.append((t.is_inference_mode_enabled(), t.is_grad_enabled()))
        return seen, t.is_inference_mode_enabled(), t.is_grad_enabled()

    both(program)


@pytest.mark.parametrize("switch", SWITCHES)
def test_a_decorated_function_comes_back_to_the_mode_it_was_called_in(switch):
    def program(t):
        seen = []

        @eval(f"t.{switch}", {"t": t})
        def inner(depth):
            seen.append((depth, t.is_grad_enabled()))
            if depth:
                inner(depth - 1)
                seen.append((depth, t.is_grad_enabled()))
            if depth == 1:
                raise ValueError("out")

        for outside in (t.no_grad(), t.enable_grad()):
            with outside:
                try:
                    inner(2)
                except ValueError:
                    seen.append(t.is_grad_enabled())
        return seen, t.is_grad_enabled()

    both(program)


def conversation(t, switch):
    """Return a decorated generator that answers what it is told, and what it saw."""
    seen = []

    @eval(f"t.{switch}", {"t": t})
    def talk():
        told = yield ("first", t.is_grad_enabled())
        seen.append((told, t.is_grad_enabled()))
        try:
            told = yield ("second", t.is_grad_enabled())
            seen.append((told, t.is_grad_enabled()))
        except KeyError as error:
            seen.append((repr(error), t.is_grad_enabled()))
            yield ("caught", t.is_grad_enabled())
        finally:
            seen.append(("finally", t.is_grad_enabled()))
        return "end"

    return talk(), seen


@pytest.mark.parametrize("switch", SWITCHES)
def test_a_decorated_generator_is_told_what_is_sent(switch):
    def program(t):
        talk, seen = conversation(t, switch)
        out = [next(talk), t.is_grad_enabled(), talk.send("hello"), t.is_grad_enabled()]
        try:
            talk.send("bye")
        except StopIteration as end:
            out.append(end.value)
        return out, seen, t.is_grad_enabled()

    both(program)


@pytest.mark.parametrize("switch", SWITCHES)
def test_a_decorated_generator_sees_the_exception_thrown_into_it(switch):
    def program(t):
        talk, seen = conversation(t, switch)
        next(talk)
        try:
            talk.throw(ValueError("in"))
        except ValueError as error:
            seen.append(repr(error))
        return seen, t.is_grad_enabled()

    both(program)


@pytest.mark.parametrize("switch", SWITCHES)
def test_a_decorated_generator_may_catch_what_is_thrown_and_go_on(switch):
    def program(t):
        talk, seen = conversation(t, switch)
        next(talk)
        talk.send("hello")
        return talk.throw(KeyError("in")), list(talk), seen, t.is_grad_enabled()

    both(program)


@pytest.mark.parametrize("switch", SWITCHES)
def test_a_decorated_generator_that_is_closed_runs_its_last_lines_in_its_mode(switch):
    def program(t):
        talk, seen = conversation(t, switch)
        next(talk)
        talk.send("hello")
        talk.close()
        return seen, t.is_grad_enabled()

    both(program)


def test_an_abandoned_generator_changes_no_mode():
    def program(t):
        talk, _ = conversation(t, "no_grad()")
        next(talk)
        del talk
        return t.is_grad_enabled()

    both(program)


def in_thread(work):
    """Return what ``work`` returns in another thread."""
    found = []
    thread = threading.Thread(target=lambda: found.append(work()))
    thread.start()
    thread.join()
    return found[0]


@pytest.mark.parametrize("mode", ["no_grad", "inference_mode"])
def test_a_mode_entered_in_one_thread_leaves_the_others_alone(mode):
    def program(t):
        with getattr(t, mode)():
            other = in_thread(lambda: (t.is_grad_enabled(), t.is_inference_mode_enabled()))
        return other, in_thread(lambda: t.set_grad_enabled(False) and None), t.is_grad_enabled()

    both(program)


def test_a_graph_made_in_one_thread_goes_back_in_another():
    def program(t):
        x = t.tensor([1.0, 2.0], requires_grad=True)
        y = in_thread(lambda: (x * x).sum())
        in_thread(lambda: y.backward())
        return x.grad

    both(program)


def test_a_walk_in_one_thread_does_not_stop_the_recording_in_another():
    x = torch.tensor([1.0], requires_grad=True)
    seen = []
    h = x * 2
    h.register_hook(lambda g: seen.append((torch.is_grad_enabled(), in_thread(torch.is_grad_enabled))))
    h.sum().backward()
    assert seen == [(False, True)]


def test_anomaly_detection_in_one_thread_leaves_the_results_of_another_alone():
    with torch.autograd.detect_anomaly():
        assert in_thread(lambda: torch.tensor([0.0]).log().item()) == float("-inf")
