"""Convolutions and their transposes."""

from __future__ import annotations

from ..._errors import where as _where
from ..._ops import conv as _ops
from ..._ops.shape import reshape
from ..._tensor import Tensor
from .._sizes import Size
from ._common import c_type, scalar_type, sizes
from ._resample import pad

__all__ = ["conv1d", "conv2d", "conv3d", "conv_transpose1d", "conv_transpose2d", "conv_transpose3d", "fold", "unfold"]


def conv1d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Size = 1,
    padding: Size | str = 0,
    dilation: Size = 1,
    groups: int = 1,
) -> Tensor:
    """Slide kernels along one dimension.  (N, C, L), (O, C / groups, K) -> (N, O, L')

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.nn.functional.conv1d(torch.tensor([[[1.0, 2.0, 4.0]]]), torch.tensor([[[-1.0, 1.0]]]))
    tensor([[[1., 2.]]])
    """
    return _conv(1, input, weight, bias, stride, padding, dilation, groups)


def conv2d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Size = 1,
    padding: Size | str = 0,
    dilation: Size = 1,
    groups: int = 1,
) -> Tensor:
    """Slide kernels over images.  (N, C, H, W), (O, C / groups, K, L) -> (N, O, H', W')

    ``padding`` is a number of zeros around the image, "valid" (none) or "same" (the image keeps its size).

    Raises
    ------
    RuntimeError
        If the shapes or dtypes do not fit.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.nn.functional.conv2d(torch.ones(1, 1, 3, 3), torch.ones(1, 1, 2, 2))
    tensor([[[[4., 4.],
              [4., 4.]]]])
    """
    return _conv(2, input, weight, bias, stride, padding, dilation, groups)


def conv3d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Size = 1,
    padding: Size | str = 0,
    dilation: Size = 1,
    groups: int = 1,
) -> Tensor:
    """Slide kernels through volumes.  (N, C, D, H, W), (O, C / groups, J, K, L) -> (N, O, D', H', W')"""
    return _conv(3, input, weight, bias, stride, padding, dilation, groups)


def _steps(name: str, value: Size, n: int, least: int) -> tuple[int, ...]:
    shown = list(value) if not isinstance(value, int) else value
    found = sizes(
        value,
        n,
        f"expected {name} to be a single integer value or a list of {n} values to match the convolution dimensions, but got "
        f"{name}={shown}",
    )
    if min(found) < least:
        raise RuntimeError(f"{'negative' if least == 0 else 'non-positive'} {name} is not supported: got {shown}")
    return found


def _check(name: str, n: int, input: Tensor, weight: Tensor, bias: Tensor | None, groups: int) -> None:
    if input.ndim not in (n + 1, n + 2):
        raise RuntimeError(
            f"Expected {n + 1}D (unbatched) or {n + 2}D (batched) input to {name}, but got input of size: {list(input.shape)}"
            + _where()
        )
    if weight.ndim != n + 2:
        raise RuntimeError(
            f"expected a {n + 2}-dimensional weight for {name}, but got weight of size {list(weight.shape)}" + _where()
        )
    if groups <= 0:
        raise RuntimeError(f"non-positive groups is not supported: got {groups}")
    if weight._array.dtype is not input._array.dtype:
        raise RuntimeError(
            f"expected scalar type {scalar_type(input)} but found {scalar_type(weight)}: Input type ({c_type(input)}) and weight "
            f"type ({c_type(weight)}) should be the same. Convert the input with x.to({weight.dtype})." + _where()
        )
    if bias is not None and bias._array.dtype is not input._array.dtype:
        raise RuntimeError(f"Input type ({c_type(input)}) and bias type ({c_type(bias)}) should be the same" + _where())


def _check_bias(weight: Tensor, bias: Tensor | None, channels: int, transposed: bool) -> None:
    if bias is not None and bias.shape != (channels,):
        given = f"transposed={int(transposed)}, " if transposed else ""
        raise RuntimeError(
            f"Given {given}weight of size {list(weight.shape)}, expected bias to be 1-dimensional with {channels} elements, but got "
            f"bias of size {list(bias.shape)} instead" + _where()
        )


