# One layer cannot learn XOR, whatever its weights; with a hidden layer gradient descent finds it.
# Rows: C3
import tinygrad_edu as torch
from tinygrad_edu import nn

import os

STEPS = int(os.environ.get("EXAMPLE_STEPS", 500))
torch.manual_seed(int(os.environ.get("EXAMPLE_SEED", 0)))
x = torch.tensor([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
y = torch.tensor([[0.0], [1.0], [1.0], [0.0]])


def train(net):
    optimizer = torch.optim.Adam(net.parameters(), lr=0.05)
    loss_function = nn.BCEWithLogitsLoss()
    for _ in range(STEPS):
        optimizer.zero_grad()
        loss = loss_function(net(x), y)
        loss.backward()
        optimizer.step()
    right = ((net(x) > 0) == (y > 0.5)).float().mean().item()
    return loss.item(), right


loss, right = train(nn.Linear(2, 1))
print(f"one layer:  loss {loss:.4f}, at most 3 of 4 right: {right <= 0.75}")  # a line cannot separate the corners
loss, right = train(nn.Sequential(nn.Linear(2, 4), nn.Tanh(), nn.Linear(4, 1)))
print(f"two layers: loss {loss:.4f}, accuracy {right:.2f}")
