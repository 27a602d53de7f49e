# A restricted Boltzmann machine learns digits without labels and without backward(): data up, dreams down.
# Rows: C6
import tinygrad_edu as torch
from tinygrad_edu import nn
from tinygrad_edu.datasets import Digits

import os

EPOCHS = int(os.environ.get("EXAMPLE_STEPS", 10))
torch.manual_seed(int(os.environ.get("EXAMPLE_SEED", 0)))
x = torch.from_numpy(Digits().data.numpy()).reshape(-1, 64).double()  # grey values as probabilities
HIDDEN, BATCH, LR = 64, 10, 0.1
w = 0.01 * torch.randn(HIDDEN, 64, dtype=torch.float64)
b, c = torch.zeros(HIDDEN, dtype=torch.float64), torch.zeros(64, dtype=torch.float64)


def toss(p):
    return (torch.rand(p.shape, dtype=p.dtype) < p).to(p.dtype)


def free_energy(v):
    return -(v @ c) - nn.functional.softplus(v @ w.T + b).sum(dim=1)


def pseudo_likelihood():
    """How surely the machine tells a picture from the same picture with one random pixel turned over."""
    rows, pixel = torch.arange(len(x)), torch.randint(0, 64, (len(x),))
    flipped = x.clone()
    flipped[rows, pixel] = 1 - flipped[rows, pixel]
    return (64 * nn.functional.logsigmoid(free_energy(flipped) - free_energy(x))).mean().item()


dream = torch.zeros(BATCH, HIDDEN, dtype=torch.float64)  # hidden states of a chain that is never restarted
for epoch in range(EPOCHS):
    for v in x.split(BATCH):
        h = torch.sigmoid(v @ w.T + b)  # what the data wakes
        v_dream = toss(torch.sigmoid(dream @ w + c))
        h_dream = torch.sigmoid(v_dream @ w.T + b)  # what the machine believes by itself
        lr = LR / len(v)
        w += lr * (h.T @ v - h_dream.T @ v_dream)
        b += lr * (h.sum(dim=0) - h_dream.sum(dim=0))
        c += lr * (v.sum(dim=0) - v_dream.sum(dim=0))
        dream = toss(h_dream)
    print(f"epoch {epoch + 1:2}: pseudo-likelihood {pseudo_likelihood():.2f}")
