"""Every primitive operation: its forward and its gradient formulas side by side."""
