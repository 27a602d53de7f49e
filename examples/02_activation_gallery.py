# Five activation functions as figures, each written as its formula and checked against torch's own.
# Rows: A4 A5 D6 D8 D10
import tinygrad_edu as torch
from tinygrad_edu import nn

import importlib.util
import os

F = nn.functional
x = torch.linspace(-5, 5, 1001, dtype=torch.float64)

gallery = {
    "sigmoid": (1 / (1 + torch.exp(-x)), torch.sigmoid(x)),
    "step": ((x >= 0).to(x.dtype), torch.heaviside(x, torch.ones(1, dtype=x.dtype))),
    "relu": (torch.maximum(torch.zeros_like(x), x), torch.relu(x)),
    "leaky relu": (torch.maximum(0.1 * x, x), F.leaky_relu(x, 0.1)),
    "tanh": (2 / (1 + torch.exp(-2 * x)) - 1, torch.tanh(x)),
    "softmax": (torch.exp(x) / torch.exp(x).sum(), torch.softmax(x, dim=0)),
}
for name, (formula, ours) in gallery.items():
    print(f"{name:10} formula agrees with the op to 1e-12: {torch.allclose(formula, ours, rtol=0, atol=1e-12)}")
print("tanh(z) = 2 sigmoid(2z) - 1:", torch.allclose(torch.tanh(x), 2 * torch.sigmoid(2 * x) - 1, rtol=0, atol=1e-12))

for activation in (torch.tanh, torch.relu):
    x32 = torch.linspace(-20, 20, 1000, requires_grad=True)
    activation(x32).sum().backward()
    slope = x32.grad
    print(
        f"{activation.__name__}: largest slope {slope.max().item():.6f}, sum {slope.sum().item():.4f}, "
        f"not zero at {100 * (slope != 0).float().mean().item():.1f} % of the points"
    )

if importlib.util.find_spec("matplotlib"):  # the pictures are an extra: the numbers above are the check
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    os.makedirs("out", exist_ok=True)
    pictures = {
        "step and sigmoid": ("step", "sigmoid"),
        "relu": ("relu",),
        "leaky relu": ("leaky relu",),
        "tanh": ("tanh",),
        "softmax": ("softmax",),
    }
    for title, names in pictures.items():
        figure, axes = plt.subplots()
        for name in names:
            axes.plot(x, gallery[name][1], "--" if name == "step" else "-", label=name)
        axes.set_title(title)
        axes.grid()
        axes.legend()
        figure.savefig(f"out/activation_{title.replace(' ', '_')}.png")
        plt.close(figure)
