# The whole training loop: predict, measure, clear, backward, step, until a curve follows noisy points.
# Rows: A9 A25 A26 A27
import tinygrad_edu as torch
from tinygrad_edu import nn

import importlib.util
import os

STEPS = int(os.environ.get("EXAMPLE_STEPS", 100))
torch.manual_seed(int(os.environ.get("EXAMPLE_SEED", 0)))
x = torch.unsqueeze(torch.linspace(-1, 1, 100), dim=1)
y = x.pow(2) + 0.2 * torch.rand(x.size())  # the noise floor of the loss is 0.2^2 / 12 = 0.0033


class Net(nn.Module):
    def __init__(self, n_feature, n_hidden1, n_hidden2, n_output):
        super().__init__()
        self.layer1 = nn.Linear(n_feature, n_hidden1)
        self.layer2 = nn.Linear(n_hidden1, n_hidden2)
        self.predict = nn.Linear(n_hidden2, n_output)

    def forward(self, x):
        x = torch.relu(self.layer1(x))
        x = torch.relu(self.layer2(x))
        return self.predict(x)  # a regression leaves its last layer as it is


net = Net(n_feature=1, n_hidden1=10, n_hidden2=10, n_output=1)
print("parameters", sum(p.numel() for p in net.parameters()))
optimizer = torch.optim.SGD(net.parameters(), lr=0.2)
loss_function = nn.MSELoss()

frames = []
for step in range(STEPS):
    output = net(x)
    loss = loss_function(output, y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if step % 5 == 0:
        print(f"step {step:2}: loss {loss.item():.4f}")
        frames.append((step, output.detach(), loss.item()))

if importlib.util.find_spec("matplotlib"):
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    os.makedirs("out", exist_ok=True)
    figure, axes = plt.subplots()
    for step, output, loss_then in frames:
        axes.cla()
        axes.scatter(x, y, label="real")
        axes.plot(x, output, "r-", lw=5, label="predict")
        axes.text(0.5, 0, f"Loss={loss_then:.4f}", fontdict={"size": 20, "color": "red"})
        axes.legend()
        figure.savefig(f"out/regression_{step:02}.png")
    plt.close(figure)
