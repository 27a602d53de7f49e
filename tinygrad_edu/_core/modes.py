"""Is the machine recording, and in which layer of a model? Each thread has its own answer."""

from __future__ import annotations

import functools
import inspect
import threading
from collections.abc import Callable, Generator
from typing import Any, TypeVar, overload
from weakref import ref

F = TypeVar("F", bound=Callable[..., Any])


class Label:
    """How a module is called by the one that holds it; known weakly, so that a graph keeps no model alive."""

    __slots__ = ("module", "name")

    def __init__(self, module: object, name: str) -> None:
        self.module = ref(module)
        self.name = name


Path = tuple[Any, Label] | None  # (the path outside, the innermost module): a linked list, O(1) to enter


class Tape:
    """Present while a thread records; holds where in the model it is."""

    __slots__ = ("path",)

    def __init__(self) -> None:
        self.path: Path = None


class _State(threading.local):
    """``tape`` is None under no_grad; ``own`` is the thread's tape, recording or not."""

    def __init__(self) -> None:
        self.own = Tape()
        self.tape: Tape | None = self.own
        self.inference = False
        self.before_walk: Callable[[list[Any]], None] | None = None  # sees the steps that a backward walk will visit
        self.watch: Callable[[Any, Any, Any], None] | None = None  # sees each step after it ran
        self.batches: list[Any] = []  # the vmaps at work, the outermost first
        self.batched: Any = None  # while one is: what grad() and random functions do for a batch


state = _State()


class module_scope:
    """Module.__call__ puts its label on the path of ``state.own`` and takes it off; errors and pictures read the path."""

    state = state

    @staticmethod
    def label(module: object) -> Label:
        """The label of ``module``, named after its class until a parent gives it a better one."""
        return Label(module, type(module).__name__)

    @staticmethod
    def labels(path: Path) -> list[Label]:
        """The labels of ``path``, outermost first."""
        found: list[Label] = []
        while path is not None:
            path, label = path
            found.append(label)
        return found[::-1]


class _Switch:
    """A context manager and decorator that turns recording on or off in this thread."""

    _on = True

    def __init__(self) -> None:
        self._before: list[Tape | None] = []

    def __enter__(self) -> None:
        self._before.append(state.tape)
        state.tape = state.own if self._on else None

    def __exit__(self, *_: object) -> None:
        state.tape = self._before[-1]  # restored first: an interrupt may fall between
        self._before.pop()

    def _again(self) -> _Switch:
        return type(self)()

    def __call__(self, function: F) -> F:
        """Decorate ``function`` (or a generator function) so that its body runs in this mode."""
        if inspect.isgeneratorfunction(function):
            return _wrap_generator(self, function)

        @functools.wraps(function)
        def run(*args: Any, **settings: Any) -> Any:
            with self._again():
                return function(*args, **settings)

        return run  # type: ignore[return-value]  # functools.wraps keeps the signature; mypy cannot say so


def _wrap_generator(switch: _Switch, function: F) -> F:
    @functools.wraps(function)
    def run(*args: Any, **settings: Any) -> Generator[Any, Any, Any]:
        with switch._again():
            source = function(*args, **settings)
        try:  # the mode holds inside the generator's body and never between its values
            with switch._again():
                value = next(source)
            while True:
                try:
                    sent = yield value
                except GeneratorExit:
                    with switch._again():
                        source.close()
                    raise
                except BaseException as error:
                    with switch._again():
                        value = source.throw(error)
                else:
                    with switch._again():
                        value = source.send(sent)
        except StopIteration as end:
            return end.value

    return run  # type: ignore[return-value]  # as above


class no_grad(_Switch):
    """Record nothing: results do not require grad.

    A context manager, or a decorator with or without parentheses.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> x = torch.tensor([1.0], requires_grad=True)
    >>> with torch.no_grad():
    ...     y = x * 2
    >>> y.requires_grad
    False
    """

    _on = False

    @overload
    def __new__(cls, function: None = None) -> no_grad: ...
    @overload
    def __new__(cls, function: F) -> F: ...  # type: ignore[misc]  # used as a bare decorator, it decorates at once
    def __new__(cls, function: Any = None) -> Any:
        """Make the context manager, or decorate at once when used without parentheses."""
        made = super().__new__(cls)
        if function is None:
            return made
        made._before = []
        return made(function)

    def __init__(self, function: None = None) -> None:
        super().__init__()


class enable_grad(_Switch):
    """Record again, inside ``no_grad``.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> x = torch.tensor([1.0], requires_grad=True)
    >>> with torch.no_grad(), torch.enable_grad():
    ...     y = x * 2
    >>> y.requires_grad
    True
    """

    _on = True


class set_grad_enabled(_Switch):
    """Switch recording on or off at once, and back when used as a context manager.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> with torch.set_grad_enabled(False):
    ...     torch.is_grad_enabled()
    False
    """

    def __init__(self, mode: bool) -> None:
        super().__init__()
        self._on = bool(mode)
        self._outside = state.tape
        state.tape = state.own if self._on else None

    def __enter__(self) -> None:
        self._before.append(self._outside)
        state.tape = state.own if self._on else None

    def _again(self) -> _Switch:
        return enable_grad() if self._on else no_grad()

    def __call__(self, function: F) -> F:
        """Decorate; the mode outside, switched by the constructor, is put back."""
        state.tape = self._outside
        return super().__call__(function)


class inference_mode(_Switch):
    """Like ``no_grad``, said of code that will never ask for gradients.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> with torch.inference_mode():
    ...     torch.is_inference_mode_enabled(), torch.is_grad_enabled()
    (True, False)
    """

    def __new__(cls, mode: Any = True) -> Any:
        """Make the context manager, or decorate at once when used without parentheses."""
        made = super().__new__(cls)
        if isinstance(mode, bool):
            return made
        made.__init__()  # type: ignore[misc]  # used as a bare decorator: the argument is the function
        return made(mode)

    def __init__(self, mode: bool = True) -> None:
        super().__init__()
        self._inference, self._modes = mode, []  # type: tuple[bool, list[bool]]

    def __enter__(self) -> None:
        self._modes.append(state.inference)
        self._before.append(state.tape)
        state.inference = self._inference
        if self._inference:
            state.tape = None

    def __exit__(self, *_: object) -> None:
        state.tape, state.inference = self._before[-1], self._modes[-1]  # restored first: an interrupt may fall between
        self._before.pop()
        self._modes.pop()

    def _again(self) -> _Switch:
        again: _Switch = inference_mode(self._inference)
        return again


def is_grad_enabled() -> bool:
    """Is this thread recording?

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.is_grad_enabled()
    True
    """
    return state.tape is not None


def is_inference_mode_enabled() -> bool:
    """Is this thread inside ``inference_mode``?

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.is_inference_mode_enabled()
    False
    """
    return state.inference
