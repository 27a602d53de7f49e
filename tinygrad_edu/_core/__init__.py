"""The machine: records steps, walks them backwards. Knows neither Tensor nor any operation, and no NumPy."""
