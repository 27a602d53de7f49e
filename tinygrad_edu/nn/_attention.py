"""Attention: every place of one sequence looks at all places of another. And the Transformer made of it.

Vaswani et al., "Attention is all you need", 2017. Shapes: L queries, S keys and values, N examples, E features, H heads.
"""

from __future__ import annotations

import copy
import math
import warnings
from collections.abc import Callable, Iterable
from typing import Any

from .. import _dtype
from .._creation import Device, empty, full, zeros
from .._functions import cat, triu
from .._tensor import Tensor, is_grad_enabled
from . import functional as F
from . import init
from ._activation import GELU, ReLU
from ._containers import ModuleList
from ._dropout import Dropout
from ._linear import Linear
from ._module import Module
from ._normalization import LayerNorm
from .parameter import Parameter

__all__ = [
    "MultiheadAttention",
    "Transformer",
    "TransformerDecoder",
    "TransformerDecoderLayer",
    "TransformerEncoder",
    "TransformerEncoderLayer",
]

Activation = Callable[[Tensor], Tensor]


class NonDynamicallyQuantizableLinear(Linear):
    """A Linear; torch's name for it is what is printed."""


class MultiheadAttention(Module):
    """Several attentions side by side, each with learnt projections of queries, keys and values.

    Queries (L, N, E), keys (S, N, kdim), values (S, N, vdim); with ``batch_first`` N stands first; or without N.
    Returns the output, shaped like the queries, and the weights (N, L, S) with which it looked, or None.

    Parameters
    ----------
    dropout
        Dropout on the weights, while training.
    add_bias_kv, add_zero_attn
        Whether to add to keys and values one learnt place, one place of zeros.
    kdim, vdim
        Features of keys and values if they differ from ``embed_dim``.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> attention = torch.nn.MultiheadAttention(8, 2, batch_first=True)
    >>> x = torch.ones(3, 5, 8)
    >>> out, weights = attention(x, x, x)
    >>> out.shape, weights.shape
    (torch.Size([3, 5, 8]), torch.Size([3, 5, 5]))

    """

    in_proj_weight: Parameter | None  # (3E, E): queries, keys, values
    in_proj_bias: Parameter | None
    q_proj_weight: Parameter | None
    k_proj_weight: Parameter | None
    v_proj_weight: Parameter | None
    bias_k: Parameter | None
    bias_v: Parameter | None

    def __init__(
        self,
        embed_dim: int,
        num_heads: int,
        dropout: float = 0.0,
        bias: bool = True,
        add_bias_kv: bool = False,
        add_zero_attn: bool = False,
        kdim: int | None = None,
        vdim: int | None = None,
        batch_first: bool = False,
        device: Device = None,
        dtype: _dtype.dtype | None = None,
    ) -> None:
        if embed_dim <= 0 or num_heads <= 0:
            raise ValueError(
                f"embed_dim and num_heads must be greater than 0, got embed_dim={embed_dim} and num_heads={num_heads} "
                "instead"
            )
        super().__init__()
        self.embed_dim = embed_dim
        self.kdim = embed_dim if kdim is None else kdim
        self.vdim = embed_dim if vdim is None else vdim
        self._qkv_same_embed_dim = self.kdim == embed_dim and self.vdim == embed_dim
        self.num_heads = num_heads
        self.dropout = dropout
        self.batch_first = batch_first
        self.head_dim = embed_dim // num_heads
        if self.head_dim * num_heads != embed_dim:
            raise AssertionError(f"embed_dim must be divisible by num_heads: {embed_dim} by {num_heads}")

        def table(*shape: int) -> Parameter:
            return Parameter(empty(shape, device=device, dtype=dtype))

        same = self._qkv_same_embed_dim
        self.register_parameter("q_proj_weight", None if same else table(embed_dim, embed_dim))
        self.register_parameter("k_proj_weight", None if same else table(embed_dim, self.kdim))
        self.register_parameter("v_proj_weight", None if same else table(embed_dim, self.vdim))
        self.register_parameter("in_proj_weight", table(3 * embed_dim, embed_dim) if same else None)
        self.register_parameter("in_proj_bias", table(3 * embed_dim) if bias else None)
        self.out_proj = NonDynamicallyQuantizableLinear(embed_dim, embed_dim, bias, device, dtype)
        self.register_parameter("bias_k", table(1, 1, embed_dim) if add_bias_kv else None)
        self.register_parameter("bias_v", table(1, 1, embed_dim) if add_bias_kv else None)
        self.add_zero_attn = add_zero_attn
        self._reset_parameters()

    def _reset_parameters(self) -> None:
        """Draw the projections anew; set the biases to zeros."""
        for weight in (self.in_proj_weight, self.q_proj_weight, self.k_proj_weight, self.v_proj_weight):
            if weight is not None:
                init.xavier_uniform_(weight)
        if self.in_proj_bias is not None and self.out_proj.bias is not None:
            init.constant_(self.in_proj_bias, 0.0)
            init.constant_(self.out_proj.bias, 0.0)
        for bias in (self.bias_k, self.bias_v):
            if bias is not None:
                init.xavier_normal_(bias)

    def forward(
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        key_padding_mask: Tensor | None = None,
        need_weights: bool = True,
        attn_mask: Tensor | None = None,
        average_attn_weights: bool = True,
        is_causal: bool = False,
    ) -> tuple[Tensor, Tensor | None]:
        """Attend.

        Parameters
        ----------
        key_padding_mask
            (N, S): True where a key is to be left out; or numbers added to its scores.
        need_weights
            Whether to return the weights as well.
        attn_mask
            (L, S) or (N*H, L, S): True where a query may not look; or numbers added to the scores.
        average_attn_weights
            Whether the weights returned are averaged over the heads or come for each: (N, H, L, S).
        is_causal
            A hint that ``attn_mask`` is the causal mask.

        """
        padding = additive_mask(key_padding_mask, "key_padding_mask", query.dtype, beside=attn_mask)
        mask = additive_mask(attn_mask, "attn_mask", query.dtype)
        batched = query.dim() == 3
        self._check_shapes(query, key, value, key_padding_mask, attn_mask, is_causal)
        if not batched:
            query, key, value = (
                (t.unsqueeze(1) for t in (query, key, value))
                if not _one(query, key, value)
                else ((query.unsqueeze(1),) * 3)
            )
            padding = None if padding is None else padding.unsqueeze(0)
        elif self.batch_first:
            query, key, value = (
                (query.transpose(0, 1),) * 3
                if _one(query, key, value)
                else (t.transpose(0, 1) for t in (query, key, value))
            )
        causal = is_causal and padding is None and not need_weights
        out, weights = self._attend(query, key, value, padding, None if causal else mask, causal, need_weights)
        if not batched:
            out = out.squeeze(1)
        elif self.batch_first:
            out = out.transpose(0, 1)
        if weights is None:
            return out, None
        if average_attn_weights:
            weights = weights.mean(1)
        return out, weights if batched else weights.squeeze(0)

    def _attend(
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        padding: Tensor | None,
        mask: Tensor | None,
        causal: bool,
        need_weights: bool,
    ) -> tuple[Tensor, Tensor | None]:
        """Attend with N in the middle and masks that are added; the weights come for each head."""
        length, count, features = query.shape
        heads, size = self.num_heads, self.head_dim
        q, k, v = self._project(query, key, value)
        if self.bias_k is not None and self.bias_v is not None:
            k = cat([k, self.bias_k.repeat(1, count, 1)])
            v = cat([v, self.bias_v.repeat(1, count, 1)])
            mask, padding = _one_more(mask), _one_more(padding)
        # (places, N, E) -> (N*H, places, E/H)
        q, k, v = (t.reshape(t.shape[0], count * heads, size).transpose(0, 1) for t in (q, k, v))
        if self.add_zero_attn:
            nothing = zeros(count * heads, 1, size, dtype=k.dtype)
            k, v = cat([k, nothing], 1), cat([v, nothing], 1)
            mask, padding = _one_more(mask), _one_more(padding)
        places = k.shape[1]
        if mask is not None and mask.dim() == 3:
            mask = mask.reshape(count, heads, length, places)
        if padding is not None:
            padding = padding.reshape(count, 1, 1, places)
            mask = padding if mask is None else mask + padding
        dropout = self.dropout if self.training else 0.0
        q, k, v = (t.reshape(count, heads, t.shape[1], size) for t in (q, k, v))
        weights = None
        if need_weights:
            scores = (q * math.sqrt(1.0 / size)) @ k.mT  # (N, H, L, S)
            weights = F.softmax(scores if mask is None else scores + mask, -1)
            if dropout > 0:
                weights = F.dropout(weights, dropout)
            out = weights @ v
        else:
            out = F.scaled_dot_product_attention(q, k, v, mask, dropout, causal)
        out = out.permute(2, 0, 1, 3).reshape(length * count, features)  # (N, H, L, E/H) -> (L*N, E)
        out = F.linear(out, self.out_proj.weight, self.out_proj.bias)
        return out.reshape(length, count, features), weights

    def _project(self, query: Tensor, key: Tensor, value: Tensor) -> tuple[Tensor, ...]:
        """Multiply by the three projections."""
        if self.in_proj_weight is not None and _one(query, key, value):
            return F.linear(query, self.in_proj_weight, self.in_proj_bias).chunk(3, -1)
        matrices: Iterable[Any] = (self.q_proj_weight, self.k_proj_weight, self.v_proj_weight)
        if self.in_proj_weight is not None:
            matrices = self.in_proj_weight.chunk(3)
        biases = (None, None, None) if self.in_proj_bias is None else self.in_proj_bias.chunk(3)
        return tuple(F.linear(t, w, b) for t, w, b in zip((query, key, value), matrices, biases, strict=True))

    def _check_shapes(
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        padding: Tensor | None,
        mask: Tensor | None,
        is_causal: bool,
    ) -> None:
        """Refuse what does not fit together, in torch's words."""
        if query.dim() not in (2, 3):
            raise AssertionError(
                f"query should be unbatched 2D or batched 3D tensor but received {query.dim()}-D query tensor"
            )
        batched = query.dim() == 3
        kind = "batched" if batched else "unbatched"
        if key.dim() != query.dim() or value.dim() != query.dim():
            raise AssertionError(
                f"For {kind} ({query.dim()}-D) `query`, expected `key` and `value` to be {query.dim()}-D but found "
                f"{key.dim()}-D and {value.dim()}-D tensors respectively"
            )
        if padding is not None and padding.dim() != query.dim() - 1:
            raise AssertionError(
                f"For {kind} ({query.dim()}-D) `query`, expected `key_padding_mask` to be `None` or "
                f"{query.dim() - 1}-D but found {padding.dim()}-D tensor instead"
            )
        if mask is not None and mask.dim() not in (2, 3):
            raise AssertionError(
                f"expected `attn_mask` to be `None`, 2-D or 3-D but found {mask.dim()}-D tensor instead"
            )
        if is_causal and mask is None:
            raise RuntimeError("Need attn_mask if specifying the is_causal hint.")
        if query.shape[-1] != self.embed_dim:
            raise AssertionError(f"was expecting embedding dimension of {self.embed_dim}, but got {query.shape[-1]}")
        if self._qkv_same_embed_dim and key.shape != value.shape:
            raise AssertionError(f"key shape {key.shape} does not match value shape {value.shape}")
        axis, other = (1, 0) if batched and self.batch_first else (0, 1)
        length, places = query.shape[axis], key.shape[axis]
        count = query.shape[other] if batched else 1
        if batched and key.shape[:2] != value.shape[:2]:
            raise AssertionError(
                f"key's sequence and batch dims {key.shape[:2]} do not match value's {value.shape[:2]}"
            )
        if mask is not None:
            wanted = (length, places) if mask.dim() == 2 else (count * self.num_heads, length, places)
            if tuple(mask.shape) != wanted:
                raise RuntimeError(f"The shape of the {mask.dim()}D attn_mask is {mask.shape}, but should be {wanted}.")
        if padding is not None and batched and tuple(padding.shape) != (count, places):
            raise AssertionError(f"expecting key_padding_mask shape of {(count, places)}, but got {padding.shape}")


