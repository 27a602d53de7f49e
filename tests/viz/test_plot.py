"""Plots: their numbers are NumPy's, their axes are the caller's, and the model is left as it was."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import pytest

matplotlib.use("Agg")

from matplotlib import pyplot as plt
from matplotlib.axes import Axes

import tinygrad_edu as t
from tinygrad_edu import nn
from tinygrad_edu.nn import functional as F
from tinygrad_edu.viz import plot
from tinygrad_edu.viz.plot import _axes, numbers


@pytest.fixture(autouse=True)
def closed() -> Iterator[None]:
    yield
    plt.close("all")


def net() -> nn.Sequential:
    t.manual_seed(0)
    return nn.Sequential(nn.Linear(2, 5), nn.BatchNorm1d(5), nn.ReLU(), nn.Dropout(), nn.Linear(5, 1), nn.Sigmoid())


def pictures(model: nn.Module) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(1, 2, 3), nn.Tanh(), nn.Flatten(), model)


POINTS = np.random.default_rng(0).normal(size=(30, 2)).astype(np.float32)
CLASSES = (POINTS[:, 0] > 0).astype(np.float32)


def with_gradients() -> nn.Sequential:
    model = net()
    F.binary_cross_entropy(model(t.tensor(POINTS))[:, 0], t.tensor(CLASSES)).backward()
    return model


def loss_of(model: nn.Module) -> Callable[[], t.Tensor]:
    return lambda: F.binary_cross_entropy(model(t.tensor(POINTS))[:, 0], t.tensor(CLASSES))


# Each plot of one axes, given where to draw and the language.
SINGLE: dict[str, Callable[..., Axes]] = {
    "activation": lambda **s: plot.activation("sigmoid", **s),
    "history": lambda **s: plot.history({"loss": [3.0, 2.0, 1.0] * 20, "验证": [0.5, 0.4]}, **s),
    "grad_flow": lambda **s: plot.grad_flow(with_gradients(), **s),
    "boundary": lambda **s: plot.boundary(net(), POINTS, CLASSES, resolution=9, **s),
    "boundary of classes": lambda **s: plot.boundary(nn.Linear(2, 3), POINTS, CLASSES, resolution=9, **s),
    "conv_filters": lambda **s: plot.conv_filters(nn.Conv2d(2, 3, 3), **s),
    "conv_filters in colour": lambda **s: plot.conv_filters(nn.Conv2d(3, 4, 3), **s),
    "confusion": lambda **s: plot.confusion([0, 1], [1, 1], classes=["山鸢尾", "versicolor"], **s),
    "landscape": lambda **s: plot.landscape(loss_of(net()), net(), points=5, **s),
}
SEVERAL: dict[str, Callable[..., np.ndarray]] = {
    "hist": lambda **s: plot.hist(net(), **s),
    "hist of gradients": lambda **s: plot.hist(with_gradients(), "grads", **s),
    "hist of activations": lambda **s: plot.hist(net(), "activations", inputs=t.tensor(POINTS), **s),
    "weights": lambda **s: plot.weights(nn.Sequential(nn.Linear(2, 5), nn.ReLU(), nn.Linear(5, 1)), **s),
}


def texts(ax: Axes) -> str:
    legend = ax.get_legend()
    shown = [ax.get_title(), ax.get_xlabel(), ax.get_ylabel()] + (
        [x.get_text() for x in legend.get_texts()] if legend else []
    )
    return " ".join(shown)


@pytest.mark.parametrize("name", SINGLE)
def test_a_plot_is_drawn_on_the_axes_given_and_gives_them_back(name: str) -> None:
    figure, ax = plt.subplots()
    assert SINGLE[name](ax=ax) is ax
    assert ax.has_data()
    assert ax.get_title()
    figure.canvas.draw()


@pytest.mark.parametrize("name", SEVERAL)
def test_a_plot_of_several_axes_takes_as_many_and_gives_them_back(name: str) -> None:
    figure, axes = plt.subplots(1, 2)
    found = SEVERAL[name](ax=axes)
    assert found.tolist() == axes.tolist()
    assert all(ax.has_data() for ax in found)
    figure.canvas.draw()


@pytest.mark.parametrize("name", [*SINGLE, *SEVERAL])
def test_without_axes_one_figure_is_made_and_nothing_is_shown(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plt, "show", lambda *_, **__: pytest.fail("show() was called"))
    found = {**SINGLE, **SEVERAL}[name]()
    assert len(plt.get_fignums()) == 1
    assert all(isinstance(ax, Axes) for ax in np.asarray(found).flat)


@pytest.mark.parametrize("name", [*SINGLE, *SEVERAL])
def test_labels_are_chinese_where_a_font_has_the_letters_and_english_elsewhere(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    draw = {**SINGLE, **SEVERAL}[name]
    if _axes.chinese_font() is not None:
        axes = list(np.asarray(draw(lang="zh")).flat)
        assert _axes.is_chinese(texts(axes[0]))
        axes[0].figure.canvas.draw()  # a missing letter is a warning, and a warning fails
    monkeypatch.setattr(_axes, "chinese_font", lambda: None)
    spoken = [texts(ax) for ax in np.asarray(draw(lang="zh")).flat]
    plt.close("all")
    assert spoken == [texts(ax) for ax in np.asarray(draw(lang="en")).flat]


def test_every_label_has_a_translation_with_the_same_blanks() -> None:
    for english, chinese in _axes.DICTIONARY.items():
        assert _axes.is_chinese(chinese), english
        assert {part.split("}")[0] for part in english.split("{")[1:]} == {
            part.split("}")[0] for part in chinese.split("{")[1:]
        }


def test_a_language_that_is_not_there_is_named() -> None:
    with pytest.raises(ValueError, match="lang is 'en' or 'zh', not 'fr'"):
        plot.activation("tanh", lang="fr")  # type: ignore[arg-type]


def test_wrong_axes_are_named() -> None:
    with pytest.raises(TypeError, match=r"ax is matplotlib Axes, as plt\.subplots\(\) gives them, not str"):
        plot.activation("tanh", ax="here")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="needs 2 axes, not 1"):
        plot.hist(net(), ax=plt.subplots()[1])


# --- the model is left as it was ------------------------------------------------------------------------------------


def everything(model: nn.Module) -> list[Any]:
    """All that a plot might change."""
    return [
        [module.training for module in model.modules()],
        {name: (value.data_ptr(), value._version, value.tolist()) for name, value in model.state_dict().items()},
        [None if p.grad is None else (id(p.grad), p.grad.tolist()) for p in model.parameters()],
        [p.requires_grad for p in model.parameters()],
        [bool(m._hooks and (m._hooks.forward or m._hooks.forward_pre)) for m in model.modules()],
        t.get_rng_state().tolist(),
        np.random.get_state()[1].tolist(),  # type: ignore[index]  # a tuple by default
        t.is_grad_enabled(),
        dict(matplotlib.rcParams),
    ]


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize(
    "draw",
    [
        lambda m: plot.hist(m),
        lambda m: plot.hist(m, "grads"),
        lambda m: plot.hist(m, "activations", inputs=t.tensor(POINTS)),
        plot.grad_flow,
        lambda m: plot.boundary(m, POINTS, CLASSES, resolution=5),
        plot.weights,
        lambda m: plot.landscape(loss_of(m), m, points=3),
    ],
)
def test_the_model_is_left_as_it_was(draw: Callable[[nn.Module], object], training: bool) -> None:
    model = with_gradients().train(training)
    model[3].train(not training)
    before = everything(model)
    draw(model)
    assert everything(model) == before


def test_random_numbers_that_the_model_draws_are_drawn_again_afterwards() -> None:
    class Noisy(nn.Module):
        def forward(self, x: t.Tensor) -> t.Tensor:
            return t.relu(x + t.rand(len(x), 1)).sum(1)

    before = t.get_rng_state().tolist()
    plot.hist(Noisy(), "activations", inputs=t.tensor(POINTS))
    plot.boundary(Noisy(), POINTS, resolution=3)
    assert t.get_rng_state().tolist() == before


def test_a_graph_from_before_a_landscape_can_still_be_walked() -> None:
    model = net()
    loss = loss_of(model)()
    plot.landscape(loss_of(model), model, points=3)
    loss.backward()
    assert model[0].weight.grad is not None


def test_parameters_are_put_back_when_the_loss_raises() -> None:
    model = net()
    before = everything(model)
    calls: list[int] = []

    def loss() -> t.Tensor:
        calls.append(1)
        if len(calls) == 3:
            raise RuntimeError("enough")
        return loss_of(model)()

    with pytest.raises(RuntimeError, match="enough"):
        numbers.landscape(loss, model)
    assert everything(model)[:3] == before[:3]


# --- the numbers ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", numbers.ACTIVATIONS)
def test_a_curve_and_its_slope_are_those_of_the_function(name: str) -> None:
    x, y, slope = numbers.activation(name, -3.0, 3.0, 31)
    here = t.tensor(x.astype(np.float64))
    assert y == pytest.approx(getattr(F, name)(here).numpy(), abs=1e-6)
    h = 1e-5
    difference = (getattr(F, name)(here + h) - getattr(F, name)(here - h)).numpy() / (2 * h)
    corners = {-3.0, -1.0, -0.5, 0.0, 0.5, 1.0, 3.0}
    smooth = [i for i, place in enumerate(x) if min(abs(place - c) for c in corners) > 0.01]
    assert slope[smooth] == pytest.approx(difference[smooth], abs=1e-4)


def test_any_function_of_single_numbers_may_be_drawn() -> None:
    ax = plot.activation(lambda x: x * x, low=-1, high=1)
    assert ax.lines[-1].get_ydata().tolist() == pytest.approx(np.linspace(-2, 2, 241).tolist(), abs=1e-6)
    assert plot.activation(nn.PReLU()).get_title() == "PReLU and its slope"


def test_a_moving_mean_is_the_mean_of_what_there_is() -> None:
    values = np.random.default_rng(1).random(20)
    expected = [values[max(0, i - 6) : i + 1].mean() for i in range(20)]
    assert numbers.moving_mean(values, 7) == pytest.approx(expected)
    assert numbers.moving_mean(values.tolist(), 1) == pytest.approx(values)


def test_a_history_draws_the_values_and_their_mean() -> None:
    log = [t.tensor(float(n), requires_grad=True) for n in range(1, 41)]
    ax = plot.history(log)
    assert ax.lines[0].get_ydata().tolist() == list(range(1, 41))
    assert ax.lines[1].get_ydata() == pytest.approx(numbers.moving_mean(log, 2))
    assert ax.get_yscale() == "log"
    assert plot.history([1.0, -1.0]).get_yscale() == "linear"


def test_weights_and_gradients_are_counted_as_numpy_counts_them() -> None:
    model = with_gradients()
    for what, of in (("weights", lambda p: p), ("grads", lambda p: p.grad)):
        found = numbers.histograms(model, what, bins=7)  # type: ignore[arg-type]  # one of the two
        assert [layer.name for layer in found] == ["0.weight", "4.weight"]
        for layer, parameter in zip(found, (model[0].weight, model[4].weight), strict=True):
            counts, edges = np.histogram(of(parameter).detach().numpy().astype(np.float64), 7)
            assert layer.counts.tolist() == counts.tolist()
            assert layer.edges == pytest.approx(edges)
            assert (layer.dead, layer.saturated) == (None, None)


class Functional(nn.Module):
    """Seed 0's way: activation functions that are no modules."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Linear(2, 8), nn.Linear(8, 4)

    def forward(self, x: t.Tensor) -> t.Tensor:
        return t.sigmoid(self.second(t.relu(self.first(x))))


