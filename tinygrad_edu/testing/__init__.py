"""Check gradients and compare engines: the op table, the strategies that draw its cases, and the conformance suite."""
