# Softmax turns scores into probabilities; subtracting the largest score first keeps exp from overflowing.
# Rows: A7 D7
import tinygrad_edu as torch
from tinygrad_edu import nn

scores = torch.tensor([0.2, 0.02, 0.15, 0.15, 1.3, 0.5, 0.06, 1.1, 0.05, 3.75])
probabilities = torch.softmax(scores, dim=0)
print(probabilities)
print(f"sum {probabilities.sum().item():.4f}, most likely class {probabilities.argmax().item()}")
print("order kept:", torch.equal(scores.argsort(stable=True), probabilities.argsort(stable=True)))

large = torch.tensor([1010.0, 1000.0, 990.0], dtype=torch.float64)
naive = torch.exp(large) / torch.exp(large).sum()  # inf / inf
print("naive  ", naive.tolist())

shifted = torch.exp(large - large.max())  # the common factor exp(-max) cancels in the fraction
print("shifted", " ".join(f"{p:.3e}" for p in (shifted / shifted.sum()).tolist()))
print("nn     ", " ".join(f"{p:.3e}" for p in nn.Softmax(dim=0)(large).tolist()))
