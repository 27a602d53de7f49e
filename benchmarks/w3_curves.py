"""W3: are the activation curves and their slopes cheaper than in torch, on 1,000 and on 1,000,000 points?"""

import _pairs as pairs


def curves(points):
    def workload(t):
        x = t.linspace(-20, 20, points, requires_grad=True)

        def run():
            for activation in (t.sigmoid, t.tanh, t.relu, lambda x: t.softmax(x, dim=0)):
                x.grad = None
                activation(x).sum().backward()

        return run

    return workload


def chain(t):
    x = t.linspace(-1, 1, 1_000_000, requires_grad=True)

    def run():
        x.grad = None
        (x * 2 + 1).tanh().exp().sum().backward()

    return run


if __name__ == "__main__":
    pairs.main(
        __file__,
        {"W3a 1,000 points": curves(1_000), "W3b 1,000,000 points": curves(1_000_000), "W11 chain on 1e6": chain},
    )
