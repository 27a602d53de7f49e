# A net too large for its data learns the noise; weight decay and dropout keep test and training loss together.
# Rows: E14
import tinygrad_edu as torch
from tinygrad_edu import nn

import os

STEPS = int(os.environ.get("EXAMPLE_STEPS", 400))
SEED = int(os.environ.get("EXAMPLE_SEED", 0))


def points(n):
    x = 2 * torch.rand(n, 1) - 1
    return x, torch.sin(3 * x) + 0.3 * torch.randn(n, 1)


def train(dropout, weight_decay):
    torch.manual_seed(SEED)
    x, y = points(20)
    x_test, y_test = points(500)
    net = nn.Sequential(
        nn.Linear(1, 100),
        nn.Tanh(),
        nn.Dropout(dropout),
        nn.Linear(100, 100),
        nn.Tanh(),
        nn.Dropout(dropout),
        nn.Linear(100, 1),
    )
    optimizer = torch.optim.AdamW(net.parameters(), lr=0.01, weight_decay=weight_decay)
    loss_function = nn.MSELoss()
    for _ in range(STEPS):
        optimizer.zero_grad()
        loss_function(net(x), y).backward()
        optimizer.step()
    net.eval()  # dropout only thins the net while it learns
    with torch.no_grad():
        return loss_function(net(x), y).item(), loss_function(net(x_test), y_test).item()


gaps = {}
for name, dropout, weight_decay in (("nothing", 0.0, 0.0), ("weight decay", 0.0, 2.0), ("dropout", 0.3, 0.0)):
    training, test = train(dropout, weight_decay)
    gaps[name] = test - training
    print(f"{name:12} training {training:.3f}  test {test:.3f}  gap {gaps[name]:.3f}")
print("weight decay narrows the gap:", gaps["weight decay"] < gaps["nothing"])
print("dropout narrows the gap:     ", gaps["dropout"] < gaps["nothing"])
