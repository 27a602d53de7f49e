"""Convolutions: one small matrix, learnt, slid over the input."""

from __future__ import annotations

import math

from .. import _dtype
from .._creation import Device, empty
from .._tensor import Tensor
from . import functional as F
from . import init
from ._module import Module
from ._sizes import Size, Size1, Size2, Size3, spread
from .parameter import Parameter

__all__ = ["Conv1d", "Conv2d", "Conv3d", "ConvTranspose1d", "ConvTranspose2d", "ConvTranspose3d"]

MODES = ("zeros", "reflect", "replicate", "circular")


class _Conv(Module):
    """What all convolutions share: sizes, weight and bias, their start, printing."""

    weight: Parameter
    bias: Parameter | None
    dimensions: int  # of the window
    transposed = False
    output_padding: tuple[int, ...]
    padding: str | tuple[int, ...]

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Size,
        stride: Size,
        padding: Size | str,
        dilation: Size,
        output_padding: Size,
        groups: int,
        bias: bool,
        padding_mode: str,
        device: Device,
        dtype: _dtype.dtype | None,
    ) -> None:
        super().__init__()
        if groups <= 0:
            raise ValueError(f"groups must be a positive integer, not {groups}")
        if in_channels % groups != 0:
            raise ValueError(f"in_channels must be divisible by groups: {in_channels} by {groups}")
        if out_channels % groups != 0:
            raise ValueError(f"out_channels must be divisible by groups: {out_channels} by {groups}")
        if padding_mode not in MODES:
            raise ValueError(f"padding_mode must be one of {set(MODES)}, but got padding_mode='{padding_mode}'")
        n = self.dimensions
        self.in_channels = in_channels
        self.out_channels = out_channels
        self.kernel_size = spread(kernel_size, n)
        self.stride = spread(stride, n)
        self.dilation = spread(dilation, n)
        if isinstance(padding, str):
            if padding not in ("same", "valid"):
                raise ValueError(f"Invalid padding string {padding!r}, should be one of 'same', 'valid'")
            if padding == "same" and any(s != 1 for s in self.stride):
                raise ValueError("padding='same' is not supported for strided convolutions")
            self.padding = padding
        else:
            self.padding = spread(padding, n)
        self.transposed = type(self).transposed
        self.output_padding = spread(output_padding, n)
        self.groups = groups
        self.padding_mode = padding_mode
        outside, inside = (in_channels, out_channels) if self.transposed else (out_channels, in_channels)
        self.weight = Parameter(empty((outside, inside // groups, *self.kernel_size), device=device, dtype=dtype))
        if bias:
            self.bias = Parameter(empty(out_channels, device=device, dtype=dtype))
        else:
            self.register_parameter("bias", None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw weight and bias anew: uniform within 1/sqrt(fan_in)."""
        init.kaiming_uniform_(self.weight, a=math.sqrt(5))  # sqrt(5) makes the bound 1/sqrt(fan_in)
        if self.bias is not None:
            fan_in, _ = init._calculate_fan_in_and_fan_out(self.weight)
            if fan_in != 0:
                bound = 1 / math.sqrt(fan_in)
                init.uniform_(self.bias, -bound, bound)

    def _padded(self, input: Tensor) -> tuple[Tensor, str | tuple[int, ...]]:
        """Pad by copies of the input where that is asked for; what is left for the convolution to pad."""
        if self.padding_mode == "zeros":
            return input, self.padding
        widths: list[int] = []  # F.pad wants the last dimension first, (left, right) each
        for i in reversed(range(self.dimensions)):
            if isinstance(self.padding, str):
                total = self.dilation[i] * (self.kernel_size[i] - 1) if self.padding == "same" else 0
                widths += [total // 2, total - total // 2]
            else:
                widths += [self.padding[i]] * 2
        return F.pad(input, widths, mode=self.padding_mode), (0,) * self.dimensions

    def extra_repr(self) -> str:
        """Return the sizes, leaving out defaults."""
        n = self.dimensions
        parts = [f"{self.in_channels}", f"{self.out_channels}"]
        parts += [f"kernel_size={self.kernel_size}", f"stride={self.stride}"]
        if self.padding != (0,) * n:
            parts.append(f"padding={self.padding}")
        if self.dilation != (1,) * n:
            parts.append(f"dilation={self.dilation}")
        if self.output_padding != (0,) * n:
            parts.append(f"output_padding={self.output_padding}")
        if self.groups != 1:
            parts.append(f"groups={self.groups}")
        if self.bias is None:
            parts.append("bias=False")
        if self.padding_mode != "zeros":
            parts.append(f"padding_mode={self.padding_mode}")
        return ", ".join(parts)


class _Transposed(_Conv):
    """What the transposed convolutions share: the output size may be asked for."""

    transposed = True
    padding: tuple[int, ...]

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Size,
        stride: Size = 1,
        padding: Size = 0,
        output_padding: Size = 0,
        groups: int = 1,
        bias: bool = True,
        dilation: Size = 1,
        padding_mode: str = "zeros",
        device: Device = None,
        dtype: _dtype.dtype | None = None,
    ) -> None:
        if padding_mode != "zeros":
            raise ValueError(f'Only "zeros" padding mode is supported for {type(self).__name__}')
        super().__init__(
            in_channels,
            out_channels,
            kernel_size,
            stride,
            padding,
            dilation,
            output_padding,
            groups,
            bias,
            padding_mode,
            device,
            dtype,
        )

    def _extra(self, input: Tensor, output_size: list[int] | None) -> tuple[int, ...]:
        """Find the output padding that gives the size asked for."""
        if output_size is None:
            return self.output_padding
        n = self.dimensions
        leading = input.dim() - n
        if len(output_size) == leading + n:
            output_size = output_size[leading:]
        if len(output_size) != n:
            raise ValueError(
                f"ConvTranspose{n}D: for {input.dim()}D input, output_size must have {n} or {leading + n} elements "
                f"(got {len(output_size)})"
            )
        extra = []
        for i, wanted in enumerate(output_size):
            least = (
                (input.shape[leading + i] - 1) * self.stride[i]
                - 2 * self.padding[i]
                + self.dilation[i] * (self.kernel_size[i] - 1)
                + 1
            )
            if not least <= wanted <= least + self.stride[i] - 1:
                raise ValueError(
                    f"requested an output size of {list(output_size)}, but dimension {i} can only be from {least} to "
                    f"{least + self.stride[i] - 1} (for an input of {list(input.shape[leading:])})"
                )
            extra.append(wanted - least)
        return tuple(extra)


class Conv1d(_Conv):
    """Slide learnt windows along the last axis: (N, C_in, L) or (C_in, L) -> (N, C_out, L').

    L' = floor((L + 2*padding - dilation*(kernel_size - 1) - 1) / stride) + 1. Weight and bias start uniform within
    1/sqrt(C_in/groups * kernel_size).
    """

    dimensions = 1

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Size1,
        stride: Size1 = 1,
        padding: Size1 | str = 0,
        dilation: Size1 = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        device: Device = None,
        dtype: _dtype.dtype | None = None,
    ) -> None:
        sizes = (kernel_size, stride, padding, dilation, 0)
        super().__init__(in_channels, out_channels, *sizes, groups, bias, padding_mode, device, dtype)

    def forward(self, input: Tensor) -> Tensor:
        """Convolve."""
        input, padding = self._padded(input)
        return F.conv1d(input, self.weight, self.bias, self.stride, padding, self.dilation, self.groups)


class Conv2d(_Conv):
    """Slide learnt windows over the last two axes: (N, C_in, H, W) or (C_in, H, W) -> (N, C_out, H', W').

    H' = floor((H + 2*padding - dilation*(kernel_size - 1) - 1) / stride) + 1. Weight and bias start uniform within
    1/sqrt(C_in/groups * window).

    Parameters
    ----------
    padding
        How many rows and columns to add around the input; ``"same"`` keeps its size, ``"valid"`` adds none.
    groups
        Into how many separate convolutions to split the channels.
    padding_mode
        What to add: ``"zeros"``, ``"reflect"``, ``"replicate"`` or ``"circular"``.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> conv = torch.nn.Conv2d(1, 20, 5)
    >>> conv
    Conv2d(1, 20, kernel_size=(5, 5), stride=(1, 1))
    >>> conv(torch.ones(2, 1, 28, 28)).shape
    torch.Size([2, 20, 24, 24])

    """

    dimensions = 2

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Size2,
        stride: Size2 = 1,
        padding: Size2 | str = 0,
        dilation: Size2 = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        device: Device = None,
        dtype: _dtype.dtype | None = None,
    ) -> None:
        sizes = (kernel_size, stride, padding, dilation, 0)
        super().__init__(in_channels, out_channels, *sizes, groups, bias, padding_mode, device, dtype)

    def forward(self, input: Tensor) -> Tensor:
        """Convolve."""
        input, padding = self._padded(input)
        return F.conv2d(input, self.weight, self.bias, self.stride, padding, self.dilation, self.groups)


class Conv3d(_Conv):
    """Slide learnt windows over the last three axes: (N, C_in, D, H, W) -> (N, C_out, D', H', W')."""

    dimensions = 3

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Size3,
        stride: Size3 = 1,
        padding: Size3 | str = 0,
        dilation: Size3 = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        device: Device = None,
        dtype: _dtype.dtype | None = None,
    ) -> None:
        sizes = (kernel_size, stride, padding, dilation, 0)
        super().__init__(in_channels, out_channels, *sizes, groups, bias, padding_mode, device, dtype)

    def forward(self, input: Tensor) -> Tensor:
        """Convolve."""
        input, padding = self._padded(input)
        return F.conv3d(input, self.weight, self.bias, self.stride, padding, self.dilation, self.groups)


class ConvTranspose1d(_Transposed):
    """The adjoint of Conv1d: each input number lays down a window. (N, C_in, L) -> (N, C_out, L')."""

    dimensions = 1

    def forward(self, input: Tensor, output_size: list[int] | None = None) -> Tensor:
        """Lay down the windows; ``output_size`` chooses among the sizes that a stride leaves open."""
        extra = self._extra(input, output_size)
        return F.conv_transpose1d(
            input, self.weight, self.bias, self.stride, self.padding, extra, self.groups, self.dilation
        )


class ConvTranspose2d(_Transposed):
    """The adjoint of Conv2d: each input number lays down a window. (N, C_in, H, W) -> (N, C_out, H', W').

    H' = (H - 1)*stride - 2*padding + dilation*(kernel_size - 1) + output_padding + 1.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.nn.ConvTranspose2d(4, 1, 2, stride=2)(torch.ones(1, 4, 3, 3)).shape
    torch.Size([1, 1, 6, 6])

    """

    dimensions = 2

    def forward(self, input: Tensor, output_size: list[int] | None = None) -> Tensor:
        """Lay down the windows; ``output_size`` chooses among the sizes that a stride leaves open."""
        extra = self._extra(input, output_size)
        return F.conv_transpose2d(
            input, self.weight, self.bias, self.stride, self.padding, extra, self.groups, self.dilation
        )


class ConvTranspose3d(_Transposed):
    """The adjoint of Conv3d: each input number lays down a window. (N, C_in, D, H, W) -> (N, C_out, D', H', W')."""

    dimensions = 3

    def forward(self, input: Tensor, output_size: list[int] | None = None) -> Tensor:
        """Lay down the windows; ``output_size`` chooses among the sizes that a stride leaves open."""
        extra = self._extra(input, output_size)
        return F.conv_transpose3d(
            input, self.weight, self.bias, self.stride, self.padding, extra, self.groups, self.dilation
        )
