"""Size and device: torch's small public types."""

from __future__ import annotations

from typing import Any


class Size(tuple[int, ...]):
    """The shape of a tensor, printed as torch prints it.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.zeros(2, 3).shape
    torch.Size([2, 3])
    >>> torch.zeros(2, 3).shape.numel()
    6
    """

    __slots__ = ()

    def numel(self) -> int:
        """How many elements a tensor of this shape has."""
        count = 1
        for n in self:
            count *= n
        return count

    def __repr__(self) -> str:
        return f"torch.Size([{', '.join(map(str, self))}])"

    def __getitem__(self, index: Any) -> Any:
        found = tuple.__getitem__(self, index)
        return Size(found) if isinstance(index, slice) else found

    def __add__(self, other: Any) -> Any:
        return Size(tuple(self) + tuple(other))

    def __mul__(self, times: Any) -> Any:
        return Size(tuple(self) * times)

    __rmul__ = __mul__

    def __reduce__(self) -> Any:
        return Size, (tuple(self),)


class device:
    """Where a tensor lives. Here that is always the CPU.

    Raises
    ------
    RuntimeError
        If the text names no device that torch knows.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.device("cpu"), str(torch.device("cuda:0"))
    (device(type='cpu'), 'cuda:0')
    """

    __slots__ = ("index", "type")

    known = ("cpu", "cuda", "mps", "xpu", "meta")

    type: str
    index: int | None

    def __init__(self, type: str | device, index: int | None = None) -> None:
        kind, _, number = str(type).partition(":")
        if kind not in self.known or (number and not number.isdigit()):
            raise RuntimeError(f"Expected one of {', '.join(self.known)} device type at start of device string: {type}")
        self.type = kind
        self.index = int(number) if number else index

    def __repr__(self) -> str:
        return (
            f"device(type='{self.type}')" if self.index is None else f"device(type='{self.type}', index={self.index})"
        )

    def __str__(self) -> str:
        return self.type if self.index is None else f"{self.type}:{self.index}"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, device) and (self.type, self.index) == (other.type, other.index)

    def __hash__(self) -> int:
        return hash((self.type, self.index))

    def __enter__(self) -> device:
        check_device(self)
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing to undo: everything lives on the CPU."""


CPU = device("cpu")


def check_device(wanted: device | str | int | None) -> None:
    """Refuse a device that is not the CPU, in torch's words and type.

    Raises
    ------
    AssertionError
        As torch built without CUDA raises it.
    """
    if wanted is None:
        return
    kind = "cuda" if isinstance(wanted, int) else device(wanted).type
    if kind != "cpu":
        raise AssertionError(
            f"Torch not compiled with {kind.upper()} enabled: tinygrad_edu computes on the CPU only. "
            'Use device = "cuda" if torch.cuda.is_available() else "cpu".'
        )
