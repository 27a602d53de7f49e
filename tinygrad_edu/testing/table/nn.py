"""Activations, layers as functions, attention."""

from __future__ import annotations

import numpy as np

from .._draw import cases, one
from .row import FLOATS, Kind, Point, Row

A = np.array
SIX = np.arange(6.0).reshape(2, 3)
ZERO = A(0.0)
LEAST = -np.inf


def at(x, *settings, kind=Kind.KINK, words="", **more):
    """Return the point of an activation at the number ``x``."""
    return Point(words or f"x = {x:g}", (A(float(x)), *settings), kind, **more)


def largest(shape, *settings):
    """Return the point of a max-pooling of one window of equal elements."""
    return (Point("equal maxima in a window", (np.ones(shape), *settings), Kind.TIE, "the first of the equal ones"),)


def activation(name, *, alias=False, away=(0.0,), low=-3.0, high=3.0, in_place=True, **row):
    """Return the row of an activation; ``alias``: it is also torch.name and Tensor.name."""
    spellings = {}
    if alias:
        spellings = {
            "torch." + name: lambda t, x: getattr(t, name)(x),
            "Tensor." + name: lambda t, x: getattr(x, name)(),
        }
    if in_place == "setting":
        write = lambda t, x: getattr(t.nn.functional, name)(x, inplace=True)
    else:
        write = (lambda t, x: getattr(x, name + "_")()) if in_place else False
    row = {"dtypes": FLOATS} | row
    return Row(
        name="nn.functional." + name,
        call=lambda t, x: getattr(t.nn.functional, name)(x),
        sample=one(low, high, away),
        spellings=spellings,
        in_place=write,
        **row,
    )


def with_setting(name, setting, *values, away=(0.0,), low=-3.0, high=3.0, **row):
    """Return the row of an activation with one setting."""
    return Row(
        name="nn.functional." + name,
        dtypes=FLOATS,
        **row,
        call=lambda t, x, v: getattr(t.nn.functional, name)(x, **{setting: v}),
        sample=cases(lambda d: (d.array(None, low, high, away), d.pick(*values))),
        at_least=min(6, 3),
    )


