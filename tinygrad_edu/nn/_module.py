"""Module: a function with state. Registration, traversal, saving, moving and hooks; no layer of its own."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple, Self, TypeVar

from .. import _dtype, _errors, _lint
from .._tensor import Tensor, module_scope, no_grad
from ._hooks import Hook, Hooks, RemovableHandle, call_with_hooks
from .parameter import Buffer, Parameter

__all__ = ["Module"]

Member = TypeVar("Member", bound=Tensor)
Forward = Callable[..., object]

EXTRA_STATE = "_extra_state"


class _Keys(NamedTuple):
    missing_keys: list[str]
    unexpected_keys: list[str]


class _IncompatibleKeys(_Keys):
    """What ``load_state_dict`` found missing, and what it had no place for."""

    def __repr__(self) -> str:
        return super().__repr__() if self.missing_keys or self.unexpected_keys else "<All keys matched successfully>"

    __str__ = __repr__


class Module:
    """Base class of every layer and every network.

    Write ``__init__`` (call ``super().__init__()`` first) and ``forward``. Parameters, buffers and modules
    assigned as attributes register themselves.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> class Net(torch.nn.Module):
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.fc = torch.nn.Linear(2, 1)
    ...
    ...     def forward(self, x):
    ...         return self.fc(x).relu()
    >>> net = Net()
    >>> net
    Net(
      (fc): Linear(in_features=2, out_features=1, bias=True)
    )
    >>> [name for name, _ in net.named_parameters()]
    ['fc.weight', 'fc.bias']
    >>> net(torch.ones(3, 2)).shape
    torch.Size([3, 1])

    """

    _version: int = 1
    call_super_init: bool = False
    dump_patches: bool = False

    training: bool
    _parameters: dict[str, Parameter | None]
    _buffers: dict[str, Tensor | None]
    _modules: dict[str, Module | None]
    _non_persistent_buffers_set: set[str]
    _hooks: Hooks | None = None  # made by the first registration
    _label: Any  # the name by which errors call this module

    def __init__(self, *args: object, **kwargs: object) -> None:
        name = type(self).__name__
        if not self.call_super_init:
            if kwargs:
                raise TypeError(f"{name}.__init__() got an unexpected keyword argument '{next(iter(kwargs))}'")
            if args:
                raise TypeError(f"{name}.__init__() takes 1 positional argument but {len(args) + 1} were given")
        state = self.__dict__
        state["training"] = True
        state["_parameters"] = {}
        state["_buffers"] = {}
        state["_modules"] = {}
        state["_non_persistent_buffers_set"] = set()
        state["_label"] = module_scope.label(self)
        if self.call_super_init:
            super().__init__(*args, **kwargs)

    # Calling. What a module takes and returns is its author's choice, hence Any.

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Compute the output: every subclass writes its own."""
        near = _errors.nearest("forward", [n for n in vars(type(self)) if n != "forward"])
        hint = f": is {near[0]} a slip of the pen?" if near else ""
        raise NotImplementedError(f'Module [{type(self).__name__}] is missing the required "forward" function{hint}')

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run ``forward``, with hooks if there are any; errors from inside name this module."""
        tape = module_scope.state.own  # errors from inside name this layer, steps keep where they were made
        outside = tape.path
        tape.path = (outside, self._label)
        try:
            if self._hooks is None:
                return self.forward(*args, **kwargs)
            return call_with_hooks(self, self._hooks, args, kwargs)
        finally:
            tape.path = outside

    # Attributes.

    def __getattr__(self, name: str) -> Tensor | Module:
        state = self.__dict__
        try:
            return state["_parameters"][name]  # type: ignore[no-any-return]  # vars() does not know its types; may be None
        except KeyError:  # every layer comes by here for its weights: nothing else may stand before
            pass
        if "_parameters" in state:
            if name in state["_modules"]:
                return state["_modules"][name]  # type: ignore[no-any-return]  # as above
            if name in state["_buffers"]:
                return state["_buffers"][name]  # type: ignore[no-any-return]  # as above
        raise AttributeError(f"'{type(self).__name__}' object has no attribute '{name}'" + self._why_absent(name))

    def _why_absent(self, name: str) -> str:
        """Say why ``name`` may be missing, as the tail of an error message."""
        kind = type(self)
        if "_parameters" not in self.__dict__:
            if hasattr(kind, "_init_"):
                return f": {kind.__name__} defines _init_; the constructor is called __init__, two underscores a side"
            return f": Module.__init__() was never called; begin {kind.__name__}.__init__ with super().__init__()"
        if name.startswith("__"):
            return ""
        near = _errors.nearest(name, [n for n in dir(self) if not n.startswith("_")])
        return f". Did you mean: '{near[0]}'?" if near else ""

    def __setattr__(self, name: str, value: object) -> None:
        state = self.__dict__
        if isinstance(value, Parameter | Module | Buffer):
            kind = "parameters" if isinstance(value, Parameter) else "module" if isinstance(value, Module) else "buffer"
            if "_parameters" not in state:
                raise AttributeError(f"cannot assign {kind} before Module.__init__() call" + self._call_init_first())
        elif "_parameters" not in state:
            object.__setattr__(self, name, value)
            return
        if isinstance(value, Parameter):
            self._forget(name, keep=state["_parameters"])
            self.register_parameter(name, value)
        elif name in state["_parameters"]:
            if value is not None:
                raise TypeError(
                    f"cannot assign '{_typename(value)}' as parameter '{name}' (torch.nn.Parameter or None expected)"
                    + (f": wrap it, nn.Parameter(...), or write into {name}.data" if isinstance(value, Tensor) else "")
                )
            self.register_parameter(name, None)
        elif isinstance(value, Module):
            self._forget(name, keep=state["_modules"])
            self._hold(name, value)
        elif name in state["_modules"]:
            if value is not None:
                raise TypeError(
                    f"cannot assign '{_typename(value)}' as child module '{name}' (torch.nn.Module or None expected)"
                )
            state["_modules"][name] = None
        elif isinstance(value, Buffer):
            state.pop(name, None)
            self.register_buffer(name, value, value.persistent)
        elif name in state["_buffers"]:
            if value is not None and not isinstance(value, Tensor):
                raise TypeError(
                    f"cannot assign '{_typename(value)}' as buffer '{name}' "
                    "(torch.nn.Buffer, torch.Tensor or None expected)"
                )
            self.register_buffer(name, value, name not in self._non_persistent_buffers_set)
        else:
            object.__setattr__(self, name, value)

    def _forget(self, name: str, *, keep: Mapping[str, object]) -> None:
        """Take ``name`` from everywhere but the registry it is about to enter, where it keeps its place."""
        self.__dict__.pop(name, None)
        for registry in (self._parameters, self._buffers, self._modules):
            if registry is not keep:
                registry.pop(name, None)
        self._non_persistent_buffers_set.discard(name)

    def _hold(self, name: str, module: Module | None) -> None:
        """Register a child and tell it the name it has here."""
        self._modules[name] = module
        if module is not None and "_label" in module.__dict__:
            module._label.name = name

    def _call_init_first(self) -> str:
        return f": begin {type(self).__name__}.__init__ with super().__init__()"

    def __delattr__(self, name: str) -> None:
        for registry in (self._parameters, self._buffers, self._modules):
            if name in registry:
                del registry[name]
                self._non_persistent_buffers_set.discard(name)
                return
        object.__delattr__(self, name)

    def __dir__(self) -> list[str]:
        names = [*dir(type(self)), *self.__dict__]
        for registry in ("_parameters", "_modules", "_buffers"):
            names += self.__dict__.get(registry, {})
        return sorted(name for name in names if not name[:1].isdigit())

    def __getstate__(self) -> dict[str, Any]:
        state = self.__dict__.copy()
        state.pop("_label", None)
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self.__dict__["_label"] = module_scope.label(self)
        for name, child in self._modules.items():
            if child is not None and "_label" in child.__dict__:
                child._label.name = name

    # Registration.

    def register_parameter(self, name: str, param: Parameter | None) -> None:
        """Add a parameter under ``name``; None holds its place (a layer without bias)."""
        self._check_name("parameter", name, "_parameters")
        if param is not None and not isinstance(param, Parameter):
            raise TypeError(
                f"cannot assign '{_typename(param)}' object to parameter '{name}' (torch.nn.Parameter or None required)"
            )
        if param is not None and param.grad_fn is not None:
            raise ValueError(
                f"Cannot assign non-leaf Tensor to parameter '{name}'. Model parameters must be created explicitly. "
                f"To express '{name}' as a function of another Tensor, compute the value in the forward() method."
            )
        self._parameters[name] = param

    def register_buffer(self, name: str, tensor: Tensor | None, persistent: bool = True) -> None:
        """Add a tensor that is kept and moved with the module but not learnt, such as a running mean.

        Parameters
        ----------
        persistent
            Whether it is part of ``state_dict()``.

        """
        self._check_name("buffer", name, "_buffers")
        if tensor is not None and not isinstance(tensor, Tensor):
            raise TypeError(
                f"cannot assign '{_typename(tensor)}' object to buffer '{name}' (torch Tensor or None required)"
            )
        self._buffers[name] = tensor
        if persistent:
            self._non_persistent_buffers_set.discard(name)
        else:
            self._non_persistent_buffers_set.add(name)

    def add_module(self, name: str, module: Module | None) -> None:
        """Add a child under ``name``, reachable as an attribute."""
        if module is not None and not isinstance(module, Module):
            extra = f": write {module.__name__}() to make one" if isinstance(module, type) else ""
            raise TypeError(f"{_typename(module)} is not a Module subclass{extra}")
        self._check_name("module", name, "_modules")
        self._hold(name, module)

    def register_module(self, name: str, module: Module | None) -> None:
        """Do what ``add_module`` does."""
        self.add_module(name, module)

    def _check_name(self, kind: str, name: str, registry: str) -> None:
        """Refuse a name that is no attribute name, or taken by something else."""
        if registry not in self.__dict__:
            raise AttributeError(f"cannot assign {kind} before Module.__init__() call" + self._call_init_first())
        if not isinstance(name, str):
            raise TypeError(f"{kind} name should be a string. Got {_typename(name)}")
        if kind == "module" and hasattr(self, name) and name not in self._modules:
            raise KeyError(f"attribute '{name}' already exists")
        if "." in name:
            raise KeyError(f'{kind} name can\'t contain "."' + (f", got: {name}" if kind == "module" else ""))
        if name == "":
            raise KeyError(f'{kind} name can\'t be empty string ""')
        if hasattr(self, name) and name not in self.__dict__[registry]:
            raise KeyError(f"attribute '{name}' already exists")

    # Traversal.

    def named_modules(
        self, memo: set[Module] | None = None, prefix: str = "", remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Module]]:
        """Go through this module and all below it, with their dotted names, parents first."""
        memo = set() if memo is None else memo
        if self in memo:
            return
        if remove_duplicate:
            memo.add(self)
        yield prefix, self
        for name, child in self._modules.items():
            if child is not None:
                yield from child.named_modules(memo, f"{prefix}.{name}" if prefix else name, remove_duplicate)

    def modules(self, remove_duplicate: bool = True) -> Iterator[Module]:
        """Go through this module and all below it, each once."""
        for _, module in self.named_modules(remove_duplicate=remove_duplicate):
            yield module

    def named_children(self) -> Iterator[tuple[str, Module]]:
        """Go through the direct children with their names, each once."""
        seen: set[Module] = set()
        for name, child in self._modules.items():
            if child is not None and child not in seen:
                seen.add(child)
                yield name, child

    def children(self) -> Iterator[Module]:
        """Go through the direct children."""
        for _, child in self.named_children():
            yield child

    def _named_members(
        self,
        members: Callable[[Module], Mapping[str, Member | None]],
        prefix: str,
        recurse: bool,
        remove_duplicate: bool,
    ) -> Iterator[tuple[str, Member]]:
        """Go through what ``members`` finds in each module, with dotted names."""
        seen: set[int] = set()
        walk = self.named_modules(prefix=prefix, remove_duplicate=remove_duplicate) if recurse else [(prefix, self)]
        for path, module in walk:
            for name, tensor in members(module).items():
                if tensor is None or id(tensor) in seen:
                    continue
                if remove_duplicate:
                    seen.add(id(tensor))
                yield (f"{path}.{name}" if path else name), tensor

    def named_parameters(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Parameter]]:
        """Go through the parameters with their dotted names; a shared one comes once."""
        return self._named_members(lambda module: module._parameters, prefix, recurse, remove_duplicate)

    def parameters(self, recurse: bool = True) -> Iterator[Parameter]:
        """Go through the parameters: what an optimizer takes."""
        if _lint.on:
            _lint.module_parameters(self)
        for _, parameter in self.named_parameters(recurse=recurse):
            yield parameter

    def named_buffers(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Tensor]]:
        """Go through the buffers with their dotted names."""
        return self._named_members(lambda module: module._buffers, prefix, recurse, remove_duplicate)

    def buffers(self, recurse: bool = True) -> Iterator[Tensor]:
        """Go through the buffers."""
        for _, buffer in self.named_buffers(recurse=recurse):
            yield buffer

    def get_submodule(self, target: str) -> Module:
        """Find a module by its dotted name; the empty name is this module."""
        module = self
        for name in target.split(".") if target else ():
            if not hasattr(module, name):
                raise AttributeError(f"{module._get_name()} has no attribute `{name}`" + module._why_absent(name))
            found = getattr(module, name)
            if not isinstance(found, Module):
                raise AttributeError(f"`{name}` is not an nn.Module")
            module = found
        return module

    def set_submodule(self, target: str, module: Module, strict: bool = False) -> None:
        """Put ``module`` under the dotted name ``target``; with ``strict`` only where one stood before."""
        if target == "":
            raise ValueError("Cannot set the submodule without a target name!")
        if not isinstance(module, Module):
            raise ValueError(f"`module` is not an nn.Module, found {type(module)}")
        path, _, name = target.rpartition(".")
        parent = self.get_submodule(path)
        if strict and not hasattr(parent, name):
            raise AttributeError(f"{parent._get_name()} has no attribute `{name}`")
        if hasattr(parent, name) and not isinstance(getattr(parent, name), Module):
            raise AttributeError(f"`{name}` is not an nn.Module")
        setattr(parent, name, module)

    def get_parameter(self, target: str) -> Parameter:
        """Find a parameter by its dotted name."""
        found = self._get_tensor(target)
        if not isinstance(found, Parameter):
            raise AttributeError(f"`{target.rpartition('.')[2]}` is not an nn.Parameter")
        return found

    def get_buffer(self, target: str) -> Tensor:
        """Find a buffer by its dotted name."""
        path, _, name = target.rpartition(".")
        found = self._get_tensor(target)
        if name not in self.get_submodule(path)._buffers or not isinstance(found, Tensor):
            raise AttributeError(f"`{name}` is not a buffer")
        return found

    def _get_tensor(self, target: str) -> object:
        path, _, name = target.rpartition(".")
        module = self.get_submodule(path)
        if not hasattr(module, name):
            raise AttributeError(f"{module._get_name()} has no attribute `{name}`" + module._why_absent(name))
        return getattr(module, name)

    # Acting on everything below.

    def apply(self, fn: Callable[[Module], object]) -> Self:
        """Call ``fn`` on every module below, children first, then on this one."""
        for child in self.children():
            child.apply(fn)
        fn(self)
        return self

    def train(self, mode: bool = True) -> Self:
        """Switch to training behaviour: dropout drops, batch norm looks at the batch."""
        if not isinstance(mode, bool):
            raise ValueError("training mode is expected to be boolean")
        self.training = mode
        for child in self.children():
            child.train(mode)
        return self

    def eval(self) -> Self:
        """Switch to evaluation behaviour; gradients are recorded as before (see ``no_grad``)."""
        return self.train(False)

    def requires_grad_(self, requires_grad: bool = True) -> Self:
        """Freeze (False) or unfreeze the parameters."""
        for parameter in self.parameters():
            parameter.requires_grad_(requires_grad)
        return self

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients of all parameters, or fill them with zeros."""
        for parameter in self.parameters():
            if parameter.grad is None:
                continue
            if set_to_none:
                parameter.grad = None
            else:
                with no_grad():
                    parameter.grad = parameter.grad.detach().zero_()

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Self:
        """Change parameters, their gradients and buffers by ``fn``; a parameter stays the same object."""
        if recurse:
            for child in self.children():
                child._apply(fn)
        for parameter in self._parameters.values():
            if parameter is None:
                continue
            with no_grad():
                grad = parameter.grad
                parameter.grad = None  # a gradient must have its parameter's dtype at every moment
                parameter.data = fn(parameter)
                if grad is not None:
                    grad.data = fn(grad)
                    parameter.grad = grad
        for name, buffer in self._buffers.items():
            if buffer is not None:
                self._buffers[name] = fn(buffer)
        return self

    def to(self, *args: object, **kwargs: object) -> Self:
        """Change the floating dtype: ``to(torch.float64)``, ``to("cpu")``, ``to(device, dtype)``, ``to(tensor)``.

        Only the CPU exists here: any other device raises.
        """
        device, dtype = _destination(args, kwargs)
        if dtype is not None and not dtype.is_floating_point:
            raise TypeError(
                f"nn.Module.to only accepts floating point or complex dtypes, but got desired dtype={dtype}"
            )

        def move(tensor: Tensor) -> Tensor:
            if device is not None:
                tensor = tensor.to(device)
            return tensor.to(dtype) if dtype is not None and tensor.is_floating_point() else tensor

        return self._apply(move)

    def type(self, dst_type: _dtype.dtype | str) -> Self:
        """Change the dtype of all parameters and buffers."""
        return self._apply(lambda t: t.type(dst_type))

    def float(self) -> Self:
        """Change floating parameters and buffers to float32."""
        return self.to(_dtype.float32)

    def double(self) -> Self:
        """Change floating parameters and buffers to float64."""
        return self.to(_dtype.float64)

    def half(self) -> Self:
        """Change floating parameters and buffers to float16."""
        return self.to(_dtype.float16)

    def cpu(self) -> Self:
        """Do nothing: everything is on the CPU already."""
        return self

    def cuda(self, device: object = None) -> Self:
        """Raise as PyTorch built for the CPU does."""
        return self._apply(lambda t: t.to("cuda" if device is None or isinstance(device, int) else device))

    def share_memory(self) -> Self:
        """Do nothing: no memory is shared between processes here."""
        return self

    # Saving and loading.

    def state_dict(
        self,
        *args: Any,
        destination: dict[str, Any] | None = None,
        prefix: str = "",
        keep_vars: bool = False,
    ) -> dict[str, Any]:
        """Collect parameters and persistent buffers by dotted name, sharing their memory.

        Parameters
        ----------
        keep_vars
            Whether tensors keep their tie to the graph.

        Examples
        --------
        >>> import tinygrad_edu as torch
        >>> {k: tuple(v.shape) for k, v in torch.nn.Linear(2, 3).state_dict().items()}
        {'weight': (3, 2), 'bias': (3,)}

        """
        if args:  # the old positional form
            destination = args[0]
            prefix = args[1] if len(args) > 1 else prefix
            keep_vars = args[2] if len(args) > 2 else keep_vars
        if destination is None:
            destination = OrderedDict()
            setattr(destination, "_metadata", OrderedDict())  # noqa: B010  # the versions, where torch keeps them
        version = {"version": self._version}
        if hasattr(destination, "_metadata"):
            destination._metadata[prefix[:-1]] = version
        hooks = self._hooks or Hooks()
        for hook in hooks.state_dict_pre.values():
            hook.function(self, prefix, keep_vars)
        self._save_to_state_dict(destination, prefix, keep_vars)
        for name, child in self._modules.items():
            if child is not None:
                child.state_dict(destination=destination, prefix=f"{prefix}{name}.", keep_vars=keep_vars)
        for hook in hooks.state_dict.values():
            changed = hook.function(self, destination, prefix, version)
            if changed is not None:
                raise RuntimeError("state_dict post-hook must return None")
        return destination

    def _save_to_state_dict(self, destination: dict[str, Any], prefix: str, keep_vars: bool) -> None:
        """Put this module's own tensors into ``destination``."""
        for name, tensor in self._own_state().items():
            destination[prefix + name] = tensor if keep_vars else tensor.detach()
        if type(self).get_extra_state is not Module.get_extra_state:
            destination[prefix + EXTRA_STATE] = self.get_extra_state()

    def _own_state(self) -> dict[str, Tensor]:
        """Parameters and persistent buffers of this module alone."""
        buffers = {n: b for n, b in self._buffers.items() if n not in self._non_persistent_buffers_set}
        return {name: t for name, t in (*self._parameters.items(), *buffers.items()) if t is not None}

    def get_extra_state(self) -> Any:
        """Return whatever else belongs into ``state_dict``: override together with ``set_extra_state``."""
        raise RuntimeError("get_extra_state is not defined for this Module: override it with set_extra_state")

    def set_extra_state(self, state: Any) -> None:
        """Take back what ``get_extra_state`` returned."""
        raise RuntimeError("set_extra_state is not defined for this Module: override it with get_extra_state")

    def load_state_dict(
        self, state_dict: Mapping[str, Any], strict: bool = True, assign: bool = False
    ) -> _IncompatibleKeys:
        """Copy values into parameters and buffers by name: all of them, or on an error none.

        Parameters
        ----------
        strict
            Whether every key must match.
        assign
            Whether to put the given tensors in place of the present ones instead of copying.

        Raises
        ------
        RuntimeError
            Keys or shapes do not match; nothing has changed then (PyTorch would have copied what fits).

        Examples
        --------
        >>> import tinygrad_edu as torch
        >>> a, b = torch.nn.Linear(2, 1), torch.nn.Linear(2, 1)
        >>> b.load_state_dict(a.state_dict())
        <All keys matched successfully>

        """
        if not isinstance(state_dict, Mapping):
            raise TypeError(f"Expected state_dict to be dict-like, got {type(state_dict)}.")
        metadata: Mapping[str, dict[str, Any]] = getattr(state_dict, "_metadata", None) or {}
        given = OrderedDict(state_dict)
        missing: list[str] = []
        unexpected: list[str] = []
        errors: list[str] = []
        plan: list[Callable[[], object]] = []  # what is to be written, once nothing can fail any more

        def load(module: Module, state: Mapping[str, Any], prefix: str) -> None:
            own = {**metadata.get(prefix[:-1], {}), "plan": plan, "assign_to_params_buffers": assign}
            module._load_from_state_dict(state, prefix, own, True, missing, unexpected, errors)
            for name, child in module._modules.items():
                if child is not None:
                    inner = f"{prefix}{name}."
                    load(child, OrderedDict((k, v) for k, v in state.items() if k.startswith(inner)), inner)

        load(self, given, "")
        ready = not (errors or (strict and (missing or unexpected)))
        if ready:
            _carry_out(plan)
        self._run_load_post_hooks(_IncompatibleKeys(missing, unexpected))  # these may amend the lists of keys
        if strict:
            errors = _key_errors(missing, unexpected) + errors
        if errors:
            raise RuntimeError(
                f"Error(s) in loading state_dict for {type(self).__name__}:\n\t"
                + "\n\t".join(errors)
                + _advise(self, given, missing, unexpected)
            )
        if not ready:
            _carry_out(plan)
        return _IncompatibleKeys(missing, unexpected)

    def _run_load_post_hooks(self, keys: _IncompatibleKeys) -> None:
        """Run the hooks after loading, children first."""
        for child in self._modules.values():
            if child is not None:
                child._run_load_post_hooks(keys)
        for hook in self._hooks.load_post.values() if self._hooks else ():
            if hook.function(self, keys) is not None:
                raise AssertionError(
                    "Hooks registered with ``register_load_state_dict_post_hook`` are not expected to return new "
                    "values, if incompatible_keys need to be modified, it should be done inplace."
                )

    def _load_from_state_dict(
        self,
        state_dict: Mapping[str, Any],
        prefix: str,
        local_metadata: dict[str, Any],
        strict: bool,
        missing_keys: list[str],
        unexpected_keys: list[str],
        error_msgs: list[str],
    ) -> None:
        """Compare this module's own tensors with ``state_dict`` and plan (or, called alone, do) the copies."""
        for hook in self._hooks.load_pre.values() if self._hooks else ():
            arguments = (state_dict, prefix, local_metadata, strict, missing_keys, unexpected_keys, error_msgs)
            hook.function(*((self, *arguments) if hook.with_kwargs else arguments))
        plan: list[Callable[[], object]] = local_metadata.get("plan", [])
        assign: bool = local_metadata.get("assign_to_params_buffers", False)
        own = self._own_state()
        for name, tensor in own.items():
            key = prefix + name
            if key not in state_dict:
                if strict:
                    missing_keys.append(key)
                continue
            value = state_dict[key]
            if not isinstance(value, Tensor):
                error_msgs.append(
                    f'While copying the parameter named "{key}", expected torch.Tensor or Tensor-like object from '
                    f"checkpoint but received {type(value)}"
                )
                continue
            if tensor.dim() == 0 and value.dim() == 1 and value.shape[0] == 1:
                value = value[0]  # old files keep single numbers as one-element vectors
            if value.shape != tensor.shape:
                error_msgs.append(
                    f"size mismatch for {key}: copying a param with shape {value.shape} from checkpoint, the shape in "
                    f"current model is {tensor.shape}."
                )
                continue
            plan.append(lambda name=name, value=value: self._take(name, value, assign))  # type: ignore[misc]  # defaults bind now
        extra = prefix + EXTRA_STATE
        if type(self).set_extra_state is not Module.set_extra_state:
            if extra in state_dict:
                plan.append(lambda: self.set_extra_state(state_dict[extra]))
            elif strict:
                missing_keys.append(extra)
        elif strict and extra in state_dict:
            unexpected_keys.append(extra)
        if strict:
            for key in state_dict:
                head, dot, _ = key.removeprefix(prefix).partition(".")
                if key.startswith(prefix) and key != extra and head not in (self._modules if dot else own):
                    unexpected_keys.append(key)
        if "plan" not in local_metadata:
            _carry_out(plan)

    def _take(self, name: str, value: Tensor, assign: bool) -> None:
        """Copy ``value`` into the tensor called ``name``, or put it in its place."""
        present: Tensor = getattr(self, name)
        if not assign:
            present.copy_(value)
        elif isinstance(present, Parameter):
            wanted = present.requires_grad
            fits = isinstance(value, Parameter)
            setattr(self, name, value.requires_grad_(wanted) if fits else Parameter(value, wanted))
        else:
            setattr(self, name, value)

    # Hooks.

    def _add_hook(self, moment: str, hook: Hook, prepend: bool = False) -> RemovableHandle:
        if self._hooks is None:
            self._hooks = Hooks()
        return self._hooks.add(moment, hook, prepend=prepend)

    def register_forward_pre_hook(
        self, hook: Forward, *, prepend: bool = False, with_kwargs: bool = False
    ) -> RemovableHandle:
        """Call ``hook(module, args)`` before each forward; what it returns takes the place of the arguments.

        Parameters
        ----------
        with_kwargs
            Call ``hook(module, args, kwargs)`` instead; it returns None or a new ``(args, kwargs)``.
        prepend
            Whether to run it before the hooks already there.

        """
        return self._add_hook("forward_pre", Hook(hook, with_kwargs), prepend)

    def register_forward_hook(
        self, hook: Forward, *, prepend: bool = False, with_kwargs: bool = False, always_call: bool = False
    ) -> RemovableHandle:
        """Call ``hook(module, args, output)`` after each forward; what it returns takes the place of the output.

        Parameters
        ----------
        with_kwargs
            Call ``hook(module, args, kwargs, output)`` instead.
        always_call
            Whether to call it also when forward raised.
        prepend
            Whether to run it before the hooks already there.

        Examples
        --------
        >>> import tinygrad_edu as torch
        >>> layer = torch.nn.Linear(2, 3)
        >>> handle = layer.register_forward_hook(lambda module, args, output: print(tuple(output.shape)))
        >>> _ = layer(torch.ones(4, 2))
        (4, 3)
        >>> handle.remove()

        """
        return self._add_hook("forward", Hook(hook, with_kwargs, always_call), prepend)

    def register_full_backward_pre_hook(self, hook: Forward, prepend: bool = False) -> RemovableHandle:
        """Call ``hook(module, grad_output)`` when the gradient of the output is known; it may return another."""
        return self._add_hook("backward_pre", Hook(hook), prepend)

    def register_full_backward_hook(self, hook: Forward, prepend: bool = False) -> RemovableHandle:
        """Call ``hook(module, grad_input, grad_output)`` when the inputs' gradients are known; it may return others."""
        return self._add_hook("backward", Hook(hook), prepend)

    def register_backward_hook(self, hook: Forward) -> RemovableHandle:
        """Do what ``register_full_backward_hook`` does (PyTorch's older form saw part of the gradients)."""
        return self.register_full_backward_hook(hook)

    def register_state_dict_pre_hook(self, hook: Forward) -> RemovableHandle:
        """Call ``hook(module, prefix, keep_vars)`` before ``state_dict`` collects."""
        return self._add_hook("state_dict_pre", Hook(hook))

    def register_state_dict_post_hook(self, hook: Forward) -> RemovableHandle:
        """Call ``hook(module, state_dict, prefix, local_metadata)`` after ``state_dict`` has collected."""
        return self._add_hook("state_dict", Hook(hook))

    def register_load_state_dict_pre_hook(self, hook: Forward) -> RemovableHandle:
        """Call ``hook(module, state_dict, prefix, ...)`` before loading; it may rename keys in ``state_dict``."""
        return self._add_hook("load_pre", Hook(hook, with_kwargs=True))

    def _register_load_state_dict_pre_hook(self, hook: Forward, with_module: bool = False) -> RemovableHandle:
        return self._add_hook("load_pre", Hook(hook, with_kwargs=with_module))

    def register_load_state_dict_post_hook(self, hook: Forward) -> RemovableHandle:
        """Call ``hook(module, incompatible_keys)`` after loading; it may change the lists of keys."""
        return self._add_hook("load_post", Hook(hook))

    # Printing.

    def _get_name(self) -> str:
        return type(self).__name__

    def extra_repr(self) -> str:
        """Return what stands between the parentheses when this module is printed."""
        return ""

    def __repr__(self) -> str:
        extra = self.extra_repr()
        own = extra.split("\n") if extra else []
        children = [f"({name}): " + repr(child).replace("\n", "\n  ") for name, child in self._modules.items()]
        if len(own) <= 1 and not children:
            return f"{self._get_name()}({extra})"
        return f"{self._get_name()}(\n  " + "\n  ".join(own + children) + "\n)"