def _one(query: Tensor, key: Tensor, value: Tensor) -> bool:
    """Is it self-attention, in which one multiplication projects all three?"""
    return query is key and key is value


def _one_more(mask: Tensor | None) -> Tensor | None:
    """Let every query look at one more place."""
    return None if mask is None else F.pad(mask, (0, 1))


def additive_mask(mask: Tensor | None, name: str, dtype: _dtype.dtype, beside: Tensor | None = None) -> Tensor | None:
    """Turn True into -inf and False into 0; numbers stay, to be added to scores."""
    if mask is None:
        return None
    is_bool = mask.dtype == _dtype.bool
    if not is_bool and not mask.is_floating_point():
        raise AssertionError(f"only bool and floating types of {name} are supported, not {mask.dtype}")
    if beside is not None and beside.dtype != mask.dtype:
        warnings.warn(
            f"Support for mismatched {name} and attn_mask is deprecated. Use same type for both instead.",
            stacklevel=4,
        )
    return zeros(mask.shape, dtype=dtype).masked_fill_(mask, -math.inf) if is_bool else mask


class TransformerEncoderLayer(Module):
    """Self-attention, then two Linear layers; each added to its input and normalised.

    Parameters
    ----------
    dim_feedforward
        Features between the two Linear layers.
    activation
        ``"relu"``, ``"gelu"`` or a function.
    norm_first
        Whether to normalise before each part rather than after.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> layer = torch.nn.TransformerEncoderLayer(8, nhead=2, batch_first=True)
    >>> layer(torch.ones(3, 5, 8)).shape
    torch.Size([3, 5, 8])

    """

    def __init__(
        self,
        d_model: int,
        nhead: int,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: str | Activation = F.relu,
        layer_norm_eps: float = 1e-5,
        batch_first: bool = False,
        norm_first: bool = False,
        bias: bool = True,
        device: Device = None,
        dtype: _dtype.dtype | None = None,
    ) -> None:
        super().__init__()
        place: dict[str, Any] = {"device": device, "dtype": dtype}
        self.self_attn = MultiheadAttention(d_model, nhead, dropout, bias, batch_first=batch_first, **place)
        self.linear1 = Linear(d_model, dim_feedforward, bias, **place)
        self.dropout = Dropout(dropout)
        self.linear2 = Linear(dim_feedforward, d_model, bias, **place)
        self.norm_first = norm_first
        self.norm1 = LayerNorm(d_model, layer_norm_eps, bias=bias, **place)
        self.norm2 = LayerNorm(d_model, layer_norm_eps, bias=bias, **place)
        self.dropout1 = Dropout(dropout)
        self.dropout2 = Dropout(dropout)
        self.activation = named_activation(activation)

    def forward(
        self,
        src: Tensor,
        src_mask: Tensor | None = None,
        src_key_padding_mask: Tensor | None = None,
        is_causal: bool = False,
    ) -> Tensor:
        """Encode."""
        padding = additive_mask(src_key_padding_mask, "src_key_padding_mask", src.dtype, beside=src_mask)
        mask = additive_mask(src_mask, "src_mask", src.dtype)

        def look(x: Tensor) -> Tensor:
            return attended(self.self_attn, x, x, mask, padding, is_causal)

        def think(x: Tensor) -> Tensor:
            out: Tensor = self.linear2(self.dropout(self.activation(self.linear1(x))))
            return out

        parts = ((look, self.norm1, self.dropout1), (think, self.norm2, self.dropout2))
        return with_residuals(src, parts, self.norm_first)