def convolved(dims):
    """Return the cases of a convolution of ``dims`` dimensions."""

    def make(d):
        groups = d.pick(1, 1, 2)
        ins, outs = groups * d.integer(1, 2), groups * d.integer(1, 2)
        kernel = tuple(d.integer(1, 3) for _ in range(dims))
        dilation = d.pick(1, 1, 2)
        padding = d.pick(0, 1, 2)
        size = tuple(max(1, dilation * (k - 1) + 1 - 2 * padding) + d.integer(0, 2) for k in kernel)
        batch = d.pick((), (1,), (2,), (0,)) if d.integer(0, 3) == 3 else (2,)
        bias = d.array((outs,)) if d.flag() else None
        stride = d.pick(1, 2, (2, 1)[:dims] if dims == 2 else 3)
        return (
            d.array((*batch, ins, *size)),
            d.array((outs, ins // groups, *kernel)),
            bias,
            stride,
            padding,
            dilation,
            groups,
        )

    return cases(make)


def transposed_convolution(d, output_padding):
    """Draw the arguments of conv_transpose2d."""
    groups = d.pick(1, 1, 2)
    ins, outs = groups * d.integer(1, 2), d.integer(1, 2)
    stride = d.pick(1, 2, 3)
    x = d.array((d.integer(1, 2), ins, d.integer(1, 3), d.integer(1, 3)))
    w = d.array((ins, outs, d.integer(2, 3), d.integer(2, 3)))
    bias = d.array((groups * outs,)) if d.flag() else None
    return (
        x,
        w,
        bias,
        stride,
        d.pick(0, 1) if min(w.shape[2:]) > 2 or min(x.shape[2:]) > 1 else 0,
        min(output_padding, stride - 1),
        groups,
        1,
    )


def pooled(dims, *, average=False):
    """Return the cases of a pooling with kernel, stride, padding and further settings."""

    def make(d):
        kernel = tuple(d.integer(1, 3) for _ in range(dims))
        padding = d.pick(0, 1) if min(kernel) > 1 else 0
        size = tuple(k + d.integer(0, 3) for k in kernel)
        batch = d.pick((2, 2), (1, 2), (2,))
        stride = d.pick(None, 1, 2)
        kernel = kernel[0] if len(set(kernel)) == 1 and d.flag() else kernel
        last = (d.flag(), d.flag()) if average else (d.pick(1, 1, 2) if min(size) > 5 else 1, d.flag())
        return d.array((*batch, *size)), kernel, stride, padding, *last

    return cases(make)


def adaptive(dims, wide=4):
    """Return the cases of an adaptive pooling."""

    def make(d):
        x = d.array((*d.pick((2, 2), (1,)), *(d.integer(1, 5) for _ in range(dims))))
        size = d.integer(1, wide) if dims == 1 or d.flag() else tuple(d.pick(1, 2, 3, None) for _ in range(dims))
        return x, size

    return cases(make)


def normed(d):
    """Draw the arguments of batch_norm."""
    c = d.integer(1, 3)
    shape = (d.integer(2, 3), c, *d.pick((), (2,), (2, 2)))
    affine = d.flag()
    return (
        d.array(shape),
        d.array((c,)),
        d.array((c,), 0.5, 2),
        d.array((c,)) if affine else None,
        d.array((c,)) if affine else None,
        d.flag(),
        d.pick(0.1, 0.5),
    )


def batch_norm(t, x, mean, var, w, b, training, momentum):
    """Normalise with copies of the running statistics, and return them too."""
    mean, var, w, b = mean.clone(), var.clone(), packed(w), packed(b)  # torch's kernel ignores their strides
    return t.nn.functional.batch_norm(x, mean, var, w, b, training, momentum), mean, var


def packed(x):
    """Return a tensor without gaps between its elements."""
    return None if x is None else x.contiguous()


def layer_normed(d):
    """Draw the arguments of layer_norm."""
    shape = d.shape(least=1, most=3, empty=False, size=4)
    shape = (*shape[:-1], shape[-1] + 1)
    own = shape[-d.integer(1, len(shape)) :]
    affine = d.flag()  # torch itself fails in second order with a weight and no bias
    return d.array(shape), own, d.array(own) if affine else None, d.array(own) if affine else None


def group_normed(d):
    """Draw the arguments of group_norm."""
    groups = d.integer(1, 2)
    c = groups * d.integer(1, 2)
    affine = d.flag()
    return (
        d.array((2, c, *d.pick((2,), (2, 3)))),
        groups,
        d.array((c,)) if affine else None,
        d.array((c,)) if affine else None,
    )


def attention(t, q, k, v, mask, causal, scale):
    """Attend."""
    return t.nn.functional.scaled_dot_product_attention(q, k, v, attn_mask=mask, is_causal=causal, scale=scale)


def attended(d, batch):
    """Draw queries, keys, values and a mask of attention."""
    q, k, e = d.integer(1, 3), d.integer(1, 3), d.integer(1, 3)
    mask = d.pick("none", "float", "bool", "causal")
    given = None
    if mask == "float":
        given = d.array((q, k))
    elif mask == "bool":
        given = d.mask((q, k)) | np.eye(q, k, dtype=bool) | (np.arange(k) == 0)
    return (
        d.array((*batch, q, e)),
        d.array((*batch, k, e)),
        d.array((*batch, k, 2)),
        given,
        mask == "causal",
        d.pick(None, 0.5),
    )


def interpolated(d):
    """Draw images, and a size or a factor."""
    x = d.array((2, 2, d.integer(1, 3), d.integer(1, 3)))
    return (x, (d.integer(1, 5), d.integer(1, 5)), None) if d.flag() else (x, None, d.pick(2, 2.0, 3, 1.5))


def dropped(d):
    """Draw the arguments of dropout."""
    return d.array(d.shape(size=5)), d.pick(0.5, 0.2, 0.0, 1.0), d.flag(), d.integer(0, 999)


SOFTMAX = cases(lambda d: (x := d.array(), d.dim(x.ndim)))
ROWS = [
    activation("relu", alias=True, dtypes=("float32", "int64"), points=(at(0),)),
    activation("relu6", in_place="setting", away=(0.0, 6.0), low=-3, high=9, points=(at(0), at(6))),
    activation("elu", in_place="setting", points=(at(0, kind=Kind.BEND),)),
    with_setting("elu", "alpha", 1.0, 0.5, 2.0, points=(at(0, 0.5, words="x = 0, alpha = 0.5"),)),
    activation("selu", in_place="setting", points=(at(0),)),
    activation("silu", in_place="setting", order=3),
    activation("gelu", in_place=False, order=3),
    Row(
        name="nn.functional.gelu",
        call=lambda t, x: t.nn.functional.gelu(x, approximate="tanh"),
        sample=one(-3, 3, ()),
        order=3,
        dtypes=FLOATS,
    ),
    activation("hardtanh", in_place="setting", away=(-1.0, 1.0), points=(at(-1), at(1))),
    Row(
        name="nn.functional.hardtanh",
        call=lambda t, x, a, b: t.nn.functional.hardtanh(x, a, b),
        dtypes=FLOATS,
        sample=cases(lambda d: (d.array(None, -3, 3, (-2, 0.5, 2)), -2.0, d.pick(0.5, 2.0))),
        bad=((A([1.0]), 1.0, 0.0),),
        points=(at(-2, -2.0, 0.5, words="x = min_val"), at(0.5, -2.0, 0.5, words="x = max_val")),
    ),
    activation("leaky_relu", in_place="setting", points=(at(0),)),
    with_setting(
        "leaky_relu", "negative_slope", 0.01, 0.2, 0.0, points=(at(0, 0.2, words="x = 0, negative_slope = 0.2"),)
    ),
    activation("logsigmoid", in_place=False, order=3),
    activation("softplus", in_place=False, order=3),
    Row(
        name="nn.functional.softplus",
        call=lambda t, x, b, s: t.nn.functional.softplus(x, b, s),
        dtypes=FLOATS,
        ties=1,
        sample=cases(lambda d: (d.array(None, -3, 3, (1.0, 2.0)), d.pick(1, 2, 0.5), d.pick(2, 1))),
        points=(
            at(
                2,
                1,
                2,
                kind=Kind.JUMP,
                words="x = threshold / beta",
                why="above it is the line x, here not yet",
                order=1,
            ),
        ),
    ),
    activation("softsign", in_place=False, points=(at(0, kind=Kind.BEND),)),
    Row(
        name="nn.functional.prelu",
        call=lambda t, x, w: t.nn.functional.prelu(x, w),
        sample=cases(lambda d: (d.array((2, c := d.integer(1, 3), *d.pick((), (2,)))), d.array(d.pick((1,), (c,))))),
        dtypes=FLOATS,
        ties=1,
        spellings={"torch.prelu": lambda t, x, w: t.prelu(x, w), "Tensor.prelu": lambda t, x, w: x.prelu(w)},
        bad=((SIX, A([1.0, 2.0])),),
        points=(Point("x = 0", (A([[0.0]]), A([0.25])), Kind.KINK, order=1),),
    ),
    Row(
        name="softmax",
        call=lambda t, x, dim: t.softmax(x, dim),
        sample=SOFTMAX,
        order=3,
        dtypes=FLOATS,
        points=(
            Point("-infinity among numbers", (A([LEAST, 0.0]), 0), Kind.REMOVABLE),
            Point("nothing but -infinity", (A([LEAST, LEAST]), 0), Kind.SINGULAR, "0 / 0"),
        ),
        spellings={"F.softmax": lambda t, x, dim: t.nn.functional.softmax(x, dim=dim)},
        bad=((SIX, 2),),
    ),
    Row(name="softmax.with_dtype", call=lambda t, x, dim: t.softmax(x, dim, dtype=t.float64), sample=SOFTMAX),
    Row(
        name="log_softmax",
        call=lambda t, x, dim: t.log_softmax(x, dim),
        sample=SOFTMAX,
        order=3,
        dtypes=FLOATS,
        points=(Point("nothing but -infinity", (A([LEAST, LEAST]), 0), Kind.SINGULAR, "0 / 0"),),
        spellings={"F.log_softmax": lambda t, x, dim: t.nn.functional.log_softmax(x, dim=dim)},
        bad=((SIX, 2),),
    ),
    Row(name="log_softmax.with_dtype", call=lambda t, x, dim: t.log_softmax(x, dim, dtype=t.float64), sample=SOFTMAX),
    Row(
        name="nn.functional.linear",
        call=lambda t, x, w, b: t.nn.functional.linear(x, w, b),
        sample=cases(
            lambda d: (
                d.array((*d.shape(most=2), k := d.integer(1, 3))),
                d.array((m := d.integer(1, 3), k)),
                d.array((m,)) if d.flag() else None,
            )
        ),
        order=3,
        dtypes=FLOATS,
        special=False,  # some BLAS skip zeros, so that zero times infinity is zero
        bad=((SIX, SIX[:, :2], None), (SIX, SIX, A([1.0, 2.0, 3.0]))),
    ),
    Row(
        name="nn.functional.conv1d",
        call=lambda t, *a: t.nn.functional.conv1d(*a),
        sample=convolved(1),
        dtypes=FLOATS,
        order=3,
        special=False,
        ties=0,
        bad=(
            (np.zeros((1, 2, 5)), np.zeros((1, 1, 3)), None, 1, 0, 1, 1),
            (np.zeros((1, 1, 2)), np.zeros((1, 1, 3)), None, 1, 0, 1, 1),
            (np.zeros((1, 1, 5)), np.zeros((1, 1, 3)), A([1.0, 2.0]), 1, 0, 1, 1),
            (np.zeros((1, 1, 5)), np.zeros((1, 1, 3)), None, 0, 0, 1, 1),
        ),
    ),
    Row(
        name="nn.functional.conv2d",
        call=lambda t, *a: t.nn.functional.conv2d(*a),
        sample=convolved(2),
        dtypes=FLOATS,
        order=3,
        special=False,
        ties=0,
        bad=(
            (np.zeros((1, 2, 5, 5)), np.zeros((1, 1, 3, 3)), None, 1, 0, 1, 1),
            (np.zeros((1, 1, 2, 2)), np.zeros((1, 1, 3, 3)), None, 1, 0, 1, 1),
            (np.zeros((5, 5)), np.zeros((1, 1, 3, 3)), None, 1, 0, 1, 1),
            (np.zeros((1, 3, 5, 5)), np.zeros((2, 1, 3, 3)), None, 1, 0, 1, 2),
        ),
    ),
    Row(
        name="nn.functional.conv2d",
        dtypes=FLOATS,
        ties=0,
        special=False,
        call=lambda t, x, w, p: t.nn.functional.conv2d(x, w, padding=p),
        sample=cases(
            lambda d: (
                d.array((1, 1, 4, 5)),
                d.array((2, 1, d.integer(1, 3), d.integer(1, 3))),
                d.pick("same", "valid"),
            )
        ),
    ),
    Row(  # torch cannot differentiate an output padding twice
        name="nn.functional.conv_transpose2d",
        call=lambda t, *a: t.nn.functional.conv_transpose2d(*a),
        sample=cases(lambda d: transposed_convolution(d, d.integer(1, 2))),
        dtypes=FLOATS,
        order=1,
        special=False,
        ties=0,
    ),
    Row(
        name="nn.functional.conv_transpose2d",
        call=lambda t, *a: t.nn.functional.conv_transpose2d(*a),
        sample=cases(lambda d: transposed_convolution(d, 0)),
        dtypes=FLOATS,
        order=3,
        special=False,
        ties=0,
        bad=(
            (np.zeros((1, 2, 2, 2)), np.zeros((1, 1, 2, 2)), None, 1, 0, 0, 1, 1),
            (np.zeros((1, 1, 2, 2)), np.zeros((1, 1, 2, 2)), None, 1, 0, 1, 1, 1),
        ),
    ),
    Row(
        name="nn.functional.max_pool1d",
        call=lambda t, *a: t.nn.functional.max_pool1d(*a),
        sample=pooled(1),
        dtypes=FLOATS,
        bad=((np.zeros((1, 1, 2)), 3, None, 0, 1, False), (np.zeros((1, 1, 4)), 2, None, 2, 1, False)),
        points=largest((1, 1, 2), 2, None, 0, 1, False),
    ),
    Row(
        name="nn.functional.max_pool2d",
        call=lambda t, *a: t.nn.functional.max_pool2d(*a),
        sample=pooled(2),
        dtypes=FLOATS,
        bad=(
            (np.zeros((1, 1, 2, 2)), 3, None, 0, 1, False),
            (np.zeros((1, 1, 4, 4)), 2, None, 2, 1, False),
            (A([1.0]), 1, None, 0, 1, False),
        ),
        points=largest((1, 1, 2, 2), 2, None, 0, 1, False),
    ),
    Row(
        name="nn.functional.max_pool2d",
        dtypes=FLOATS,
        sample=cases(lambda d: (d.array((1, 2, 4, 4)), d.pick(1, 2, 3))),
        call=lambda t, x, k: t.nn.functional.max_pool2d(x, k, return_indices=True),
        points=largest((1, 1, 2, 2), 2),
    ),
    Row(
        name="nn.functional.avg_pool1d",
        call=lambda t, *a: t.nn.functional.avg_pool1d(*a),
        sample=pooled(1, average=True),
        dtypes=FLOATS,
        bad=((np.zeros((1, 1, 2)), 3, None, 0, False, True),),
    ),
    Row(
        name="nn.functional.avg_pool2d",
        call=lambda t, *a: t.nn.functional.avg_pool2d(*a),
        sample=pooled(2, average=True),
        dtypes=FLOATS,
        bad=((np.zeros((1, 1, 2, 2)), 3, None, 0, False, True),),
    ),
    Row(
        name="nn.functional.adaptive_avg_pool1d",
        call=lambda t, x, s: t.nn.functional.adaptive_avg_pool1d(x, s),
        sample=adaptive(1),
        dtypes=FLOATS,
    ),
    Row(
        name="nn.functional.adaptive_avg_pool2d",
        call=lambda t, x, s: t.nn.functional.adaptive_avg_pool2d(x, s),
        sample=adaptive(2),
        dtypes=FLOATS,
        bad=((A([1.0]), 1),),
    ),
    Row(
        name="nn.functional.adaptive_max_pool2d",
        call=lambda t, x, s: t.nn.functional.adaptive_max_pool2d(x, s),
        sample=adaptive(2),
        dtypes=FLOATS,
        bad=((np.zeros((2, 2)), 1),),
        points=largest((1, 1, 2), 1),
    ),
    Row(
        name="nn.functional.batch_norm",
        call=batch_norm,
        sample=cases(normed),
        frozen=(1, 2),
        dtypes=FLOATS,
        special=False,
        ties=0,
        bad=((A([[1.0]]), A([0.0]), A([1.0]), None, None, True, 0.1),),
    ),
    Row(
        name="nn.functional.batch_norm",
        dtypes=FLOATS,
        special=False,
        ties=0,
        sample=cases(normed),
        frozen=(1, 2),
        call=lambda t, x, m, v, w, b, *_: t.nn.functional.batch_norm(x, None, None, packed(w), packed(b), True),
        points=(
            Point(
                "all elements equal",
                (np.ones((2, 1)), A([0.0]), A([1.0]), None, None, True, 0.1),
                Kind.REMOVABLE,
                "eps keeps the root from zero",
            ),
        ),
    ),
    Row(
        name="nn.functional.layer_norm",
        call=lambda t, x, s, w, b: t.nn.functional.layer_norm(x, s, w, b),
        sample=cases(layer_normed),
        dtypes=FLOATS,
        special=False,
        ties=0,
        rtol=1e-7,
        bad=((SIX, (2,), None, None),),
        points=(
            Point(
                "all elements equal", (A([1.0, 1.0]), (2,), None, None), Kind.REMOVABLE, "eps keeps the root from zero"
            ),
        ),
    ),
    Row(
        name="nn.functional.group_norm",
        call=lambda t, x, g, w, b: t.nn.functional.group_norm(x, g, w, b),
        sample=cases(group_normed),
        dtypes=FLOATS,
        special=False,
        ties=0,
        bad=((np.zeros((2, 3, 2)), 2, None, None),),
        points=(
            Point(
                "all elements equal", (np.ones((1, 2)), 1, None, None), Kind.REMOVABLE, "eps keeps the root from zero"
            ),
        ),
    ),
    Row(
        name="nn.functional.normalize",
        call=lambda t, x, p, dim: t.nn.functional.normalize(x, p, dim),
        dtypes=FLOATS,
        ties=1,
        special=False,
        sample=cases(lambda d: (x := d.array(d.shape(least=1, empty=False)), d.pick(2.0, 1.0, 3.0), d.dim(x.ndim))),
        points=(
            Point("the zero vector", (np.zeros(2), 2.0, 0), Kind.JUMP, "x / eps, with eps = 1e-12, up to that norm"),
            Point("a zero among others, p = 1", (A([0.0, 1.0]), 1.0, 0), Kind.KINK, element=1),
        ),
    ),
    Row(
        name="nn.functional.embedding",
        call=lambda t, i, w: t.nn.functional.embedding(i, w),
        dtypes=FLOATS,
        sample=cases(lambda d: (d.whole(d.shape(empty=False), 0, 4), d.array((4, 2)))),
        bad=((A([4]), np.zeros((4, 2))), (A([-1]), np.zeros((4, 2))), (A([1.0]), np.zeros((4, 2)))),
    ),
    Row(
        name="nn.functional.embedding",
        call=lambda t, i, w: t.nn.functional.embedding(i, w, padding_idx=1),
        dtypes=FLOATS,
        finite=False,
        sample=cases(lambda d: (d.whole(d.shape(empty=False), 0, 4), d.array((4, 2)))),
    ),
    Row(
        name="nn.functional.one_hot",
        call=lambda t, i, n: t.nn.functional.one_hot(i, n),
        order=0,
        sample=cases(lambda d: (d.whole(d.shape(empty=False), 0, 4), d.pick(4, 6, -1))),
        bad=((A([4]), 4), (A([-1]), 4), (A([1.0]), 4)),
    ),
    Row(
        name="nn.functional.pad.constant",
        call=lambda t, x, p, v: t.nn.functional.pad(x, p, value=v),
        sample=cases(
            lambda d: (
                d.array(s := d.shape(least=1, empty=False)),
                tuple(d.integer(0 if d.flag() else -1, 2) for _ in range(2 * d.integer(1, len(s)))),
                d.pick(0, 1.5, None),
            )
        ),
        dtypes=FLOATS,
        bad=((SIX, (1,), 0), (SIX, (1,) * 6, 0), (SIX, (-2, -2), 0)),
    ),
    Row(
        name="nn.functional.pixel_shuffle",
        call=lambda t, x, r: t.nn.functional.pixel_shuffle(x, r),
        sample=cases(lambda d: (d.array((*d.pick((), (2,)), 4 * d.integer(1, 2), d.integer(1, 2), 2)), 2)),
        dtypes=FLOATS,
        bad=((np.zeros((1, 3, 2, 2)), 2),),
    ),
    Row(
        name="nn.functional.unfold",
        call=lambda t, x, k, dil, p, s: t.nn.functional.unfold(x, k, dil, p, s),
        sample=cases(
            lambda d: (
                d.array((2, d.integer(1, 2), 4, 3)),
                d.pick(2, (1, 2), 3),
                d.pick(1, 1),
                d.pick(0, 1),
                d.pick(1, 2),
            )
        ),
        dtypes=FLOATS,
        bad=((np.zeros((1, 1, 2, 2)), 3, 1, 0, 1),),
    ),
    Row(
        name="nn.functional.interpolate.nearest",
        dtypes=FLOATS,
        sample=cases(interpolated),
        call=lambda t, x, size, factor: t.nn.functional.interpolate(x, size, factor, mode="nearest"),
    ),
    Row(
        name="nn.functional.interpolate.bilinear",
        dtypes=FLOATS,
        special=False,
        sample=cases(lambda d: (*interpolated(d), d.flag())),
        call=lambda t, x, size, factor, corners: t.nn.functional.interpolate(
            x, size, factor, mode="bilinear", align_corners=corners
        ),
        bad=((SIX, (2, 2), None, False),),
    ),
    Row(
        name="nn.functional.dropout",
        dtypes=FLOATS,
        sample=cases(dropped),
        layouts=False,
        special=False,
        call=lambda t, x, p, training, seed: (t.manual_seed(seed), t.nn.functional.dropout(x, p, training))[1],
        in_place=lambda t, x, p, training, seed: (t.manual_seed(seed), t.nn.functional.dropout(x, p, training, True))[
            1
        ],
        bad=((A([1.0]), 1.5, True, 0),),
    ),
    Row(
        name="nn.functional.dropout2d",
        dtypes=FLOATS,
        layouts=False,
        special=False,
        sample=cases(lambda d: (d.array((2, 3, 2, 2)), d.pick(0.5, 0.2), d.flag(), d.integer(0, 999))),
        call=lambda t, x, p, training, seed: (t.manual_seed(seed), t.nn.functional.dropout2d(x, p, training))[1],
        bad=((np.zeros((1, 1, 1, 1)), -0.5, True, 0),),
    ),
    Row(  # four dimensions without a mask: torch takes a fused kernel, which it cannot differentiate twice
        name="nn.functional.scaled_dot_product_attention",
        sample=cases(lambda d: attended(d, (1, 2))),
        dtypes=FLOATS,
        special=False,
        named=False,
        ties=0,
        order=1,
        call=attention,
    ),
    Row(
        name="nn.functional.scaled_dot_product_attention",
        sample=cases(lambda d: attended(d, d.pick((), (2,)))),
        dtypes=FLOATS,
        special=False,
        named=False,
        ties=0,
        call=attention,
        bad=((SIX, np.ones((2, 2)), SIX, None, False, None), (SIX, SIX, SIX[:1], None, False, None)),
    ),
]
