# A ReLU unit whose input is negative for every sample gets no gradient: it is dead, and large steps kill.
# Rows: E4
import tinygrad_edu as torch
from tinygrad_edu import nn

import os

STEPS = int(os.environ.get("EXAMPLE_STEPS", 50))
SEED = int(os.environ.get("EXAMPLE_SEED", 0))
x = torch.linspace(-1, 1, 100).unsqueeze(1)
y = x**2


def train(lr):
    torch.manual_seed(SEED)
    net = nn.Sequential(nn.Linear(1, 50), nn.ReLU(), nn.Linear(50, 1))
    optimizer = torch.optim.SGD(net.parameters(), lr=lr)
    dead_at_start = dead(net)
    for _ in range(STEPS):
        loss = nn.functional.mse_loss(net(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return dead_at_start, dead(net), loss.item()


def dead(net):
    with torch.no_grad():
        return (net[0](x) <= 0).all(dim=0).float().mean().item()  # silent on all 100 samples


for lr in (0.1, 0.5, 1.0):
    start, end, loss = train(lr)
    outcome = "diverged" if not loss < 1 else f"loss {loss:.3f}"
    print(f"lr {lr}: dead units {start:.0%} -> {end:.0%}, {outcome}")

# A dead unit cannot come back under ReLU; the leaky one lets a tenth of the gradient through.
for name, activation in (("relu", nn.ReLU()), ("leaky 0.1", nn.LeakyReLU(0.1))):
    z = torch.tensor([-1.0], requires_grad=True)
    activation(z).sum().backward()
    print(f"{name}: slope of a dead unit {z.grad.item():.1f}")
