"""PyTorch under the conformance suite: ``python -m tinygrad_edu check --engine examples.adapters.torch_adapter:adapter``."""

from __future__ import annotations

import numpy as np
import torch

from tinygrad_edu.testing.adapter import Adapter, Function


class Torch(Adapter):
    """PyTorch itself; ``TorchLike("torch")`` does the same for any module with this interface."""

    name = "torch"
    orders = 3
    namespace = torch

    def tensor(self, array, requires_grad=False):
        if any(stride < 0 for stride in array.strides):  # torch has none
            array = array.copy()
        return torch.from_numpy(array).requires_grad_(requires_grad)

    def array(self, tensor):
        return tensor.numpy(force=True)

    def is_tensor(self, x):
        return isinstance(x, torch.Tensor)

    def differentiable(self, tensor):
        return tensor.requires_grad

    def backward(self, output, seed):
        output.backward(torch.from_numpy(np.asarray(seed)))

    def grad(self, tensor):
        return None if tensor.grad is None else tensor.grad.numpy()

    def gradients(self, function: Function, tensors, seeds):
        """Record the gradients, so that they can be differentiated: for the second and third order."""
        pairs = [(x, seed.to(x.dtype)) for x, seed in zip(function(*tensors), seeds, strict=True) if x.requires_grad]
        if not pairs:
            return [None] * len(tensors)
        results, weights = zip(*pairs, strict=True)
        again = any(seed.requires_grad for seed in seeds)
        return torch.autograd.grad(results, tensors, weights, create_graph=again, allow_unused=True)

    def overwrite(self, tensor, array):
        with torch.no_grad():
            tensor.copy_(torch.from_numpy(array))


adapter = Torch()