class TransformerDecoderLayer(Module):
    """Self-attention, attention to the encoder's output (``memory``), two Linear layers; see the encoder's layer."""

    def __init__(
        self,
        d_model: int,
        nhead: int,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: str | Activation = F.relu,
        layer_norm_eps: float = 1e-5,
        batch_first: bool = False,
        norm_first: bool = False,
        bias: bool = True,
        device: Device = None,
        dtype: _dtype.dtype | None = None,
    ) -> None:
        super().__init__()
        place: dict[str, Any] = {"device": device, "dtype": dtype}
        self.self_attn = MultiheadAttention(d_model, nhead, dropout, bias, batch_first=batch_first, **place)
        self.multihead_attn = MultiheadAttention(d_model, nhead, dropout, bias, batch_first=batch_first, **place)
        self.linear1 = Linear(d_model, dim_feedforward, bias, **place)
        self.dropout = Dropout(dropout)
        self.linear2 = Linear(dim_feedforward, d_model, bias, **place)
        self.norm_first = norm_first
        self.norm1 = LayerNorm(d_model, layer_norm_eps, bias=bias, **place)
        self.norm2 = LayerNorm(d_model, layer_norm_eps, bias=bias, **place)
        self.norm3 = LayerNorm(d_model, layer_norm_eps, bias=bias, **place)
        self.dropout1 = Dropout(dropout)
        self.dropout2 = Dropout(dropout)
        self.dropout3 = Dropout(dropout)
        self.activation = named_activation(activation)

    def forward(
        self,
        tgt: Tensor,
        memory: Tensor,
        tgt_mask: Tensor | None = None,
        memory_mask: Tensor | None = None,
        tgt_key_padding_mask: Tensor | None = None,
        memory_key_padding_mask: Tensor | None = None,
        tgt_is_causal: bool = False,
        memory_is_causal: bool = False,
    ) -> Tensor:
        """Decode."""

        def look_back(x: Tensor) -> Tensor:
            return attended(self.self_attn, x, x, tgt_mask, tgt_key_padding_mask, tgt_is_causal)

        def look_over(x: Tensor) -> Tensor:
            return attended(self.multihead_attn, x, memory, memory_mask, memory_key_padding_mask, memory_is_causal)

        def think(x: Tensor) -> Tensor:
            out: Tensor = self.linear2(self.dropout(self.activation(self.linear1(x))))
            return out

        parts = (
            (look_back, self.norm1, self.dropout1),
            (look_over, self.norm2, self.dropout2),
            (think, self.norm3, self.dropout3),
        )
        return with_residuals(tgt, parts, self.norm_first)


