# Thirty plain layers learn nothing where two succeed; adding each layer's input to its output cures it.
# Rows: E6
import tinygrad_edu as torch
from tinygrad_edu import nn

import math
import os

STEPS = int(os.environ.get("EXAMPLE_STEPS", 300))
SEED = int(os.environ.get("EXAMPLE_SEED", 0))


def spiral(n):
    radius = torch.linspace(0, 1, n)
    angle = 2 * math.pi * radius  # one turn from the centre outwards
    arm = torch.stack([radius * torch.cos(angle), radius * torch.sin(angle)], dim=1)
    x = torch.cat([arm, -arm]) + 0.02 * torch.randn(2 * n, 2)
    return x, torch.arange(2 * n) // n


class Net(nn.Module):
    def __init__(self, depth, residual, width=16):
        super().__init__()
        self.first = nn.Linear(2, width)
        self.hidden = nn.ModuleList(nn.Linear(width, width) for _ in range(depth))
        self.last = nn.Linear(width, 2)
        self.residual = residual

    def forward(self, x):
        x = torch.relu(self.first(x))
        for layer in self.hidden:
            change = torch.relu(layer(x))
            x = x + change if self.residual else change  # x + ...: the gradient has a way past the layer
        return self.last(x)


for depth, residual in ((2, False), (30, False), (30, True)):
    torch.manual_seed(SEED)
    x, y = spiral(100)
    net = Net(depth, residual)
    optimizer = torch.optim.Adam(net.parameters(), lr=3e-3)
    loss_function = nn.CrossEntropyLoss()
    print(f"depth {depth}, {'residual' if residual else 'plain'}")
    for step in range(1, STEPS + 1):
        loss = loss_function(net(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if step % 100 == 0 or step == 20:
            accuracy = (net(x).argmax(dim=1) == y).float().mean().item()
            print(f"  step {step:3}: loss {loss.item():.3f} accuracy {accuracy:.2f}")
