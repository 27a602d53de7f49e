"""grad, vjp, jvp, Jacobians and Hessians as transforms: each takes a function and gives back the function of its derivative.

All of them work backwards over the recorded graph, jvp too (by differentiating the backward pass once more). They nest to any
order, take nested tuples, lists and dicts wherever they take a tensor, and leave their inputs as they are.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

from .._core.modes import enable_grad
from .._creation import zeros_like
from .._functions import movedim
from .._tensor import Tensor
from ._level import Level
from ._rows import block, filled, gradients
from ._trees import Spec, flatten, mapped, unflatten

Tree: TypeAlias = Any  # a tensor, or tuples, lists and dicts of tensors, of any depth
Func: TypeAlias = Callable[..., Any]  # the user's function; what it takes and returns is the user's choice
Argnums: TypeAlias = int | tuple[int, ...]


def grad(func: Func, argnums: Argnums = 0, has_aux: bool = False) -> Func:
    """Return the function that computes the gradient of ``func``, which returns a single number.

    Parameters
    ----------
    func
        Returns a 0-d tensor.
    argnums
        The position of the argument to differentiate by, or a tuple of positions for a tuple of gradients. An argument may be
        a nested tuple, list or dict of tensors: so is its gradient then.
    has_aux
        ``func`` returns ``(output, aux)``, and the new function ``(gradient, aux)``.

    Raises
    ------
    RuntimeError
        If ``func`` returns anything else than a 0-d tensor, or ``argnums`` names no argument.
    ValueError
        If an argument to differentiate by is no tensor.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> from tinygrad_edu.func import grad
    >>> cube = lambda x: x**3
    >>> x = torch.tensor(2.0)
    >>> grad(cube)(x), grad(grad(cube))(x), grad(grad(grad(cube)))(x)
    (tensor(12.), tensor(12.), tensor(6.))
    >>> loss = lambda weights, x: (weights["w"] * x + weights["b"]) ** 2
    >>> grad(loss)({"w": torch.tensor(3.0), "b": torch.tensor(1.0)}, x)
    {'w': tensor(28.), 'b': tensor(14.)}
    """

    @functools.wraps(func)
    def gradient(*args: Any, **kwargs: Any) -> Any:
        found, value = _grad_and_value(func, argnums, has_aux, args, kwargs)
        return (found, value[1]) if has_aux else found

    return gradient


def grad_and_value(func: Func, argnums: Argnums = 0, has_aux: bool = False) -> Func:
    """Return the function that computes ``(gradient, value)`` of ``func``, which is run once.

    Parameters
    ----------
    func, argnums
        As in :func:`grad`.
    has_aux
        ``func`` returns ``(output, aux)``, and the new function ``(gradient, (output, aux))``.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.func.grad_and_value(lambda x: (x * x).sum())(torch.tensor([1.0, 2.0]))
    (tensor([2., 4.]), tensor(5.))
    """

    @functools.wraps(func)
    def both(*args: Any, **kwargs: Any) -> Any:
        return _grad_and_value(func, argnums, has_aux, args, kwargs)

    return both


def value_and_grad(func: Func, argnums: Argnums = 0, has_aux: bool = False) -> Func:
    """Return the function that computes ``(value, gradient)``: :func:`grad_and_value` in the order that JAX has.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.func.value_and_grad(lambda x: (x * x).sum())(torch.tensor([1.0, 2.0]))
    (tensor(5.), tensor([2., 4.]))
    """

    @functools.wraps(func)
    def both(*args: Any, **kwargs: Any) -> Any:
        return _grad_and_value(func, argnums, has_aux, args, kwargs)[::-1]

    return both


def _grad_and_value(
    func: Func, argnums: Argnums, has_aux: bool, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[Any, Any]:
    level = Level()
    arguments, spec = _entered(level, args, argnums)
    with enable_grad():
        output, aux = _output_and_aux(func(*arguments, **kwargs), has_aux, "grad_and_value(f)(*args)")
    if not isinstance(output, Tensor):
        raise RuntimeError(
            f"grad_and_value(f)(*args): Expected f(*args) to return a Tensor, got {type(output)}. If there is more to return beside the "
            "number that is differentiated, return (number, the rest) and say has_aux=True."
        )
    if output.dim() != 0:
        raise RuntimeError(
            f"grad_and_value(f)(*args): Expected f(*args) to return a scalar Tensor, got tensor with {output.dim()} dims. Maybe you "
            f"wanted to use the vjp or jacrev APIs instead? (Its shape is {list(output.shape)}: sum it, or take its mean.)"
        )
    history = level.wanted([output])
    found = gradients([output], level.leaves, create_graph=history)
    *slopes, output = level.leave([*filled(found, level.leaves), output])
    value = (output, _left(level, aux)) if has_aux else output
    return unflatten(slopes, spec), value


def vjp(func: Func, *primals: Tree, has_aux: bool = False) -> tuple[Any, ...]:
    """Return ``func(*primals)`` and its pullback, which takes cotangents u and gives u J, one entry per primal.

    The pullback may be called any number of times: ``func`` has run once.

    Parameters
    ----------
    func
        Returns floating point tensors, in nested tuples, lists or dicts.
    primals
        The arguments of ``func``, all of them differentiated by.
    has_aux
        ``func`` returns ``(output, aux)``; the result is then ``(output, pullback, aux)``.

    Raises
    ------
    RuntimeError
        If ``func`` returns anything else than floating point tensors; from the pullback, if the cotangents do not have the
        structure and the shapes of the output.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> output, pullback = torch.func.vjp(lambda x: x * x, torch.tensor([1.0, 2.0]))
    >>> output
    tensor([1., 4.])
    >>> pullback(torch.tensor([1.0, 10.0]))
    (tensor([ 2., 40.]),)
    """
    run = _Run(func, primals, None, has_aux, "vjp(f, *primals)")
    run.refuse_whole_numbers()

    def pullback(cotangents: Tree, retain_graph: bool = True, create_graph: bool | None = None) -> Any:
        weights, given = flatten(cotangents)
        if given != run.output_spec:
            raise RuntimeError(
                "Expected pytree structure of cotangents to be the same as pytree structure of outputs to the function. "
                f"cotangents: {given}, primal output: {run.output_spec}"
            )
        tensors = [w for w in weights if isinstance(w, Tensor)]
        record = run.level.wanted([*run.outputs, *tensors]) if create_graph is None else create_graph
        found = gradients(run.outputs, run.inputs, weights, create_graph=record, retain_graph=retain_graph)
        return unflatten(run.level.leave(filled(found, run.inputs)), run.input_spec)

    return (run.result(), pullback, run.aux()) if has_aux else (run.result(), pullback)


def jvp(
    func: Func, primals: tuple[Tree, ...], tangents: tuple[Tree, ...], *, strict: bool = False, has_aux: bool = False
) -> tuple[Any, ...]:
    """Return ``func(*primals)`` and J v, how the output moves when the primals move along the tangents v.

    Computed by two backward passes, not by forward formulas: u J is linear in u, so its derivative by u along v is J v. Therefore every
    operation in ``func`` must be differentiable twice; agreement with :func:`vjp` is no independent check of the gradient formulas;
    and ``no_grad`` inside ``func`` makes constants here as it does in every backward pass (torch's forward mode passes it by).

    Parameters
    ----------
    func
        Returns tensors, in nested tuples, lists or dicts.
    primals, tangents
        Tuples of the arguments and of their directions, of equal structure and shapes.
    strict
        Raise if an output does not depend on the primals, instead of giving zeros.
    has_aux
        ``func`` returns ``(output, aux)``; the result is then ``(output, tangent, aux)``.

    Raises
    ------
    RuntimeError
        If primals and tangents do not fit together, or ``func`` does not return tensors.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> x = torch.tensor([1.0, 2.0])
    >>> torch.func.jvp(lambda x: x.prod(), (x,), (torch.tensor([1.0, 0.0]),))
    (tensor(2.), tensor(2.))
    """
    _check_directions(primals, tangents)
    run = _Run(func, primals, None, has_aux, _JVP)
    push = _pushforward(run)
    moved = push(flatten(tangents)[0])
    for out in moved:
        if strict and out is None:
            raise RuntimeError(
                "jvp(f, primals, tangents, strict=True): The output of f is independent of the inputs. This is not allowed with strict=True."
            )
    tangent = unflatten(run.level.leave(filled(moved, run.outputs)), run.output_spec)
    return (run.result(), tangent, run.aux()) if has_aux else (run.result(), tangent)


def linearize(func: Func, *primals: Tree) -> tuple[Any, Func]:
    """Return ``func(*primals)`` and its linear part there: the function that takes tangents v and gives J v.

    As :func:`jvp` for many tangents at one point: ``func`` runs once.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> output, linear = torch.func.linearize(lambda x: x * x, torch.tensor([1.0, 2.0]))
    >>> linear(torch.tensor([1.0, 0.0])), linear(torch.tensor([1.0, 1.0]))
    (tensor([2., 0.]), tensor([2., 4.]))
    """
    run = _Run(func, primals, None, False, _JVP)
    push = _pushforward(run)

    def linear(*tangents: Tree) -> Any:
        flat, spec = flatten(tangents)
        if spec != run.input_spec:
            raise RuntimeError(f"Expected the tangents {spec} to have the same argspec as the primals {run.input_spec}")
        for number, (v, x) in enumerate(zip(flat, run.inputs, strict=True)):
            for quality in ("shape", "dtype"):
                if getattr(v, quality) != getattr(x, quality):
                    raise RuntimeError(
                        f"tangent:{number} with {quality} {getattr(v, quality)} in flattened pytree doesn't match the {quality} "
                        f"{getattr(x, quality)} of the corresponding primal."
                    )
        return unflatten(run.level.leave(filled(push(flat), run.outputs)), run.output_spec)

    return run.result(), linear


def jacrev(
    func: Func,
    argnums: Argnums = 0,
    *,
    has_aux: bool = False,
    chunk_size: int | None = None,
    _preallocate_and_copy: bool = False,
) -> Func:
    """Return the function that computes the Jacobian of ``func`` by its rows: one backward pass carries them all.

    For each output and each input a tensor of shape (*output shape, *input shape), nested as the output is and, inside, as the
    argument is. Cheaper than :func:`jacfwd` where there are fewer outputs than inputs.

    Parameters
    ----------
    func
        Returns floating point tensors, in nested tuples, lists or dicts.
    argnums
        As in :func:`grad`.
    has_aux
        ``func`` returns ``(output, aux)``, and the new function ``(jacobian, aux)``.
    chunk_size
        How many rows to compute at once, to save memory; by default all rows of an output, and one after the other for 1.

    Raises
    ------
    ValueError
        If ``chunk_size`` is not positive.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> x = torch.tensor([1.0, 2.0, 3.0])
    >>> torch.func.jacrev(lambda x: x[:2] * x[2])(x)
    tensor([[3., 0., 1.],
            [0., 3., 2.]])
    """
    if chunk_size is not None and chunk_size <= 0:
        raise ValueError(f"jacrev: `chunk_size` should be greater than 0. It is {chunk_size}.")

    @functools.wraps(func)
    def jacobian(*args: Any) -> Any:
        run = _Run(func, args, argnums, has_aux, "vjp(f, *primals)")
        run.refuse_whole_numbers()
        record = run.level.wanted(run.outputs)
        blocks = [block(out, run.inputs, create_graph=record, chunk_size=chunk_size) for out in run.outputs]
        found = run.nested(blocks)
        return (found, run.aux()) if has_aux else found

    return jacobian


def jacfwd(func: Func, argnums: Argnums = 0, has_aux: bool = False, *, randomness: str = "error") -> Func:
    """Return the function that computes the Jacobian of ``func`` by its columns: those that :func:`jvp` gives.

    The same numbers as :func:`jacrev`; cheaper where there are fewer inputs than outputs.

    Parameters
    ----------
    func, argnums, has_aux
        As in :func:`jacrev`; outputs that are not floating point have zeros.
    randomness
        Accepted as torch's; ``func`` runs once here, so random numbers are drawn once, whatever it says.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.func.jacfwd(lambda x: torch.stack([x, x**2, x**3]))(torch.tensor(2.0))
    tensor([ 1.,  4., 12.])
    """

    @functools.wraps(func)
    def jacobian(*args: Any) -> Any:
        run = _Run(func, args, argnums, has_aux, _JVP)
        weights, slopes = _weighted(run)
        record = run.level.wanted(run.outputs)
        columns = zip(
            *[block(slope, weights, create_graph=record) for slope in slopes], strict=True
        )  # (*input shape, *output shape)
        blocks = [
            [_turned(column, x.dim()) for column, x in zip(next(columns), run.inputs, strict=True)]
            if out.is_floating_point()
            else [out.new_zeros(out.shape + x.shape) for x in run.inputs]
            for out in run.outputs
        ]
        found = run.nested(blocks)
        return (found, run.aux()) if has_aux else found

    return jacobian


def hessian(func: Func, argnums: Argnums = 0) -> Func:
    """Return the function that computes the Hessian of ``func``: the Jacobian of its Jacobian.

    Parameters
    ----------
    func, argnums
        As in :func:`jacrev`; for a function whose result is a single number and one argument the shape is
        (*input shape, *input shape).

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.func.hessian(lambda x: x[0] ** 2 - x[1] ** 2)(torch.tensor([0.0, 0.0]))
    tensor([[ 2.,  0.],
            [ 0., -2.]])
    """
    return jacfwd(jacrev(func, argnums), argnums)


# ---- what they share

_JVP = "jvp(f, primals, tangents)"


class _Run:
    """One run of a function at a level of its own: its inputs and outputs there, flat."""

    def __init__(self, func: Func, args: tuple[Any, ...], argnums: Argnums | None, has_aux: bool, caller: str) -> None:
        self.level = Level()
        arguments, self.input_spec = _entered(self.level, args, argnums)
        self.inputs = list(self.level.leaves)
        with enable_grad():
            output, self._aux = _output_and_aux(func(*arguments), has_aux, caller)
        self.outputs, self.output_spec = flatten(output)
        if self.outputs == [None] or not self.outputs:
            raise RuntimeError(
                f"{caller}: Expected f to be a function that has non-empty output (got output = {self.outputs}). Does it return its result?"
            )
        for out in self.outputs:
            if not isinstance(out, Tensor):
                raise RuntimeError(
                    f"{caller}: expected f(*primals) to return only tensors, got unsupported type {type(out)}. Return other values "
                    "beside them: (tensors, others), with has_aux=True."
                )

    def refuse_whole_numbers(self) -> None:
        """Raise if an output is not floating point."""
        for out in self.outputs:
            if not out.is_floating_point():
                raise RuntimeError(
                    f"vjp(f, ...): All outputs of f must be floating-point or complex Tensors, got Tensor with dtype {out.dtype}. "
                    "Return it beside the others: (output, aux), with has_aux=True."
                )

    def result(self) -> Any:
        """The output, as seen from outside."""
        return unflatten(self.level.leave(self.outputs), self.output_spec)

    def aux(self) -> Any:
        """What the function returned beside its output, as seen from outside."""
        return _left(self.level, self._aux)

    def nested(self, blocks: Sequence[Sequence[Tensor]]) -> Any:
        """The blocks of a Jacobian, one for each output and input, nested as outputs and inputs are."""
        left = iter(self.level.leave([block for row in blocks for block in row]))
        return unflatten([unflatten([next(left) for _ in row], self.input_spec) for row in blocks], self.output_spec)


def _entered(level: Level, args: tuple[Any, ...], argnums: Argnums | None) -> tuple[list[Any], Spec]:
    """The arguments, those to differentiate by as leaves of the level; and the structure of the latter (None: all of them)."""
    entered = list(args)
    if argnums is None:
        places: tuple[int, ...] = tuple(range(len(args)))
    else:
        places = _places(argnums, len(args))
    for i in places:
        entered[i] = mapped(level.enter, args[i])
    picked = entered[places[0]] if isinstance(argnums, int) else tuple([entered[i] for i in places])
    return entered, flatten(picked)[1]


def _places(argnums: object, count: int) -> tuple[int, ...]:
    """The positions that ``argnums`` names, counted from the front."""
    if not isinstance(argnums, int | tuple):
        raise RuntimeError(f"argnums must be int or Tuple[int, ...], got: {type(argnums)}")
    places = []
    for number in argnums if isinstance(argnums, tuple) else (argnums,):
        if not isinstance(number, int):
            raise RuntimeError(f"argnum must be int, got: {type(number)}")
        if not -count <= number < count:
            raise RuntimeError(
                f"Got argnum={number}, but only {count} positional inputs. Arguments to differentiate by are given by position, not by name."
            )
        places.append(number % count)
    if not places:
        raise RuntimeError("argnums must be non-empty")
    if len(set(places)) != len(places):
        raise RuntimeError(f"argnums elements must be unique, got {tuple(places)}")
    return tuple(places)


def _output_and_aux(output: Any, has_aux: bool, caller: str) -> tuple[Any, Any]:
    if not has_aux:
        return output, ()
    if not (isinstance(output, tuple) and len(output) == 2):
        raise RuntimeError(f"{caller}: output of function f should be a tuple: (output, aux) if has_aux is True")
    return output


def _left(level: Level, aux: Any) -> Any:
    """``aux`` as seen from outside."""
    tensors, spec = flatten(aux)
    for value in tensors:
        if not isinstance(value, Tensor):
            raise RuntimeError(f"Expected tensors, got unsupported type {type(value)}. aux may hold tensors only.")
    return unflatten(level.leave(tensors), spec)


def _check_directions(primals: object, tangents: object) -> None:
    """Refuse primals and tangents that do not fit together."""
    if not isinstance(primals, tuple):
        raise RuntimeError(f"{_JVP}: Expected primals to be a tuple. E.g. it should be valid to call f(*primals).")
    xs, structure = flatten(primals)
    vs, given = flatten(tangents)
    if structure != given:
        raise RuntimeError(
            f"{_JVP}: Expected primals and tangents to have the same python structure. For example, if primals is a tuple of 3 "
            f"tensors, tangents also must be. Got primals with structure {structure} and tangents with structure {given}"
        )
    for name, values in (("primals", xs), ("tangents", vs)):
        if not values:
            raise RuntimeError(f"{_JVP}: Expected {name} to contain at least one Tensor.")
        for value in values:
            if not isinstance(value, Tensor):
                raise RuntimeError(f"{_JVP}: Expected {name} to only contain Tensors, got {type(value)}")
    for x, v in zip(xs, vs, strict=True):
        if not x.is_floating_point():
            raise ValueError(f"Expected primal to be floating point or complex, but got: {x.dtype}")
        if x.shape != v.shape:
            raise RuntimeError(
                "Trying to set a forward gradient that has a different size than that of the original Tensor, this is not supported. "
                f"Tensor is of size {list(x.shape)} while the given forward gradient is of size {list(v.shape)}."
            )


def _weighted(run: _Run) -> tuple[list[Tensor], list[Tensor]]:
    """Weights u of the floating point outputs, zeros as good as any, and u J, recorded: linear in u, of the inputs' shapes."""
    outputs = [out for out in run.outputs if out.is_floating_point()]
    with enable_grad():
        weights = [run.level.enter(zeros_like(out)) for out in outputs]
        found = gradients(outputs, run.inputs, weights, create_graph=True)
    return weights, filled(found, run.inputs)


def _pushforward(run: _Run) -> Callable[[list[Tensor]], list[Tensor | None]]:
    """The function of tangents v that gives J v, None where an output does not depend on the inputs."""
    weights, slopes = _weighted(run)

    def push(tangents: list[Tensor]) -> list[Tensor | None]:
        record = run.level.wanted([*run.outputs, *tangents])
        found = iter(gradients(slopes, weights, tangents, create_graph=record, retain_graph=True))
        return [next(found) if out.is_floating_point() else None for out in run.outputs]

    return push


def _turned(column: Tensor, dims: int) -> Tensor:
    """The first ``dims`` axes moved behind the others."""
    return movedim(column, tuple(range(dims)), tuple(range(column.dim() - dims, column.dim())))
