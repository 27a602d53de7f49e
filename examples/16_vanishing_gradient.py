# Deep sigmoid networks forget their first layers: each layer multiplies the gradient by at most 1/4.
# Rows: E2 E3
import tinygrad_edu as torch
from tinygrad_edu import nn

import os

torch.manual_seed(int(os.environ.get("EXAMPLE_SEED", 0)))
WIDTH, BATCH = 50, 64


def gradient_ratio(depth, activation, initialise):
    """Gradient norm of the first layer over that of the last: 1 means nothing is lost on the way down."""
    net = nn.Sequential(*(layer for _ in range(depth) for layer in (nn.Linear(WIDTH, WIDTH), activation())))
    for linear in net[::2]:
        initialise(linear.weight)
        nn.init.zeros_(linear.bias)
    net(torch.randn(BATCH, WIDTH)).pow(2).mean().backward()
    return (net[0].weight.grad.norm() / net[-2].weight.grad.norm()).item()


depths = (3, 5, 10, 20)
print("layers            ", *(f"{depth:8}" for depth in depths))
for name, activation, initialise in (
    ("sigmoid, xavier", nn.Sigmoid, nn.init.xavier_normal_),
    ("tanh, xavier", nn.Tanh, nn.init.xavier_normal_),
    ("relu, kaiming", nn.ReLU, nn.init.kaiming_normal_),
):
    ratios = [gradient_ratio(depth, activation, initialise) for depth in depths]
    print(f"{name:18}", *(f"{ratio:8.1e}" for ratio in ratios))
print(f"bound for 5 sigmoids: 0.25^5 = {0.25**5:.1e}")
