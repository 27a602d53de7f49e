# Momentum: a velocity gathers past gradients, so steps grow along a valley and cancel across it.
# Rows: E12
import tinygrad_edu as torch
from tinygrad_edu import nn

LR, MOMENTUM = 0.02, 0.8
curvature = torch.tensor([1.0, 40.0])  # a long narrow valley


def height(x):
    return 0.5 * (curvature * x**2).sum()


x = nn.Parameter(torch.tensor([4.0, 1.0]))
optimizer = torch.optim.SGD([x], lr=LR, momentum=MOMENTUM)
by_hand = torch.tensor([4.0, 1.0])
velocity = torch.zeros(2)
plain = torch.tensor([4.0, 1.0])

same = True
for step in range(1, 61):
    optimizer.zero_grad()
    height(x).backward()
    optimizer.step()

    velocity = MOMENTUM * velocity + curvature * by_hand  # V
    by_hand = by_hand - LR * velocity
    plain = plain - LR * curvature * plain
    same = same and torch.allclose(x.detach(), by_hand, rtol=1e-5, atol=1e-7)
    if step % 15 == 0:
        print(f"step {step}: momentum {height(x).item():.6f}   plain {height(plain).item():.6f}")
print("SGD(momentum=) follows the formula at every step:", same)
