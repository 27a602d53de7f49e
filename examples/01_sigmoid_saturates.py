# The sigmoid saturates: outside [-6, 6] hardly any gradient is left to learn from.
# Rows: A3 E1
import tinygrad_edu as torch
from tinygrad_edu import nn

sigmoid = nn.Sigmoid()

# backward() needs one number; the sum makes x.grad[i] the slope at x[i] alone.
x = torch.linspace(-20, 20, 1000, requires_grad=True)
sigmoid(x).sum().backward()
steepest = x.grad.argmax().item()
print(f"steepest slope {x.grad.max().item():.6f} at |x| = {abs(x[steepest].item()):.5f}")
print(f"sum of the slopes {x.grad.sum().item():.4f}")  # about 1 / spacing: the integral of a slope is the rise

z = torch.tensor([0.0, 3.0, 6.0], requires_grad=True)
a = sigmoid(z)
a.sum().backward()
for value, height, slope in zip(z.tolist(), a.tolist(), z.grad.tolist(), strict=True):
    print(f"sigmoid({value:.0f}) = {height:.6f}   slope {slope:.7f}   of the best slope {slope / 0.25:.4f}")