def _conv(
    n: int,
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    stride: Size,
    padding: Size | str,
    dilation: Size,
    groups: int,
) -> Tensor:
    _check(f"conv{n}d", n, input, weight, bias, groups)
    strides, dilations = _steps("stride", stride, n, 1), _steps("dilation", dilation, n, 1)
    kernel = weight.shape[2:]
    alone = input.ndim == n + 1
    if isinstance(padding, str):
        input, paddings = _padded_by_name(input, padding, kernel, strides, dilations)
    else:
        paddings = _steps("padding", padding, n, 0)
    out_channels, channels = weight.shape[0], input.shape[0 if alone else 1]
    if out_channels < groups or out_channels % groups:
        raise RuntimeError(
            f"Given groups={groups}, expected weight to be divisible by {groups} at dimension 0, but got weight of size "
            f"[{list(weight.shape)}] instead" + _where()
        )
    if channels != weight.shape[1] * groups:
        raise RuntimeError(
            f"Given groups={groups}, weight of size {list(weight.shape)}, expected input{list(input.shape)} to have "
            f"{weight.shape[1] * groups} channels, but got {channels} channels instead" + _where()
        )
    _check_bias(weight, bias, out_channels, transposed=False)
    how = _ops.Sliding(strides, paddings, dilations)
    size = input.shape[-n:]
    places = how.places(size, kernel)
    if min(places) <= 0:
        wide = " x ".join(str(m + 2 * p) for m, p in zip(size, paddings, strict=True))
        reach = " x ".join(str(d * (k - 1) + 1) for d, k in zip(dilations, kernel, strict=True))
        raise RuntimeError(
            f"Calculated padded input size per channel: ({wide}). Kernel size: ({reach}). Kernel size can't be greater than "
            "actual input size" + _where()
        )
    out = _ops.convolution(input.unsqueeze(0) if alone else input, weight, bias, places=places, how=how, groups=groups)
    return out.squeeze(0) if alone else out


def _padded_by_name(
    input: Tensor, padding: str, kernel: tuple[int, ...], strides: tuple[int, ...], dilations: tuple[int, ...]
) -> tuple[Tensor, tuple[int, ...]]:
    if padding == "valid":
        return input, (0,) * len(kernel)
    if padding != "same":
        raise RuntimeError(f"Invalid padding string: {padding!r}; choose 'valid' or 'same'.")
    if any(s != 1 for s in strides):
        raise RuntimeError("padding='same' is not supported for strided convolutions")
    totals = [d * (k - 1) for d, k in zip(dilations, kernel, strict=True)]
    if any(t % 2 for t in totals):  # an odd total leaves one more at the far end
        widths: list[int] = []
        for t in reversed(totals):
            widths += [0, t % 2]
        input = pad(input, widths)
    return input, tuple(t // 2 for t in totals)


def conv_transpose1d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Size = 1,
    padding: Size = 0,
    output_padding: Size = 0,
    groups: int = 1,
    dilation: Size = 1,
) -> Tensor:
    """Spread inputs by kernels, as ``conv1d`` spreads gradients.  (N, C, L), (C, O / groups, K) -> (N, O, L')"""
    return _conv_transpose(1, input, weight, bias, stride, padding, output_padding, groups, dilation)


def conv_transpose2d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Size = 1,
    padding: Size = 0,
    output_padding: Size = 0,
    groups: int = 1,
    dilation: Size = 1,
) -> Tensor:
    """Spread inputs by kernels, as ``conv2d`` spreads gradients.  (N, C, H, W), (C, O / groups, K, L) -> (N, O, H', W')

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.nn.functional.conv_transpose2d(torch.ones(1, 1, 1, 2), torch.ones(1, 1, 1, 2))
    tensor([[[[1., 2., 1.]]]])
    """
    return _conv_transpose(2, input, weight, bias, stride, padding, output_padding, groups, dilation)


def conv_transpose3d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Size = 1,
    padding: Size = 0,
    output_padding: Size = 0,
    groups: int = 1,
    dilation: Size = 1,
) -> Tensor:
    """Spread inputs by kernels, as ``conv3d`` spreads gradients."""
    return _conv_transpose(3, input, weight, bias, stride, padding, output_padding, groups, dilation)