def test_dead_units_and_saturated_values_are_those_numpy_finds() -> None:
    t.manual_seed(3)
    model = Functional()
    nn.init.normal_(model.second.weight, std=6.0)
    model.first.bias.data[:3] = -20.0
    relu, sigmoid = numbers.histograms(model, "activations", bins=9, inputs=t.tensor(POINTS))
    with t.no_grad():
        hidden = t.relu(model.first(t.tensor(POINTS)))
        out = t.sigmoid(model.second(hidden)).numpy()
    assert (relu.name, sigmoid.name) == ("relu", "sigmoid")
    dead = np.mean([not column.any() for column in hidden.numpy().T])
    assert dead >= 3 / 8
    assert (relu.dead, relu.saturated) == (dead, None)
    assert sigmoid.saturated == pytest.approx(np.mean((out < 0.01) | (out > 0.99)))
    assert sigmoid.saturated
    assert relu.counts.tolist() == np.histogram(hidden.numpy().astype(np.float64), 9)[0].tolist()


def test_the_units_of_a_convolution_are_its_channels() -> None:
    for kernel, x in ((nn.Conv2d(1, 4, 3), t.rand(6, 1, 5, 5)), (nn.Conv1d(1, 4, 3), t.rand(6, 1, 9))):
        kernel.bias.data.copy_(t.tensor([-9.0, 9.0, -9.0, 9.0]))
        (found,) = numbers.histograms(nn.Sequential(kernel, nn.ReLU()), "activations", inputs=x)
        assert found.dead == 0.5
    line = nn.Linear(3, 4)
    line.bias.data.copy_(t.tensor([-9.0, 9.0, 9.0, 9.0]))
    (found,) = numbers.histograms(nn.Sequential(line, nn.ReLU()), "activations", inputs=t.rand(6, 5, 3))
    assert found.dead == 0.25