def attended(
    attention: MultiheadAttention,
    x: Tensor,
    memory: Tensor,
    mask: Tensor | None,
    padding: Tensor | None,
    is_causal: bool,
) -> Tensor:
    """Let ``x`` look at ``memory``."""
    out: Tensor
    out, _ = attention(
        x, memory, memory, attn_mask=mask, key_padding_mask=padding, need_weights=False, is_causal=is_causal
    )
    return out


def with_residuals(x: Tensor, parts: Iterable[tuple[Activation, Module, Module]], norm_first: bool) -> Tensor:
    """Add to x what each part makes of it, after dropout; normalise before the part, or the sum."""
    for part, norm, dropout in parts:
        x = x + dropout(part(norm(x))) if norm_first else norm(x + dropout(part(x)))
    return x


class TransformerEncoder(Module):
    """Several copies of an encoder layer, one after the other, then ``norm`` if given.

    ``enable_nested_tensor`` concerns PyTorch's fast path for evaluation without gradients: on it, padded places come
    out of the layers as zeros. So they do here.
    """

    norm: Module | None

    def __init__(
        self,
        encoder_layer: TransformerEncoderLayer,
        num_layers: int,
        norm: Module | None = None,
        enable_nested_tensor: bool = True,
        mask_check: bool = True,
    ) -> None:
        super().__init__()
        self.layers = _copies(encoder_layer, num_layers)
        self.num_layers = num_layers
        self.norm = norm
        self.enable_nested_tensor = enable_nested_tensor
        self.use_nested_tensor = enable_nested_tensor and _is_on_fast_path(encoder_layer)
        self.mask_check = mask_check

    def forward(
        self,
        src: Tensor,
        mask: Tensor | None = None,
        src_key_padding_mask: Tensor | None = None,
        is_causal: bool | None = None,
    ) -> Tensor:
        """Encode."""
        padding = additive_mask(src_key_padding_mask, "src_key_padding_mask", src.dtype, beside=mask)
        mask = additive_mask(mask, "mask", src.dtype)
        x = src
        for layer in self.layers:
            x = layer(x, src_mask=mask, is_causal=bool(is_causal), src_key_padding_mask=padding)
        if padding is not None and mask is None and self._zeroes_padding(src, padding):
            x = x.masked_fill((padding != 0).unsqueeze(-1), 0.0)
        return x if self.norm is None else self.norm(x)

    def _zeroes_padding(self, src: Tensor, padding: Tensor) -> bool:
        """Would torch's fast path run? Evaluation, no gradient, every example padded at its end only."""
        if not self.use_nested_tensor or self.layers[0].training or src.dim() != 3:
            return False
        if is_grad_enabled() and (src.requires_grad or any(p.requires_grad for p in self.layers.parameters())):
            return False
        padded = padding != 0
        return not bool((padded[:, :-1] & ~padded[:, 1:]).any())


