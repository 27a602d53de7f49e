# Why activations must not be linear: a stack of linear layers is one linear layer.
# Rows: D9
import tinygrad_edu as torch
from tinygrad_edu import nn

import os

torch.manual_seed(int(os.environ.get("EXAMPLE_SEED", 0)))
stack = nn.Sequential(nn.Linear(4, 8), nn.Linear(8, 8), nn.Linear(8, 3)).double()
x = torch.randn(16, 4, dtype=torch.float64)

weight, bias = torch.eye(4, dtype=torch.float64), torch.zeros(4, dtype=torch.float64)
for layer in stack:  # W2 (W1 x + b1) + b2 = (W2 W1) x + (W2 b1 + b2)
    weight, bias = layer.weight @ weight, layer.weight @ bias + layer.bias
one = nn.functional.linear(x, weight, bias)
print("three layers equal one:", torch.allclose(stack(x), one, rtol=0, atol=1e-6))

a, n = 0.5, 3
y = x
for _ in range(n):
    y = a * y
print(f"{n} times y = {a} x is y = {a**n} x:", torch.equal(y, a**n * x))
bent = nn.Sequential(stack[0], nn.ReLU(), stack[1], stack[2])
print("with a ReLU between:  ", torch.allclose(bent(x), one, rtol=0, atol=1e-6))
