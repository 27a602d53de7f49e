"""Tools beside the layers: ``utils.data`` feeds a network with batches."""

from . import data

__all__ = ["data"]
