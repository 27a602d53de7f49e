# At a saddle the slope is 0 but it is no minimum: the Hessian bends both ways, and a little noise escapes.
# Rows: E7
import tinygrad_edu as torch
from tinygrad_edu import nn

import os

import numpy as np

STEPS = int(os.environ.get("EXAMPLE_STEPS", 60))
torch.manual_seed(int(os.environ.get("EXAMPLE_SEED", 0)))


def saddle(point):
    return point[0] ** 2 - point[1] ** 2


origin = torch.zeros(2, requires_grad=True)
(slope,) = torch.autograd.grad(saddle(origin), origin, create_graph=True)  # the slope itself can be differentiated
hessian = torch.stack([torch.autograd.grad(part, origin, retain_graph=True)[0] for part in slope])
print("Hessian", (hessian + 0).tolist())  # + 0 makes 0 of -0
print("eigenvalues", np.linalg.eigvalsh(hessian.numpy()).tolist(), "-> up one way, down the other")


def descend(noise):
    point = nn.Parameter(torch.tensor([1.0, 0.0]))  # exactly on the ridge that leads to the saddle
    optimizer = torch.optim.SGD([point], lr=0.1)
    for _ in range(STEPS):
        optimizer.zero_grad()
        saddle(point).backward()
        point.grad += noise * torch.randn(2)
        optimizer.step()
        if abs(point[1].item()) > 1:
            break
    return point


end = descend(noise=0.0)
print(f"plain descent ends at ({end[0].item():.4f}, {end[1].item():.4f}), value {saddle(end).item():.4f}")
end = descend(noise=0.01)
print("with noise it escapes downwards:", saddle(end).item() < -0.9)
