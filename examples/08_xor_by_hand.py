# XOR needs two layers: a hand-made network of three neurons does what one neuron cannot.
# Rows: C2
import tinygrad_edu as torch
from tinygrad_edu import nn


def heaviside(z):
    return (z >= 0).to(z.dtype)


def mlp_xor(x1, x2, activation=heaviside):
    both = activation(x1 + x2 - 1.5)
    either = activation(x1 + x2 - 0.5)
    return activation(-both + either - 0.5)  # either, but not both


x1 = torch.tensor([0.0, 0.0, 1.0, 1.0])
x2 = torch.tensor([0.0, 1.0, 0.0, 1.0])
print("step    ", mlp_xor(x1, x2).tolist())
print("sigmoid ", [round(y, 5) for y in mlp_xor(x1, x2, nn.Sigmoid()).tolist()])  # soft, but the order is right
