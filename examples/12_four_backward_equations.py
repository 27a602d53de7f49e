# Backpropagation is four equations; written out in NumPy they give exactly what backward() gives.
# Rows: E9 E10
import tinygrad_edu as torch
from tinygrad_edu import nn

import os
from itertools import pairwise

import numpy as np

torch.manual_seed(int(os.environ.get("EXAMPLE_SEED", 0)))

guess = torch.tensor([0.1, 0.1, 0.0, 0.1, 0.0, 0.0, 0.0, 0.0, 0.5, 0.2], dtype=torch.float64)
truth = nn.functional.one_hot(torch.tensor(6), 10).double()
print(f"J of the guess 8 for a 6: {0.5 * ((guess - truth) ** 2).sum().item():.2f}")

sizes = [3, 5, 4, 10]
weights = [torch.randn(n, m, dtype=torch.float64, requires_grad=True) for m, n in pairwise(sizes)]
biases = [torch.randn(n, 1, dtype=torch.float64, requires_grad=True) for n in sizes[1:]]
x = torch.randn(3, 1, dtype=torch.float64)
y = truth.reshape(10, 1)

a = x
for w, b in zip(weights, biases, strict=True):
    a = torch.sigmoid(w @ a + b)
loss = 0.5 * ((a - y) ** 2).sum()
loss.backward()
print(f"J of an untrained network: {loss.item():.6f}")

# The same by hand. activations[l] is a^l, and sigmoid'(z^l) = a^l (1 - a^l).
W, B = [w.detach().numpy() for w in weights], [b.detach().numpy() for b in biases]
activations = [x.numpy()]
for w, b in zip(W, B, strict=True):
    activations.append(1 / (1 + np.exp(-(w @ activations[-1] + b))))

slope = activations[-1] * (1 - activations[-1])
delta = (activations[-1] - y.numpy()) * slope  # 1: delta^L = (a^L - y) * sigmoid'(z^L)
for layer in (2, 1, 0):
    dW = delta @ activations[layer].T  # 3: dJ/dW^l = delta^l (a^(l-1))^T
    db = delta  # 4: dJ/db^l = delta^l
    same = max(np.abs(dW - weights[layer].grad.numpy()).max(), np.abs(db - biases[layer].grad.numpy()).max()) < 1e-12
    print(f"layer {layer + 1}: |delta| {np.linalg.norm(delta):.6f}, equal to autograd within 1e-12: {same}")
    slope = activations[layer] * (1 - activations[layer])
    delta = W[layer].T @ delta * slope  # 2: delta^l = W^(l+1)^T delta^(l+1) * sigmoid'(z^l)