def test_a_function_called_twice_has_two_histograms() -> None:
    class Twice(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.act = nn.Tanh()

        def forward(self, x: t.Tensor, y: t.Tensor) -> t.Tensor:
            return t.relu(self.act(self.act(x)) + y)

    found = numbers.histograms(Twice(), "activations", inputs=(t.ones(2, 3), t.ones(2, 3)))
    assert [layer.name for layer in found] == ["act (tanh)", "act (tanh) 2", "relu"]


def test_the_flow_of_gradients_is_that_of_grad() -> None:
    model = with_gradients()
    model.append(nn.Linear(1, 1))
    grad = model[0].weight.grad
    assert grad is not None
    first, _, last = numbers.gradient_flow(model)
    assert first == ("0.weight", pytest.approx(grad.abs().mean().item()), pytest.approx(grad.abs().max().item()))
    assert last == ("6.weight", None, None)
    ax = plot.grad_flow(model)
    assert [text.get_text() for text in ax.texts] == ["no gradient"]
    assert [label.get_text() for label in ax.get_xticklabels()] == ["0.weight", "4.weight", "6.weight"]


@pytest.mark.parametrize("outputs", [1, 3])
def test_a_boundary_shows_what_the_model_answers(outputs: int) -> None:
    t.manual_seed(2)
    model = nn.Sequential(nn.Linear(2, 4), nn.Tanh(), nn.Linear(4, outputs)).double()
    grid = numbers.predictions(model, POINTS, resolution=11)
    with t.no_grad():
        for i in (0, 4, 10):
            for j in (0, 7, 10):
                answer = model(t.tensor([[grid.x[j], grid.y[i]]], dtype=t.float64)).numpy().ravel()
                assert np.ravel(grid.output[i, j]) == pytest.approx(answer)
    assert grid.x[0] < POINTS[:, 0].min() < POINTS[:, 0].max() < grid.x[-1]


def test_the_weights_are_drawn_as_the_seed_draws_them() -> None:
    model = nn.Sequential(nn.Linear(2, 5), nn.ReLU(), nn.Linear(5, 1))
    axes = plot.weights(model)
    shown = [ax.images[0].get_array() for ax in axes]
    assert [picture.shape for picture in shown] == [(5, 2), (1, 5)]
    assert [ax.get_title() for ax in axes] == ["Layer 0", "Layer 1"]
    assert {ax.images[0].get_cmap().name for ax in axes} == {"viridis"}
    assert shown[0].tolist() == model[0].weight.tolist()


def test_every_kernel_has_its_place_in_the_mosaic() -> None:
    kernels = np.random.default_rng(4).random((3, 2, 2, 2))
    mosaic = numbers.mosaic(kernels)
    assert mosaic.shape == (8, 5)
    for i, j in np.ndindex(3, 2):
        assert mosaic[3 * i : 3 * i + 2, 3 * j : 3 * j + 2].tolist() == kernels[i, j].tolist()
    assert np.isnan(mosaic).sum() == 8 * 5 - kernels.size
    assert numbers.mosaic(kernels[:, [0, 0, 0]]).shape == (5, 5, 3)


def test_the_filters_of_a_named_layer_are_drawn() -> None:
    model = nn.Sequential(nn.Conv2d(1, 2, 3), nn.Conv2d(2, 5, 3))
    assert plot.conv_filters(model).get_title() == "filters of 0"
    ax = plot.conv_filters(model, "1")
    assert np.nanmax(np.abs(ax.images[0].get_array())) == pytest.approx(model[1].weight.abs().max().item())


def test_confusion_counts_pairs_from_classes_and_from_scores() -> None:
    draw = np.random.default_rng(5)
    true, scores = draw.integers(0, 4, 50), draw.random((50, 4))
    predicted = scores.argmax(axis=1)
    expected = [[int(((true == i) & (predicted == j)).sum()) for j in range(4)] for i in range(4)]
    assert numbers.confusion(true, scores).tolist() == expected
    assert numbers.confusion(t.tensor(true), t.tensor(predicted)).tolist() == expected


def test_a_landscape_holds_the_loss_at_each_point_of_its_plane() -> None:
    """The directions are drawn anew here, and the loss is one that NumPy computes."""
    t.manual_seed(6)
    model = nn.Linear(3, 4).double()
    w, b = model.weight.detach().numpy(), model.bias.detach().numpy()
    found = numbers.landscape(lambda: (model.weight**3).sum() + model.bias.sum(), model, span=0.5, points=5, seed=9)
    draw = np.random.default_rng(9)
    first, second = (
        rows * (np.linalg.norm(w, axis=1) / np.linalg.norm(rows, axis=1))[:, None]
        for rows in (draw.standard_normal((4, 3)), draw.standard_normal((4, 3)))
    )
    assert found.steps.tolist() == [-0.5, -0.25, 0.0, 0.25, 0.5]
    for (i, j), loss in np.ndenumerate(found.losses):
        moved = w + found.steps[j] * first + found.steps[i] * second
        assert loss == pytest.approx((moved**3).sum() + b.sum())


def test_the_directions_are_as_long_as_the_filters() -> None:
    kernels = np.random.default_rng(7).random((4, 2, 3, 3))
    direction = numbers._direction(kernels, np.random.default_rng(8))
    assert np.linalg.norm(direction.reshape(4, -1), axis=1) == pytest.approx(
        np.linalg.norm(kernels.reshape(4, -1), axis=1)
    )
    assert not numbers._direction(np.ones(3), np.random.default_rng(8)).any()


def test_dropout_is_the_same_at_every_point_of_a_landscape() -> None:
    model = nn.Sequential(nn.Linear(2, 50), nn.Dropout(), nn.Linear(50, 1))
    flat = numbers.landscape(lambda: model(t.ones(1, 2)).sum(), model, span=0.0, points=3)
    assert len(set(flat.losses.ravel().tolist())) == 1


# --- what cannot be drawn ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("draw", "words"),
    [
        (lambda: plot.activation("sigmod"), "no activation function 'sigmod'"),
        (lambda: plot.activation(lambda x: x.sum()), "one number for each number"),
        (lambda: plot.activation("relu", low=1, high=1), "from low to a higher high"),
        (lambda: plot.history([]), "'loss' has the shape (0,)"),
        (lambda: plot.history({}), "the history is empty"),
        (lambda: plot.history([1.0, -1.0], scale="log"), "use scale='linear'"),
        (lambda: plot.history([1.0], window=0), "a mean is taken over 1 step or more"),
        (lambda: plot.hist(net(), "grads"), "call loss.backward() first"),
        (lambda: plot.hist(net(), "activations"), "give a batch"),
        (lambda: plot.hist(net(), "biases"), "'weights', 'activations' or 'grads', not 'biases'"),
        (lambda: plot.hist(nn.ReLU()), "ReLU has no parameters"),
        (lambda: plot.hist(net(), bins=0), "1 bin or more, not 0"),
        (lambda: plot.hist(nn.Linear(1, 1), "activations", inputs=t.ones(1, 1)), "calls no activation function"),
        (lambda: plot.grad_flow(net()), "call loss.backward() first"),
        (lambda: plot.boundary(net(), np.ones((3, 4))), "X of shape (N, 2), not (3, 4)"),
        (lambda: plot.boundary(net(), POINTS, CLASSES[:3]), "30 points and 3 classes"),
        (lambda: plot.boundary(lambda x: x.sum(), POINTS), "one number or one score for each class"),
        (lambda: plot.weights(nn.ReLU()), "no layer of ReLU has a weight"),
        (lambda: plot.conv_filters(net()), "has no Conv2d"),
        (lambda: plot.conv_filters(pictures(net()), "1"), "no Conv2d named '1'; there are 0"),
        (lambda: plot.confusion([0, 1], [0]), "as many predictions as true classes"),
        (lambda: plot.confusion([0.5], [1]), "classes are numbers 0, 1, 2"),
        (lambda: plot.confusion([0, 5], [0, 1], classes=["a", "b"]), "there is a class 5, but only 2 classes"),
        (lambda: plot.landscape(lambda: t.ones(2), net()), "as one number, not a tensor of shape (2,)"),
        (lambda: plot.landscape(lambda: t.tensor(float("nan")), net(), points=2), "nothing to draw"),
        (lambda: plot.landscape(lambda: t.ones(()), [t.ones(3)]), "a parameter of two dimensions or more"),
    ],
)
def test_what_cannot_be_drawn_is_said(draw: Callable[[], object], words: str) -> None:
    with pytest.raises(ValueError) as error:
        draw()
    assert words in str(error.value)


