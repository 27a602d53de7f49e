# What scikit-learn's MLPClassifier does inside: one hidden layer, Adam, shuffled batches of 200.
# Rows: C4
import tinygrad_edu as torch
from tinygrad_edu import nn
from tinygrad_edu.datasets import Digits

import math
import os

EPOCHS = int(os.environ.get("EXAMPLE_STEPS", 200))
torch.manual_seed(int(os.environ.get("EXAMPLE_SEED", 0)))
digits = Digits()
x = torch.from_numpy(digits.data.numpy()).reshape(-1, 64)  # pixels from 0 to 1
y = torch.from_numpy(digits.targets.numpy())
n, batch, alpha = 1400, 200, 1e-4

net = nn.Sequential(nn.Linear(64, 100), nn.ReLU(), nn.Linear(100, 10))
for layer in net[::2]:
    limit = math.sqrt(6 / (layer.in_features + layer.out_features))
    nn.init.uniform_(layer.weight, -limit, limit)
    nn.init.uniform_(layer.bias, -limit, limit)

optimizer = torch.optim.Adam(net.parameters(), lr=1e-3)
loss_function = nn.CrossEntropyLoss()
for epoch in range(1, EPOCHS + 1):
    for rows in torch.randperm(n).split(batch):
        penalty = sum((layer.weight**2).sum() for layer in net[::2])
        loss = loss_function(net(x[rows]), y[rows]) + 0.5 * alpha / batch * penalty
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    if epoch in (1, 10) or epoch % 50 == 0:
        print(f"epoch {epoch:3}: loss {loss.item():.3f}")

with torch.no_grad():
    right = (net(x[n:]).argmax(dim=1) == y[n:]).float().mean().item()
print(f"accuracy on the last {len(x) - n} digits {right:.2f}, at least 0.91: {right >= 0.91}")