def _typename(value: object) -> str:
    """Name a type as torch's messages do: tensors by dtype, built-ins by their bare name."""
    if isinstance(value, Tensor) and not isinstance(value, Parameter):
        return str(value.type())
    kind = value if isinstance(value, type) else type(value)
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


def _destination(args: tuple[object, ...], kwargs: Mapping[str, object]) -> tuple[object, _dtype.dtype | None]:
    """Sort the arguments of ``Module.to`` into a device and a dtype."""
    unknown = set(kwargs) - {"device", "dtype", "non_blocking", "memory_format", "tensor"}
    if unknown:
        raise TypeError(f"to() got an unexpected keyword argument '{unknown.pop()}'")
    device, dtype = kwargs.get("device"), kwargs.get("dtype")
    for value in (*args, kwargs.get("tensor")):
        if isinstance(value, _dtype.dtype):
            dtype = value
        elif isinstance(value, Tensor):
            dtype = value.dtype
        elif value is not None and not isinstance(value, bool):
            device = value
    if not isinstance(dtype, _dtype.dtype | None):
        raise TypeError(f"to(): argument 'dtype' must be torch.dtype, not {type(dtype).__name__}")
    return device, dtype


def _carry_out(plan: list[Callable[[], object]]) -> None:
    """Do what loading planned."""
    with no_grad():
        for act in plan:
            act()