def run(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=Path(t.__file__).parents[1])
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_without_matplotlib_the_remedy_is_named_and_the_numbers_are_there() -> None:
    code = """
import sys
sys.modules["matplotlib"] = None
from tinygrad_edu import viz
print(viz.plot.numbers.moving_mean([1.0, 2.0], 2).tolist())
try:
    viz.plot.activation("relu")
except ImportError as error:
    print(str(error).partition(" (")[0])
"""
    assert run(code) == "[1.0, 1.5]\nplots need matplotlib: pip install 'tinygrad-edu[plot]'"


def test_the_plots_are_imported_when_they_are_named_and_matplotlib_when_one_is_drawn() -> None:
    code = """
import sys
from tinygrad_edu import viz
assert "tinygrad_edu.viz.plot" not in sys.modules
viz.plot.history
assert "matplotlib" not in sys.modules
print("plot" in dir(viz))
"""
    assert run(code) == "True"


# --- tensors go straight into matplotlib --------------------------------------------------------------------------------


@pytest.mark.parametrize("requires_grad", [False, True])
def test_matplotlib_draws_tensors(requires_grad: bool) -> None:
    x = t.linspace(0, 1, 5).requires_grad_(requires_grad)
    image = t.arange(12.0).reshape(3, 4).requires_grad_(requires_grad)
    _, ax = plt.subplots()
    values = x.detach().numpy()
    (line,) = ax.plot(x, x * 2)
    assert line.get_ydata().tolist() == (values * 2).tolist()
    assert ax.scatter(x, x).get_offsets().tolist() == np.stack([values, values], 1).tolist()
    assert ax.imshow(image).get_array().tolist() == image.tolist()
    assert [bar.get_height() for bar in ax.bar(x, x)] == values.tolist()
    assert ax.hist(x, bins=5)[0].tolist() == [1.0] * 5
    with pytest.raises(
        RuntimeError, match=r"^Can't call numpy\(\) on Tensor that requires grad. Use tensor.detach\(\).numpy\(\)"
    ):
        np.asarray(t.ones(1, requires_grad=True))
