# The network 784-300-100-10 that reads handwritten digits, trained by plain SGD on batches of 50.
# Rows: B1 B3 B5 B6 B7 B11 B12 D11
import tinygrad_edu as torch
from tinygrad_edu import nn
from tinygrad_edu.datasets import Digits
from tinygrad_edu.vision.datasets import MNIST

import os

EPOCHS = int(os.environ.get("EXAMPLE_STEPS", 1))  # the original course ran 400
BATCH = 50
torch.manual_seed(int(os.environ.get("EXAMPLE_SEED", 0)))


def neuron_layer(n_inputs, n_neurons):
    layer = nn.Linear(n_inputs, n_neurons)
    std = 2 / n_inputs**0.5
    nn.init.trunc_normal_(layer.weight, std=std, a=-2 * std, b=2 * std)
    nn.init.zeros_(layer.bias)
    return layer


def load():
    """MNIST from TINYGRAD_EDU_DATA, or the 8x8 digits enlarged to 28x28 where that folder is not given."""
    if folder := os.environ.get("TINYGRAD_EDU_DATA"):
        sets = [MNIST(folder, train=train) for train in (True, False)]
        (x, y), test = [
            (torch.from_numpy(s.data.numpy()).float().reshape(-1, 784) / 255, torch.from_numpy(s.targets.numpy()))
            for s in sets
        ]
        return x[:55000], y[:55000], *test  # the original held 5,000 of the 60,000 back
    digits = Digits()
    x = torch.from_numpy(digits.data.numpy()).reshape(-1, 8, 8)
    x = nn.functional.pad(x.repeat_interleave(3, dim=1).repeat_interleave(3, dim=2), (2, 2, 2, 2)).reshape(-1, 784)
    y = torch.from_numpy(digits.targets.numpy())
    return x[:1400], y[:1400], x[1400:], y[1400:]


def accuracy(x, y):
    with torch.no_grad():
        return (net(x).argmax(dim=1) == y).float().mean().item()  # in the top 1


net = nn.Sequential(neuron_layer(784, 300), nn.ReLU(), neuron_layer(300, 100), nn.ReLU(), neuron_layer(100, 10))
print(
    "parameters",
    [sum(p.numel() for p in layer.parameters()) for layer in net[::2]],
    sum(p.numel() for p in net.parameters()),
)

x_train, y_train, x_test, y_test = load()
steps = len(x_train) // BATCH
print(f"{len(x_train)} training images, {steps} steps an epoch, {400 * steps} in 400 epochs")
optimizer = torch.optim.SGD(net.parameters(), lr=0.01)
loss_function = nn.CrossEntropyLoss()  # takes logits: the last layer has no activation
for epoch in range(EPOCHS):
    order = torch.randperm(len(x_train))
    for step in range(steps):
        batch = order[step * BATCH : (step + 1) * BATCH]
        loss = loss_function(net(x_train[batch]), y_train[batch])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if step % (steps // 4) == 0:
            print(f"  step {step}: loss {loss.item():.4f}")
    print(
        epoch,
        f"Train accuracy: {accuracy(x_train[batch], y_train[batch]):.2f} Test accuracy: {accuracy(x_test, y_test):.3f}",
    )
with torch.no_grad():
    logits = net(x_test[:20])
print(f"logits are unbounded: {logits.min().item():.2f} to {logits.max().item():.2f}")
