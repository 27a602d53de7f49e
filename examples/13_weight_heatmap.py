# A small network printed, counted, and its weight matrices drawn as heat-maps.
# Rows: A23 A24
import tinygrad_edu as torch
from tinygrad_edu import nn

import importlib.util
import os


class SimpleNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(2, 5)
        self.relu = nn.ReLU()
        self.fc2 = nn.Linear(5, 1)

    def forward(self, x):
        return self.fc2(self.relu(self.fc1(x)))


torch.manual_seed(int(os.environ.get("EXAMPLE_SEED", 0)))
net = SimpleNet()
print(net)
print("parameters", sum(p.numel() for p in net.parameters()))

weights = [layer.weight.data.numpy() for layer in net.children() if hasattr(layer, "weight")]  # ReLU has none
for i, weight in enumerate(weights):
    print(f"Layer {i}: shape {weight.shape}, from {weight.min():.4f} to {weight.max():.4f}")

if importlib.util.find_spec("matplotlib"):
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    os.makedirs("out", exist_ok=True)
    figure, axes = plt.subplots(1, len(weights), figsize=(15, 5))
    for i, weight in enumerate(weights):
        axes[i].imshow(weight, cmap="viridis", aspect="auto")
        axes[i].set_title(f"Layer {i}")
        axes[i].set_xlabel("Input features")
        axes[i].set_ylabel("Neurons")
    figure.savefig("out/weight_heatmap.png")
    plt.close(figure)
