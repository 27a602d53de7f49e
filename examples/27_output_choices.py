# What the last layer becomes: sigmoid for yes or no, softmax for one of many, nothing for a number.
# Rows: E16
import tinygrad_edu as torch
from tinygrad_edu import nn

import os

STEPS = int(os.environ.get("EXAMPLE_STEPS", 200))
torch.manual_seed(int(os.environ.get("EXAMPLE_SEED", 0)))
x = torch.randn(90, 2)


def train(outputs, loss_function, target):
    net = nn.Sequential(nn.Linear(2, 16), nn.Tanh(), nn.Linear(16, outputs))
    optimizer = torch.optim.Adam(net.parameters(), lr=0.02)
    for _ in range(STEPS):
        optimizer.zero_grad()
        loss = loss_function(net(x), target)
        loss.backward()
        optimizer.step()
    return net, loss.item()


# The losses take raw outputs and apply sigmoid and softmax themselves, in a form that cannot overflow.
inside = (x.norm(dim=1, keepdim=True) < 1).float()
net, loss = train(1, nn.BCEWithLogitsLoss(), inside)
p = torch.sigmoid(net(torch.tensor([[0.0, 0.0], [2.0, 2.0]])))
print(f"binary:      loss {loss:.3f}, centre inside: {p[0].item() > 0.5}, corner inside: {p[1].item() > 0.5}")

third = (x[:, 0] > 0.5).long() + (x[:, 0] > -0.5).long()  # left 0, middle 1, right 2
net, loss = train(3, nn.CrossEntropyLoss(), third)
p = torch.softmax(net(torch.tensor([[-2.0, 0.0], [0.0, 0.0], [2.0, 0.0]])), dim=1)
print(
    f"multi-class: loss {loss:.3f}, classes {p.argmax(dim=1).tolist()}, row sums {[round(s, 4) for s in p.sum(dim=1).tolist()]}"
)

product = x[:, :1] * x[:, 1:]
net, loss = train(1, nn.MSELoss(), product)
print(
    f"regression:  loss {loss:.3f}, outputs from {net(x).min().item():.2f} to {net(x).max().item():.2f}: any number may come out"
)
