"""W10: what does one small operation cost, forward and backward, and does a long graph make it dearer?"""

import _pairs as pairs


def chain(length):
    def workload(t):
        x = t.ones(4, requires_grad=True)

        def run():
            x.grad = None
            y = x
            for _ in range(length // 2):
                y = y * 0.999
                y = y + 0.001
            y.sum().backward()

        return run

    return workload


def hundred_layers(t):
    """Time E20: the seed's 100-layer thought experiment."""
    model = t.nn.Sequential(*(t.nn.Linear(10, 10) for _ in range(100)))
    x = t.randn(32, 10)

    def run():
        model.zero_grad()
        model(x).sum().backward()

    return run


if __name__ == "__main__":
    lengths = {f"W10 chain of {n:,}": chain(n) for n in (1_000, 10_000, 100_000)}
    pairs.main(__file__, {**lengths, "E20 100 layers": hundred_layers}, seconds=0.1)
