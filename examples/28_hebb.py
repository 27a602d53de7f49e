# Hebb's rule, older than gradients: what fires together wires together, dw = rate * input * output.
# Rows: E17
import tinygrad_edu as torch
from tinygrad_edu import nn

neuron = nn.Linear(2, 1, bias=False)
nn.init.constant_(neuron.weight, 0.5)
bell, food = torch.tensor([1.0, 0.0]), torch.tensor([1.0, 1.0])
print(f"answer to the bell before: {neuron(bell).item():.2f}")
with torch.no_grad():  # no loss, no gradient: the rule is the whole lesson
    for _ in range(5):
        neuron.weight += 0.1 * neuron(food) * food
print(f"answer to the bell after:  {neuron(bell).item():.2f}")
