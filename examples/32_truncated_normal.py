# Weights from a bell curve with its tails cut off: no neuron starts with an extreme weight.
# Rows: B2
import tinygrad_edu as torch
from tinygrad_edu import nn

import os

torch.manual_seed(int(os.environ.get("EXAMPLE_SEED", 0)))
for n_inputs, n_neurons in ((784, 300), (300, 100), (100, 10)):
    std = 2 / n_inputs**0.5
    layer = nn.Linear(n_inputs, n_neurons)
    nn.init.trunc_normal_(layer.weight, std=std, a=-2 * std, b=2 * std)
    nn.init.zeros_(layer.bias)
    w = layer.weight.detach()
    print(
        f"{n_inputs}-{n_neurons}: std {std:.7f}, all weights within 2 std: {bool((w.abs() <= 2 * std).all())}, "
        f"biases 0: {bool((layer.bias == 0).all())}"
    )
    # Cutting at 2 std takes the tails away, so the drawn spread is 0.88 of the nominal one.
    print(f"  drawn: mean {w.mean().item():.4f}, std {w.std().item():.4f} = {w.std().item() / std:.2f} of the nominal")
