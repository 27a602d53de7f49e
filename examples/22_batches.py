# Batch, mini-batch and stochastic descent: the same gradient in portions, so more steps for the same work.
# Rows: E11
import tinygrad_edu as torch
from tinygrad_edu import nn

import os

EPOCHS = int(os.environ.get("EXAMPLE_STEPS", 5))
SEED = int(os.environ.get("EXAMPLE_SEED", 0))
torch.manual_seed(SEED)
x = torch.randn(60, 3)
y = x @ torch.tensor([[1.0], [-2.0], [0.5]]) + 0.1 * torch.randn(60, 1)
loss_function = nn.MSELoss()


def gradient(net, rows):
    net.zero_grad()
    loss_function(net(x[rows]), y[rows]).backward()
    return net.weight.grad.clone()


net = nn.Linear(3, 1)
whole = gradient(net, torch.arange(60))
parts = [gradient(net, rows) * len(rows) / 60 for rows in torch.arange(60).split(20)]
print("batch gradient = sum of the mini-batch gradients:", torch.allclose(whole, sum(parts), atol=1e-6))

for name, size in (("batch", 60), ("mini-batch", 10), ("stochastic", 1)):
    torch.manual_seed(SEED)
    net = nn.Linear(3, 1)
    optimizer = torch.optim.SGD(net.parameters(), lr=0.02)
    curve = []
    for _ in range(EPOCHS):
        for rows in torch.randperm(60).split(size):
            loss = loss_function(net(x[rows]), y[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        curve.append(loss_function(net(x), y).item())
    print(f"{name:10} {60 // size:2} steps an epoch, loss", *(f"{loss:.4f}" for loss in curve))
