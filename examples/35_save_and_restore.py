# Training once is enough: saved weights, loaded into a fresh network, answer bit for bit alike.
# Rows: B10
import tinygrad_edu as torch
from tinygrad_edu import nn

import os
import tempfile

torch.manual_seed(int(os.environ.get("EXAMPLE_SEED", 0)))


def build():
    return nn.Sequential(nn.Linear(784, 300), nn.ReLU(), nn.Linear(300, 100), nn.ReLU(), nn.Linear(100, 10))


net, images = build(), torch.rand(20, 784)
logits = net(images)
with tempfile.TemporaryDirectory() as folder:
    path = os.path.join(folder, "my_model_final.pt")
    torch.save(net.state_dict(), path)
    restored = build()  # starts from other random weights
    print("equal before loading:", torch.equal(restored(images), logits))
    print(restored.load_state_dict(torch.load(path)))
print("equal after loading: ", torch.equal(restored(images), logits))
print("predictions", restored(images).argmax(dim=1).tolist())
