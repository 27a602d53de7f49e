"""Attention and the Transformer against torch: numbers, gradients, masks, refusals."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.oracle import both

CLOSE = {"rtol": 2e-4, "atol": 2e-5}


def array(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(shape).astype("float32")


def inputs(t: Any, *shapes: tuple[int, ...]) -> list[Any]:
    return [t.tensor(array(*shape, seed=i), requires_grad=True) for i, shape in enumerate(shapes)]


def learn(module: Any, xs: list[Any], **settings: Any) -> Any:
    """Run forward and backward; everything that comes of it."""
    out = module(*xs, **settings)
    parts = [o for o in (out if isinstance(out, tuple) else (out,)) if o is not None]
    sum((o * o.cos()).sum() for o in parts).backward()
    return out, [x.grad for x in xs], {name: p.grad for name, p in module.named_parameters()}


MADE: dict[str, dict[str, Any]] = {
    "plain": {},
    "without bias": {"bias": False},
    "other keys": {"kdim": 5, "vdim": 3},
    "learnt place": {"add_bias_kv": True},
    "place of zeros": {"add_zero_attn": True},
    "both places": {"add_bias_kv": True, "add_zero_attn": True},
    "dropout": {"dropout": 0.3},
}


@pytest.mark.parametrize("how", MADE)
@pytest.mark.parametrize("batch_first", [False, True])
@pytest.mark.parametrize("need_weights", [False, True])
def test_attention_has_torchs_weights_outputs_and_gradients(how: str, batch_first: bool, need_weights: bool) -> None:
    def program(t: Any) -> Any:
        t.manual_seed(1)
        m = t.nn.MultiheadAttention(8, 2, batch_first=batch_first, **MADE[how])
        xs = inputs(t, (4, 3, 8), (4 if batch_first else 6, 6 if batch_first else 3, m.kdim), (0, 0, 0))[:2]
        xs.append(t.tensor(array(*xs[1].shape[:2], m.vdim, seed=9), requires_grad=True))
        return repr(m), dict(m.state_dict()), learn(m, xs, need_weights=need_weights)

    both(program, **CLOSE)


@pytest.mark.parametrize("batch_first", [False, True])
@pytest.mark.parametrize("dropout", [0.0, 0.3])
def test_self_attention_projects_at_once(batch_first: bool, dropout: float) -> None:
    def program(t: Any) -> Any:
        t.manual_seed(1)
        m = t.nn.MultiheadAttention(8, 4, dropout, batch_first=batch_first)
        (x,) = inputs(t, (4, 3, 8))
        out, weights = m(x, x, x)
        (out * out.cos()).sum().backward()
        return out, weights, x.grad, {name: p.grad for name, p in m.named_parameters()}, m(x, x, x, need_weights=False)

    both(program, **CLOSE)


def causal(t: Any, n: int) -> Any:
    return t.nn.Transformer.generate_square_subsequent_mask(n)


MASKS = {
    "bool": lambda t: {"attn_mask": t.ones(4, 4, dtype=t.bool).triu(1)},
    "float": lambda t: {"attn_mask": causal(t, 4)},
    "by head": lambda t: {"attn_mask": t.tensor(array(6, 4, 4))},
    "padding": lambda t: {
        "key_padding_mask": t.tensor([[False] * 4, [False, False, True, True], [True] + [False] * 3])
    },
    "padding of numbers": lambda t: {"key_padding_mask": t.tensor(array(3, 4))},
    "both": lambda t: {
        "attn_mask": t.ones(4, 4, dtype=t.bool).triu(1),
        "key_padding_mask": t.tensor([[False] * 4, [False, False, True, True], [False, True, False, False]]),
    },
    "causal hint": lambda t: {"attn_mask": causal(t, 4), "is_causal": True},
}


@pytest.mark.parametrize("mask", MASKS)
@pytest.mark.parametrize("need_weights", [False, True])
@pytest.mark.parametrize("more", [{}, {"add_bias_kv": True, "add_zero_attn": True}])
def test_masks_hide_what_they_hide_in_torch(mask: str, need_weights: bool, more: dict[str, Any]) -> None:
    def program(t: Any) -> Any:
        t.manual_seed(1)
        m = t.nn.MultiheadAttention(8, 2, **more)
        return learn(m, inputs(t, (4, 3, 8), (4, 3, 8), (4, 3, 8)), need_weights=need_weights, **MASKS[mask](t))

    both(program, **CLOSE)


def test_weights_come_for_each_head_if_asked() -> None:
    def program(t: Any) -> Any:
        t.manual_seed(1)
        m = t.nn.MultiheadAttention(8, 2)
        x, y = inputs(t, (4, 3, 8), (4, 8))
        return m(x, x, x, average_attn_weights=False), m(y, y, y, average_attn_weights=False), m(y, y, y)

    both(program, **CLOSE)


@pytest.mark.parametrize("mask", [{}, {"attn_mask": (4, 4)}, {"key_padding_mask": (4,)}])
def test_attention_without_a_batch(mask: dict[str, tuple[int, ...]]) -> None:
    def program(t: Any) -> Any:
        t.manual_seed(1)
        m = t.nn.MultiheadAttention(8, 2, batch_first=True)
        masks = {name: t.ones(shape).cumsum(-1) > 2 for name, shape in mask.items()}
        return learn(m, inputs(t, (4, 8), (4, 8), (4, 8)), **masks)

    both(program, **CLOSE)


@pytest.mark.parametrize(
    "act",
    [
        lambda t: t.nn.MultiheadAttention(8, 3),
        lambda t: t.nn.MultiheadAttention(0, 1),
        lambda t: t.nn.MultiheadAttention(8, 2)(*[t.ones(3, 2, 7)] * 3),
        lambda t: t.nn.MultiheadAttention(8, 2)(*[t.ones(8)] * 3),
        lambda t: t.nn.MultiheadAttention(8, 2)(t.ones(3, 2, 8), t.ones(3, 8), t.ones(3, 8)),
        lambda t: t.nn.MultiheadAttention(8, 2)(t.ones(3, 2, 8), t.ones(4, 2, 8), t.ones(5, 2, 8)),
        lambda t: t.nn.MultiheadAttention(8, 2)(*[t.ones(3, 2, 8)] * 3, attn_mask=t.ones(2, 3)),
        lambda t: t.nn.MultiheadAttention(8, 2)(*[t.ones(3, 2, 8)] * 3, attn_mask=t.ones(2, 3, 3)),
        lambda t: t.nn.MultiheadAttention(8, 2)(*[t.ones(3, 2, 8)] * 3, attn_mask=t.ones(3)),
        lambda t: t.nn.MultiheadAttention(8, 2)(*[t.ones(3, 2, 8)] * 3, attn_mask=t.ones(3, 3, dtype=t.int64)),
        lambda t: t.nn.MultiheadAttention(8, 2)(*[t.ones(3, 2, 8)] * 3, key_padding_mask=t.ones(3, 2)),
        lambda t: t.nn.MultiheadAttention(8, 2)(*[t.ones(3, 2, 8)] * 3, key_padding_mask=t.ones(3)),
        lambda t: t.nn.MultiheadAttention(8, 2)(*[t.ones(3, 2, 8)] * 3, is_causal=True),
        lambda t: t.nn.TransformerEncoderLayer(8, 2, activation="sin"),
        lambda t: t.nn.Transformer(8, 2, 1, 1, 8)(t.ones(3, 2, 8), t.ones(3, 4, 8)),
        lambda t: t.nn.Transformer(8, 2, 1, 1, 8)(t.ones(3, 2, 7), t.ones(3, 2, 7)),
    ],
)
def test_what_does_not_fit_is_refused(act: Any) -> None:
    assert isinstance(both(act), Exception)


def test_masks_of_two_kinds_warn() -> None:
    import tinygrad_edu as tg

    m = tg.nn.MultiheadAttention(8, 2)
    x = tg.ones(3, 2, 8)
    with pytest.warns(UserWarning, match="mismatched key_padding_mask and attn_mask"):
        m(x, x, x, attn_mask=causal(tg, 3), key_padding_mask=tg.zeros(2, 3, dtype=tg.bool))


LAYERS: dict[str, dict[str, Any]] = {
    "plain": {"dropout": 0.0},
    "norm first": {"dropout": 0.0, "norm_first": True},
    "gelu": {"dropout": 0.0, "activation": "gelu", "batch_first": True},
    "without bias": {"dropout": 0.0, "bias": False},
    "dropout": {"dropout": 0.2},
    "dropout batch first": {"dropout": 0.2, "batch_first": True, "norm_first": True},
    "eps": {"dropout": 0.0, "layer_norm_eps": 0.1},
}


@pytest.mark.parametrize("how", LAYERS)
def test_an_encoder_layer_is_torchs(how: str) -> None:
    def program(t: Any) -> Any:
        t.manual_seed(1)
        m = t.nn.TransformerEncoderLayer(8, 2, 16, **LAYERS[how])
        return repr(m), dict(m.state_dict()), learn(m, inputs(t, (4, 3, 8)))

    both(program, **CLOSE)


@pytest.mark.parametrize("how", LAYERS)
def test_a_decoder_layer_is_torchs(how: str) -> None:
    def program(t: Any) -> Any:
        t.manual_seed(1)
        m = t.nn.TransformerDecoderLayer(8, 2, 16, **LAYERS[how])
        xs = inputs(t, (4, 3, 8), (4, 5, 8) if m.self_attn.batch_first else (5, 3, 8))
        return repr(m), dict(m.state_dict()), learn(m, xs)

    both(program, **CLOSE)


@pytest.mark.parametrize("batch_first", [False, True])
def test_an_encoder_is_torchs_with_masks(batch_first: bool) -> None:
    def program(t: Any) -> Any:
        t.manual_seed(1)
        layer = t.nn.TransformerEncoderLayer(8, 2, 16, dropout=0.0, activation=t.nn.GELU(), batch_first=batch_first)
        m = t.nn.TransformerEncoder(layer, 2, norm=t.nn.LayerNorm(8), enable_nested_tensor=False)
        padding = t.zeros(4 if batch_first else 3, 3 if batch_first else 4, dtype=t.bool)
        padding[1, 2:] = True
        n = padding.shape[1]
        xs = inputs(t, (4, 3, 8))
        one = learn(m, xs, src_key_padding_mask=padding)
        two = learn(m, xs, mask=causal(t, n), is_causal=True)
        return repr(m), list(m.state_dict()), one, two

    both(program, **CLOSE)


@pytest.mark.parametrize("nested", [False, True])
@pytest.mark.parametrize("right", [False, True])
def test_padding_comes_out_of_an_encoder_in_evaluation_as_on_torchs_fast_path(nested: bool, right: bool) -> None:
    def program(t: Any) -> Any:
        t.manual_seed(1)
        layer = t.nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)
        m = t.nn.TransformerEncoder(layer, 2, enable_nested_tensor=nested).eval()
        padding = t.tensor([[False, False, False], [False, True, True]])
        if not right:
            padding = padding.flip(1)
        with t.no_grad():
            return m(t.tensor(array(2, 3, 8)), src_key_padding_mask=padding)

    both(program, **CLOSE)


@pytest.mark.parametrize("how", ["plain", "dropout batch first"])
def test_a_transformer_is_torchs(how: str) -> None:
    def program(t: Any) -> Any:
        t.manual_seed(1)
        m = t.nn.Transformer(8, 2, 2, 2, 16, **LAYERS[how])
        xs = inputs(t, (4, 3, 8), (4, 5, 8) if m.batch_first else (5, 3, 8))
        mask = causal(t, xs[1].shape[1 if m.batch_first else 0])
        return repr(m), dict(m.state_dict()), learn(m, xs, tgt_mask=mask, tgt_is_causal=True)

    both(program, **CLOSE)


def test_a_transformer_takes_other_coders() -> None:
    import tinygrad_edu as tg

    class Same(tg.nn.Module):
        def forward(self, x: Any, *args: Any, **kwargs: Any) -> Any:
            return x

    m = tg.nn.Transformer(8, 2, custom_encoder=Same(), custom_decoder=Same())
    x = tg.ones(2, 1, 8)
    assert m(x, x) is x


def test_the_causal_mask_prints_as_in_torch() -> None:
    both(lambda t: repr(causal(t, 3)))
