# A model is layers in __init__ and a formula in forward; its parameters can be listed and counted.
# Rows: A16 A18 E18
# (E18: layers narrow like a funnel towards the output, and one hidden layer is the first thing to try.)
import tinygrad_edu as torch
from tinygrad_edu import nn

import os


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear1 = nn.Linear(3, 3)
        nn.init.xavier_normal_(self.linear1.weight)  # made for sigmoid and tanh
        self.linear2 = nn.Linear(3, 2)
        nn.init.kaiming_normal_(self.linear2.weight)  # made for relu
        self.out = nn.Linear(2, 2)

    def forward(self, x):
        x = torch.sigmoid(self.linear1(x))
        x = torch.relu(self.linear2(x))
        return torch.softmax(self.out(x), dim=-1)  # each row becomes probabilities


torch.manual_seed(int(os.environ.get("EXAMPLE_SEED", 0)))
model = Model()
print(model)
data = torch.randn(5, 3)
output = model(data)
print("data shape", data.shape)
print("output shape", output.shape)
print("row sums", [round(s, 5) for s in output.sum(dim=1).tolist()])

for name, parameter in model.named_parameters():
    print(name, parameter.numel(), parameter, sep="  ")
print("parameters", sum(p.numel() for p in model.parameters()))
