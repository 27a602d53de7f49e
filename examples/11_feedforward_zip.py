# Ten digits from 784 pixels, as a textbook class writes it: a = sigmoid(np.dot(w, a) + b), layer after layer.
# torch lacks this: there np.dot refuses parameters; here the class learns without a change.
# Rows: F10
import tinygrad_edu as torch
from tinygrad_edu import nn

import os
from itertools import pairwise

import numpy as np

torch.manual_seed(int(os.environ.get("EXAMPLE_SEED", 0)))


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


class Network:
    def __init__(self, sizes):
        self.biases = [nn.Parameter(torch.zeros(n, 1)) for n in sizes[1:]]
        self.weights = [nn.Parameter(torch.randn(n, m) / np.sqrt(m)) for m, n in pairwise(sizes)]

    def feedforward(self, a):
        for b, w in zip(self.biases, self.weights, strict=True):
            a = sigmoid(np.dot(w, a) + b)
        return a


network = Network([784, 30, 10])
image, six = torch.rand(784, 1), torch.eye(10)[:, 6:7]
optimizer = torch.optim.SGD(network.biases + network.weights, lr=0.5)
for step in range(101):
    loss = 0.5 * ((network.feedforward(image) - six) ** 2).sum()
    if step % 25 == 0:
        print(f"step {step:3}: loss {loss.item():.4f}")
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
print("recognised as", int(np.argmax(network.feedforward(image).detach().numpy())))
