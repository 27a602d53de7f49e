# A network of 100 layers: backward() walks it from layer 100 down to layer 1, one delta after the other.
# Rows: E20
import tinygrad_edu as torch
from tinygrad_edu import nn

import os

torch.manual_seed(int(os.environ.get("EXAMPLE_SEED", 0)))
layers = [nn.Linear(10, 10) for _ in range(100)]
for layer in layers:
    nn.init.orthogonal_(layer.weight)  # keeps every length, so nothing fades over 100 layers
    nn.init.zeros_(layer.bias)
net = nn.Sequential(*layers)

x = torch.randn(32, 10)
out = net(x)
out.pow(2).mean().backward()
print(f"mean square in {x.pow(2).mean().item():.4f}, out {out.pow(2).mean().item():.4f}")
for number in (100, 75, 50, 25, 1):
    print(f"layer {number:3}: gradient norm {layers[number - 1].weight.grad.norm().item():.4f}")
print("layers with a gradient:", sum(layer.weight.grad is not None for layer in layers))
