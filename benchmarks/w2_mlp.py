"""W2: is a step of the digit network (784-300-100-10, batch 50) cheaper than in torch?"""

import _pairs as pairs


def network(t):
    relu = t.nn.ReLU()
    model = t.nn.Sequential(t.nn.Linear(784, 300), relu, t.nn.Linear(300, 100), relu, t.nn.Linear(100, 10))
    return model, t.rand(50, 784), t.randint(0, 10, (50,))


def training(optimizer):
    def workload(t):
        model, x, y = network(t)
        update = optimizer(t, model.parameters())
        loss_function = t.nn.CrossEntropyLoss()

        def run():
            update.zero_grad()
            loss_function(model(x), y).backward()
            update.step()

        return run

    return workload


def inference(t):
    model, x, _ = network(t)
    one = x[:1]

    def run():
        with t.no_grad():
            model(one)

    return run


if __name__ == "__main__":
    pairs.main(
        __file__,
        {
            "W2 step, SGD": training(lambda t, parameters: t.optim.SGD(parameters, lr=0.01)),
            "step, Adam": training(lambda t, parameters: t.optim.Adam(parameters, lr=1e-3)),
            "W12 inference of one": inference,
        },
        seconds=0.1,
    )