def _key_errors(missing: list[str], unexpected: list[str]) -> list[str]:
    """Put the keys that do not match into torch's words."""
    return [
        f"{word} key(s) in state_dict: " + ", ".join(f'"{key}"' for key in keys) + ". "
        for word, keys in (("Missing", missing), ("Unexpected", unexpected))
        if keys
    ]


def _advise(module: Module, given: Mapping[str, Any], missing: list[str], unexpected: list[str]) -> str:
    """Guess what went wrong between the file and the model, as a last line of the error."""
    advice = []
    for prefix in ("module.", "model.", "_orig_mod."):
        if missing and unexpected and all(key.startswith(prefix) for key in unexpected):
            advice.append(f'every key of the file begins with "{prefix}": strip it, k.removeprefix("{prefix}")')
            unexpected = []
    for key in unexpected[:3]:
        near = _errors.nearest(key, missing, cutoff=0.7)
        if near:
            advice.append(f'the file has "{key}", the model "{near[0]}": was the attribute renamed?')
    for key, tensor in module.state_dict().items():
        value = given.get(key)
        if isinstance(value, Tensor) and isinstance(tensor, Tensor) and value.shape != tensor.shape:
            same = "; they are transposed" if value.dim() == 2 and value.shape == tensor.shape[::-1] else ""
            advice.append(f'"{key}": the file has {tuple(value.shape)}, the model {tuple(tensor.shape)}{same}')
    if missing or unexpected:
        advice.append("strict=False loads what matches")
    return "\n\tNothing was loaded. Hint: " + "; ".join(advice[:5]) + "." if advice else "\n\tNothing was loaded."
