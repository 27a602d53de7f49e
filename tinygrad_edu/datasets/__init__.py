"""Data that is there at once: two small classics inside the package, and four generators.

Iris and Digits are datasets for a `DataLoader`; ``.data`` and ``.targets`` are whole tensors. The generators return
two tensors ``x, y`` and draw from the default random generator, or from ``generator``.
"""

from ._embedded import Digits, Iris
from ._generated import moons, parabola, spiral, xor

__all__ = ["Digits", "Iris", "moons", "parabola", "spiral", "xor"]
