# A step function cannot be trained: its gradient is 0 everywhere, so no weight ever moves.
# Rows: E5
import tinygrad_edu as torch
from tinygrad_edu import nn

x = torch.tensor([-2.0, -0.5, 0.5, 2.0])
weight = nn.Parameter(torch.ones(4))

step = (torch.sign(weight * x) + 1) / 2  # 0 below zero, 1 above
step.sum().backward()
print("step output    ", step.tolist())
print("step gradient  ", weight.grad.abs().tolist(), "-> gradient descent stands still")

weight.grad = None
torch.sigmoid(weight * x).sum().backward()
print("sigmoid slope  ", [round(g, 4) for g in weight.grad.tolist()])

# A comparison is not even a flat function: its answer is True or False, and the graph ends there.
try:
    (weight * x >= 0).float().sum().backward()
except RuntimeError as error:
    print("comparison     ", str(error)[: len("element 0 of tensors does not require grad")])