def _conv_transpose(
    n: int,
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    stride: Size,
    padding: Size,
    output_padding: Size,
    groups: int,
    dilation: Size,
) -> Tensor:
    _check(f"conv_transpose{n}d", n, input, weight, bias, groups)
    strides, dilations = _steps("stride", stride, n, 1), _steps("dilation", dilation, n, 1)
    paddings, extra = _steps("padding", padding, n, 0), _steps("output_padding", output_padding, n, 0)
    alone = input.ndim == n + 1
    channels = input.shape[0 if alone else 1]
    if channels != weight.shape[0]:
        raise RuntimeError(
            f"Given transposed=1, weight of size {list(weight.shape)}, expected input{list(input.shape)} to have {weight.shape[0]} "
            f"channels, but got {channels} channels instead" + _where()
        )
    if channels % groups:
        raise RuntimeError(
            f"Given groups={groups}, expected weight to be divisible by {groups} at dimension 0" + _where()
        )
    _check_bias(weight, bias, weight.shape[1] * groups, transposed=True)
    if any(e >= s and e >= d for e, s, d in zip(extra, strides, dilations, strict=True)):
        raise RuntimeError(
            "output padding must be smaller than either stride or dilation, but got output_padding: "
            f"{extra} stride: {strides} dilation: {dilations}"
        )
    kernel, places = weight.shape[2:], input.shape[-n:]
    size = tuple(
        (m - 1) * s - 2 * p + d * (k - 1) + e + 1
        for m, s, p, d, k, e in zip(places, strides, paddings, dilations, kernel, extra, strict=True)
    )
    if min(size) <= 0:
        raise RuntimeError(
            f"Given input size per channel: ({' x '.join(map(str, places))}). Calculated output size per channel: "
            f"({' x '.join(map(str, size))}). Output size is too small" + _where()
        )
    how = _ops.Sliding(strides, paddings, dilations)
    out = _ops.convolution_input(
        input.unsqueeze(0) if alone else input, weight, bias, size=size, how=how, groups=groups
    )
    return out.squeeze(0) if alone else out


# ---- sliding blocks

_im2col, _col2im = reshape.named("Im2ColBackward0"), reshape.named("Col2ImBackward0")


def _unfolded(x: Tensor) -> Tensor:
    return _im2col(x, shape=x.shape[1:])


def _folded(x: Tensor) -> Tensor:
    return _col2im(x, shape=x.shape[1:])


def _two(name: str, value: Size) -> tuple[int, ...]:
    return sizes(value, 2, f"{name} must be an int or a tuple of two ints")


def unfold(input: Tensor, kernel_size: Size, dilation: Size = 1, padding: Size = 0, stride: Size = 1) -> Tensor:
    """Copy every window of an image into a column.  (N, C, H, W) -> (N, C K L, windows)

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.nn.functional.unfold(torch.tensor([[[[1.0, 2.0, 3.0]]]]), (1, 2))
    tensor([[[1., 2.],
             [2., 3.]]])
    """
    kernel, how = _two("kernel_size", kernel_size), _sliding(stride, padding, dilation)
    if input.ndim == 3:
        return _unfolded(unfold(input.unsqueeze(0), kernel, how.dilation, how.padding, how.stride))
    if input.ndim != 4:
        if input.ndim < 3:
            raise IndexError(
                f"Dimension out of range (expected to be in range of [{-input.ndim}, {input.ndim - 1}], but got 2): unfold takes 3D "
                f"or 4D images, not shape {list(input.shape)}"
            )
        raise RuntimeError(f"Expected 3D or 4D (batch mode) tensor for input, but got: {list(input.shape)}")
    places = how.places(input.shape[2:], kernel)
    if min(places) <= 0:
        raise RuntimeError(
            f"Given input with spatial size {tuple(input.shape[2:])}, kernel_size={kernel}, dilation={how.dilation}, "
            f"padding={how.padding}, calculated shape of the array of sliding blocks as {places}, but its components must be at "
            "least one."
        )
    return _ops.unfold(input, kernel=kernel, how=how)


def _sliding(stride: Size, padding: Size, dilation: Size) -> _ops.Sliding:
    return _ops.Sliding(_two("stride", stride), _two("padding", padding), _two("dilation", dilation))


def fold(
    input: Tensor, output_size: Size, kernel_size: Size, dilation: Size = 1, padding: Size = 0, stride: Size = 1
) -> Tensor:
    """Add columns where ``unfold`` would have found them.  (N, C K L, windows) -> (N, C, *output_size)"""
    size, kernel = _two("output_size", output_size), _two("kernel_size", kernel_size)
    how = _sliding(stride, padding, dilation)
    if input.ndim == 2:
        return _folded(fold(input.unsqueeze(0), size, kernel, how.dilation, how.padding, how.stride))
    if input.ndim != 3:
        raise RuntimeError(f"Expected 2D or 3D (batch mode) tensor for input, but got: {list(input.shape)}")
    if input.shape[1] % (kernel[0] * kernel[1]):
        raise RuntimeError(
            "Expected size of input's dimension 1 to be divisible by the product of kernel_size, but got input.size(1)="
            f"{input.shape[1]} and kernel_size={kernel}."
        )
    h, w = how.places(size, kernel)
    if h * w != input.shape[2] or h < 1 or w < 1:
        raise RuntimeError(
            f"Given output_size={size}, kernel_size={kernel}, dilation={how.dilation}, padding={how.padding}, stride={how.stride}, "
            f"expected size of input's dimension 2 to match the calculated number of sliding blocks {h} * {w} = {h * w}, but got "
            f"input.size(2)={input.shape[2]}."
        )
    return _ops.fold(input, size=size, kernel=kernel, how=how)
