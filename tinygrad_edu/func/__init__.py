"""torch.func: functions that turn a function into another one: its gradient, its Jacobian, itself for a whole batch."""

__all__: list[str] = []
