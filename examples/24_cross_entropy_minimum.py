# Cross-entropy is smallest when the predicted probability equals the true one.
# Rows: E13
import tinygrad_edu as torch
from tinygrad_edu import nn

import os

STEPS = int(os.environ.get("EXAMPLE_STEPS", 400))
truth = torch.tensor([0.1, 0.3, 0.5, 0.8])
z = nn.Parameter(torch.zeros(4))  # p = sigmoid(z) stays a probability whatever z becomes
optimizer = torch.optim.SGD([z], lr=2.0)

for step in range(STEPS + 1):
    p = torch.sigmoid(z)
    loss = -(truth * torch.log(p) + (1 - truth) * torch.log(1 - p)).sum()
    if step in (0, 5, STEPS):
        print(f"step {step:3}: cross-entropy {loss.item():.4f}, p =", [round(q, 4) for q in p.tolist()])
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()

entropy = -(truth * torch.log(truth) + (1 - truth) * torch.log(1 - truth)).sum()
print(f"entropy of the truth, the least possible: {entropy.item():.4f}")
print("p equals the truth within 1e-4:", torch.allclose(torch.sigmoid(z), truth, rtol=0, atol=1e-4))
