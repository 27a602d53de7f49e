# Four optimizers on one problem: what each does with the same gradient.
# Rows: E15
import tinygrad_edu as torch
from tinygrad_edu import nn

import os

STEPS = int(os.environ.get("EXAMPLE_STEPS", 100))
SEED = int(os.environ.get("EXAMPLE_SEED", 0))
optimizers = {
    "SGD": lambda p: torch.optim.SGD(p, lr=0.1),
    "Adam": lambda p: torch.optim.Adam(p, lr=0.02),
    "RMSprop": lambda p: torch.optim.RMSprop(p, lr=0.01),
    "Adagrad": lambda p: torch.optim.Adagrad(p, lr=0.1),
}

for name, build in optimizers.items():
    torch.manual_seed(SEED)
    x = torch.randn(50, 4)
    y = torch.tanh(x @ torch.randn(4, 1))
    net = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 1))
    optimizer = build(net.parameters())
    curve = []
    for _ in range(STEPS):
        loss = nn.functional.mse_loss(net(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        curve.append(loss.item())
    print(f"{name:8}", *(f"{loss:.5f}" for loss in curve[:: max(1, STEPS // 10)]), f"{curve[-1]:.5f}")
