# Two convolutions on a 5x5 image: a 1x1 kernel mixes channels, a 5x5 kernel sees the whole image at once.
# Rows: A19
import tinygrad_edu as torch
from tinygrad_edu import nn

import os

F = nn.functional


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 20, 1)
        self.conv2 = nn.Conv2d(20, 20, 5)

    def forward(self, x):
        x = F.relu(self.conv1(x))  # (1, 20, 5, 5)
        return F.relu(self.conv2(x))  # (1, 20, 1, 1)


torch.manual_seed(int(os.environ.get("EXAMPLE_SEED", 0)))
net = Net()
x = torch.Tensor([[[[0.1, 0.1, 0.1, 0.1, 0.5]] * 5]])
print(x)
output = net(x)
print("output:", output)
print("shape", tuple(output.shape), "parameters", sum(p.numel() for p in net.parameters()))
print("none below 0:", bool((output >= 0).all()), " some cut to 0:", bool((output == 0).any()))