class TransformerDecoder(Module):
    """Several copies of a decoder layer, one after the other, then ``norm`` if given."""

    norm: Module | None

    def __init__(self, decoder_layer: TransformerDecoderLayer, num_layers: int, norm: Module | None = None) -> None:
        super().__init__()
        self.layers = _copies(decoder_layer, num_layers)
        self.num_layers = num_layers
        self.norm = norm

    def forward(
        self,
        tgt: Tensor,
        memory: Tensor,
        tgt_mask: Tensor | None = None,
        memory_mask: Tensor | None = None,
        tgt_key_padding_mask: Tensor | None = None,
        memory_key_padding_mask: Tensor | None = None,
        tgt_is_causal: bool | None = None,
        memory_is_causal: bool = False,
    ) -> Tensor:
        """Decode."""
        x = tgt
        for layer in self.layers:
            x = layer(
                x,
                memory,
                tgt_mask=tgt_mask,
                memory_mask=memory_mask,
                tgt_key_padding_mask=tgt_key_padding_mask,
                memory_key_padding_mask=memory_key_padding_mask,
                tgt_is_causal=bool(tgt_is_causal),
                memory_is_causal=memory_is_causal,
            )
        return x if self.norm is None else self.norm(x)


class Transformer(Module):
    """An encoder and a decoder: a sequence in, a sequence out. Vaswani et al., 2017.

    Parameters
    ----------
    d_model, nhead
        Features, and heads of each attention.
    custom_encoder, custom_decoder
        Modules to use instead.

    """

    def __init__(
        self,
        d_model: int = 512,
        nhead: int = 8,
        num_encoder_layers: int = 6,
        num_decoder_layers: int = 6,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: str | Activation = F.relu,
        custom_encoder: Module | None = None,
        custom_decoder: Module | None = None,
        layer_norm_eps: float = 1e-5,
        batch_first: bool = False,
        norm_first: bool = False,
        bias: bool = True,
        device: Device = None,
        dtype: _dtype.dtype | None = None,
    ) -> None:
        super().__init__()
        same = (d_model, nhead, dim_feedforward, dropout, activation, layer_norm_eps, batch_first, norm_first, bias)

        def last_norm() -> LayerNorm:
            return LayerNorm(d_model, layer_norm_eps, bias=bias, device=device, dtype=dtype)

        self.encoder = custom_encoder or TransformerEncoder(
            TransformerEncoderLayer(*same, device, dtype), num_encoder_layers, last_norm()
        )
        self.decoder = custom_decoder or TransformerDecoder(
            TransformerDecoderLayer(*same, device, dtype), num_decoder_layers, last_norm()
        )
        self._reset_parameters()
        self.d_model = d_model
        self.nhead = nhead
        self.batch_first = batch_first

    def forward(
        self,
        src: Tensor,
        tgt: Tensor,
        src_mask: Tensor | None = None,
        tgt_mask: Tensor | None = None,
        memory_mask: Tensor | None = None,
        src_key_padding_mask: Tensor | None = None,
        tgt_key_padding_mask: Tensor | None = None,
        memory_key_padding_mask: Tensor | None = None,
        src_is_causal: bool | None = None,
        tgt_is_causal: bool | None = None,
        memory_is_causal: bool = False,
    ) -> Tensor:
        """Encode ``src``, then decode ``tgt`` beside it."""
        if src.dim() == 3 and src.shape[0 if self.batch_first else 1] != tgt.shape[0 if self.batch_first else 1]:
            raise RuntimeError(
                f"the batch number of src and tgt must be equal: shapes {tuple(src.shape)} and {tuple(tgt.shape)}"
            )
        if src.shape[-1] != self.d_model or tgt.shape[-1] != self.d_model:
            raise RuntimeError(
                f"the feature number of src and tgt must be equal to d_model: {src.shape[-1]} and {tgt.shape[-1]}, not "
                f"{self.d_model}"
            )
        memory = self.encoder(src, mask=src_mask, src_key_padding_mask=src_key_padding_mask, is_causal=src_is_causal)
        out: Tensor = self.decoder(
            tgt,
            memory,
            tgt_mask=tgt_mask,
            memory_mask=memory_mask,
            tgt_key_padding_mask=tgt_key_padding_mask,
            memory_key_padding_mask=memory_key_padding_mask,
            tgt_is_causal=tgt_is_causal,
            memory_is_causal=memory_is_causal,
        )
        return out

    @staticmethod
    def generate_square_subsequent_mask(sz: int, device: Device = None, dtype: _dtype.dtype | None = None) -> Tensor:
        """Make the causal mask: -inf where a place would look at a later one.

        Examples
        --------
        >>> Transformer.generate_square_subsequent_mask(2)
        tensor([[0., -inf],
                [0., 0.]])

        """
        return triu(full((sz, sz), -math.inf, device=device, dtype=dtype), diagonal=1)

    def _reset_parameters(self) -> None:
        """Draw all matrices anew."""
        for parameter in self.parameters():
            if parameter.dim() > 1:
                init.xavier_uniform_(parameter)


def named_activation(activation: str | Activation) -> Activation:
    """Find an activation by name; a function is itself."""
    if not isinstance(activation, str):
        return activation
    if activation not in ("relu", "gelu"):
        raise RuntimeError(f"activation should be relu/gelu, not {activation}")
    return F.relu if activation == "relu" else F.gelu


def _copies(layer: Module, count: int) -> ModuleList:
    """Copy a layer: all copies start with the same weights."""
    return ModuleList([copy.deepcopy(layer) for _ in range(count)])


def _is_on_fast_path(layer: Module) -> bool:
    """May torch run this layer as one fused operation?"""
    return (
        isinstance(layer, TransformerEncoderLayer)
        and not layer.norm_first
        and layer.self_attn.batch_first
        and layer.self_attn.in_proj_bias is not None
        and layer.norm1.eps == layer.norm2.eps
        and layer.self_attn.num_heads % 2 == 0
        and (layer.activation in (F.relu, F.gelu) or isinstance(layer.activation, ReLU | GELU))
    )
