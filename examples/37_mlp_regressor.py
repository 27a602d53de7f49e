# The same inside of MLPRegressor: squared loss instead of cross-entropy, judged by R2.
# Rows: C5
import tinygrad_edu as torch
from tinygrad_edu import nn

import math
import os

EPOCHS = int(os.environ.get("EXAMPLE_STEPS", 1000))
torch.manual_seed(int(os.environ.get("EXAMPLE_SEED", 0)))
x = torch.linspace(-1, 1, 100).unsqueeze(1)
y = x**2 + 0.2 * torch.rand(100, 1)

net = nn.Sequential(nn.Linear(1, 100), nn.ReLU(), nn.Linear(100, 1))
for layer in net[::2]:
    limit = math.sqrt(6 / (layer.in_features + layer.out_features))
    nn.init.uniform_(layer.weight, -limit, limit)
    nn.init.uniform_(layer.bias, -limit, limit)

optimizer = torch.optim.Adam(net.parameters(), lr=1e-3)
for epoch in range(EPOCHS + 1):
    loss = 0.5 * nn.functional.mse_loss(net(x), y)  # all 100 points fit into one batch of 200
    if epoch % (EPOCHS // 4) == 0:
        r2 = 1 - 2 * loss.item() / y.var(correction=0).item()  # share of the variance that is explained
        print(f"epoch {epoch:4}: loss {loss.item():.4f}, R2 {r2:.3f}")
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
