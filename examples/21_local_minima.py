# Gradient descent ends in the valley it starts in: start often, keep the best.
# Rows: E8
import tinygrad_edu as torch
from tinygrad_edu import nn

import os

STEPS = int(os.environ.get("EXAMPLE_STEPS", 300))
torch.manual_seed(int(os.environ.get("EXAMPLE_SEED", 0)))


def valleys(x):
    return torch.sin(3 * x) + 0.1 * x**2


x = nn.Parameter(8 * torch.rand(40) - 4)  # forty starts, descending side by side
optimizer = torch.optim.SGD([x], lr=0.05)
for _ in range(STEPS):
    optimizer.zero_grad()
    valleys(x).sum().backward()  # the sum keeps the forty apart: each slope is its own
    optimizer.step()

ends = [round(end, 1) for end in x.tolist()]
for valley in sorted(set(ends)):
    print(f"near x = {valley:4}  height {valleys(torch.tensor(valley)).item():6.3f}  {'#' * ends.count(valley)}")
print(f"best of all: x = {x[valleys(x).argmin()].item():.3f}")
