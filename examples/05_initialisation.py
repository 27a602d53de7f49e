# How weights start: the spread that keeps signals alive depends on how many inputs and outputs a layer has.
# Rows: A12 A13 A14 A15
import tinygrad_edu as torch
from tinygrad_edu import nn

import math
import os

torch.manual_seed(int(os.environ.get("EXAMPLE_SEED", 0)))
inputs, outputs = 300, 500
linear = nn.Linear(inputs, outputs)
w = linear.weight

print("shapes", tuple(w.shape), tuple(linear.bias.shape))
print(f"default          within {1 / math.sqrt(inputs):.4f}: largest {w.abs().max().item():.4f}")

with torch.no_grad():
    for name, value in (("constant_", 5), ("zeros_", 0), ("ones_", 1)):
        fill = getattr(nn.init, name)
        fill(w, value) if name == "constant_" else fill(w)
        print(f"{name:16} all {value}: {bool((w == value).all())}")

expected = {
    "uniform_": (0.0, 1.0, math.sqrt(1 / 12)),
    "normal_": (None, None, 1.0),
    "kaiming_normal_": (None, None, math.sqrt(2 / inputs)),
    "kaiming_uniform_": (-math.sqrt(6 / inputs), math.sqrt(6 / inputs), math.sqrt(2 / inputs)),
    "xavier_normal_": (None, None, math.sqrt(2 / (inputs + outputs))),
    "xavier_uniform_": (
        -math.sqrt(6 / (inputs + outputs)),
        math.sqrt(6 / (inputs + outputs)),
        math.sqrt(2 / (inputs + outputs)),
    ),
}
for name, (low, high, std) in expected.items():
    getattr(nn.init, name)(w)
    limits = "" if low is None else f", limits {low:.4f} {high:.4f}, drawn {w.min().item():.4f} {w.max().item():.4f}"
    print(f"{name:16} std {std:.4f}, drawn {w.std().item():.4f}{limits}")
