# A NumPy network becomes trainable as it stands: only its arrays are replaced by tensors.
# torch lacks this: there np.dot and np.exp on tensors that require gradients raise; here they record the graph.
# Rows: D1 D2 D3 D4 D5
import tinygrad_edu as torch
from tinygrad_edu import nn

import numpy as np


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def init_network(array):
    network = {}
    network["W1"] = array([[0.1, 0.3, 0.5], [0.2, 0.4, 0.6]])
    network["b1"] = array([0.1, 0.2, 0.3])
    network["W2"] = array([[0.1, 0.4], [0.2, 0.5], [0.3, 0.6]])
    network["b2"] = array([0.1, 0.2])
    network["W3"] = array([[0.1, 0.3], [0.2, 0.4]])
    network["b3"] = array([0.1, 0.2])
    return network


def forward(network, x):
    a1 = np.dot(x, network["W1"]) + network["b1"]
    z1 = sigmoid(a1)
    a2 = np.dot(z1, network["W2"]) + network["b2"]
    z2 = sigmoid(a2)
    return np.dot(z2, network["W3"]) + network["b3"]


print("arrays ", forward(init_network(np.array), np.array([1.0, 0.5])))

parameters = init_network(lambda values: nn.Parameter(torch.tensor(values, dtype=torch.float64)))
x = torch.tensor([1.0, 0.5], dtype=torch.float64, requires_grad=True)
y = forward(parameters, x)
print("tensors", y.detach().numpy())

y[0].backward()
# By hand: dY0/dW3[i, 0] is the hidden value z2[i], and dY0/db3 picks output 0.
print("dY0/dW3", parameters["W3"].grad.numpy()[:, 0])
print("dY0/db3", parameters["b3"].grad.numpy())
print("dY0/dx ", x.grad.numpy())

names = list(parameters)
inputs = (x, *parameters.values())
checked = torch.autograd.gradcheck(lambda x, *values: forward(dict(zip(names, values, strict=True)), x)[0], inputs)
print(f"gradients of Y0 for all {len(inputs)} arrays agree with finite differences: {checked}")
