"""The tests of tinygrad_edu; they mirror the tree of the package."""
