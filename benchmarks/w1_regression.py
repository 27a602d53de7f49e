"""W1: is a step of the seed's regression (1-10-10-1, 100 samples, SGD) cheaper than in torch?"""

import _pairs as pairs


def net(t, dtype=None):
    x = t.linspace(-1, 1, 100).unsqueeze(1)
    y = x.pow(2) + 0.2 * t.rand(x.size())
    relu = t.nn.ReLU()
    model = t.nn.Sequential(t.nn.Linear(1, 10), relu, t.nn.Linear(10, 10), relu, t.nn.Linear(10, 1))
    if dtype is not None:
        x, y, model = x.to(dtype), y.to(dtype), model.to(dtype)
    return x, y, model


def step(t):
    x, y, model = net(t)
    optimizer = t.optim.SGD(model.parameters(), lr=0.2)
    loss_function = t.nn.MSELoss()

    def run():
        optimizer.zero_grad()
        loss_function(model(x), y).backward()
        optimizer.step()

    return run


def forward_backward_float64(t):
    """Time P18: forward and backward alone, in float64; gradients are cleared as a user would."""
    x, y, model = net(t, t.float64)
    loss_function = t.nn.MSELoss()

    def run():
        model.zero_grad()
        loss_function(model(x), y).backward()

    return run


def inference(t):
    """Time W12 on this network: one sample, nothing recorded."""
    x, _, model = net(t)
    one = x[:1]

    def run():
        with t.no_grad():
            model(one)

    return run


if __name__ == "__main__":
    pairs.main(
        __file__, {"W1 step": step, "P18 fwd+bwd float64": forward_backward_float64, "inference of one": inference}
    )
