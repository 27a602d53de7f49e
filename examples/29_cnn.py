# Image classification: a small convolutional network tells stripes from chequers, in colour, through noise.
# Rows: E19
import tinygrad_edu as torch
from tinygrad_edu import nn

import os

STEPS = int(os.environ.get("EXAMPLE_STEPS", 40))
torch.manual_seed(int(os.environ.get("EXAMPLE_SEED", 0)))


def pictures(n):
    """n images (3, 16, 16) as CIFAR's but smaller; classes: rows, columns, chequers."""
    label = torch.randint(0, 3, (n,))
    wave = (torch.arange(16) // 2 % 2).float()  # 0 0 1 1 0 0 1 1 ...
    rows = wave.reshape(16, 1).expand(16, 16)
    columns = wave.reshape(1, 16).expand(16, 16)
    kinds = torch.stack([rows, columns, (rows - columns).abs()])
    colour = torch.rand(n, 3, 1, 1)
    return kinds[label].unsqueeze(1) * colour + 0.3 * torch.randn(n, 3, 16, 16), label


net = nn.Sequential(
    nn.Conv2d(3, 8, 3, padding=1),  # (n, 8, 16, 16)
    nn.ReLU(),
    nn.MaxPool2d(2),  # (n, 8, 8, 8)
    nn.Conv2d(8, 16, 3, padding=1),  # (n, 16, 8, 8)
    nn.ReLU(),
    nn.MaxPool2d(4),  # (n, 16, 2, 2)
    nn.Flatten(),
    nn.Linear(64, 3),
)
print("parameters", sum(p.numel() for p in net.parameters()))
optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
loss_function = nn.CrossEntropyLoss()
for step in range(STEPS + 1):
    images, labels = pictures(64)
    loss = loss_function(net(images), labels)
    if step % 10 == 0:
        print(f"step {step:2}: loss {loss.item():.3f}")
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()

images, labels = pictures(500)
with torch.no_grad():
    print(f"accuracy on 500 new pictures {(net(images).argmax(dim=1) == labels).float().mean().item():.2f}")
