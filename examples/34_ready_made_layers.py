# The same network twice: layer by layer from matrices, and from ready-made layers. The shapes agree.
# Rows: B8 B9
import tinygrad_edu as torch
from tinygrad_edu import nn

import os

torch.manual_seed(int(os.environ.get("EXAMPLE_SEED", 0)))


class NeuronLayer(nn.Module):
    """One layer with nothing hidden: a weight matrix, biases, and the product written out."""

    def __init__(self, n_inputs, n_neurons, activation=None):
        super().__init__()
        self.weights = nn.Parameter(torch.empty(n_inputs, n_neurons))
        nn.init.trunc_normal_(self.weights, std=2 / n_inputs**0.5)
        self.biases = nn.Parameter(torch.zeros(n_neurons))
        self.activation = activation

    def forward(self, x):
        z = x @ self.weights + self.biases
        return z if self.activation is None else self.activation(z)


def fully_connected(n_inputs, n_neurons, activation=nn.ReLU):
    linear = nn.Linear(n_inputs, n_neurons)
    nn.init.xavier_uniform_(linear.weight)
    nn.init.zeros_(linear.bias)
    return linear if activation is None else nn.Sequential(linear, activation())


first = nn.Sequential(NeuronLayer(784, 300, torch.relu), NeuronLayer(300, 100, torch.relu), NeuronLayer(100, 10))
# Names make scopes: dnn.hidden1, dnn.hidden2, dnn.outputs. Pictures of the graph group their nodes by them.
dnn = nn.ModuleDict(
    {
        "hidden1": fully_connected(784, 300),
        "hidden2": fully_connected(300, 100),
        "outputs": fully_connected(100, 10, activation=None),
    }
)
scope = nn.ModuleDict({"dnn": dnn})

x = torch.rand(50, 784)
h1 = dnn["hidden1"](x)
h2 = dnn["hidden2"](h1)
print("by hand   ", [tuple(h.shape) for h in (first[0](x), first[:2](x), first(x))])
print("ready-made", [tuple(h.shape) for h in (h1, h2, dnn["outputs"](h2))])
for name, parameter in scope.named_parameters():
    print(f"{name:22} {tuple(parameter.shape)}")
print("scopes", [name for name, _ in scope.named_modules() if name.count(".") == 1])
