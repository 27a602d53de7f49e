# The perceptron rule: only a wrong answer changes the weights, by one step towards the right side.
# Rows: C1 C7
import tinygrad_edu as torch
from tinygrad_edu import nn
from tinygrad_edu.datasets import Iris

iris = Iris()
x = torch.from_numpy(iris.data.numpy())[:, 2:4].double()  # petal length and width, cm
setosa = torch.from_numpy(iris.targets.numpy()) == 0
sign = setosa.double() * 2 - 1  # +1 setosa, -1 the others

neuron = nn.Linear(2, 1).double()
nn.init.zeros_(neuron.weight)
nn.init.zeros_(neuron.bias)
optimizer = torch.optim.SGD(neuron.parameters(), lr=1.0)

epoch, mistakes = 0, 1
while mistakes:  # this ends because a straight line separates setosa (Novikoff 1962)
    epoch, mistakes = epoch + 1, 0
    for flower, side in zip(x, sign, strict=True):
        agreement = (side * neuron(flower)).sum()  # positive when the answer is right
        if agreement <= 0:
            mistakes += 1
            optimizer.zero_grad()
            (-agreement).backward()
            optimizer.step()
    print(f"epoch {epoch}: {mistakes} mistakes")

with torch.no_grad():
    accuracy = ((neuron(x)[:, 0] >= 0) == setosa).double().mean().item()
    answer = int(neuron(torch.tensor([2.0, 0.5], dtype=torch.float64)).item() >= 0)
print("weights", [round(w, 4) for w in neuron.weight[0].tolist()], "bias", round(neuron.bias.item(), 4))
print("training accuracy", accuracy)
print("is a flower of 2 x 0.5 cm a setosa?", answer)
