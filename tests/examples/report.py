"""The closing lines of a run: how many printed numbers were compared with torch's, and whether MNIST was checked.

Tests hand their findings over with ``record_property``, which reaches the printing process from workers too.
"""

from __future__ import annotations

import pytest

COMPARED = "numbers compared with torch"
PARTED = "compared up to"
MNIST = "mnist"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if getattr(terminalreporter.config, "_examples_reported", False):  # two conftest files may hand this hook on
        return
    terminalreporter.config._examples_reported = True
    findings = [
        finding
        for test in terminalreporter.stats.get("passed", [])
        if test.when == "call" and "tests/examples/" in test.nodeid
        for finding in test.user_properties
    ]
    compared = sum(value for name, value in findings if name == COMPARED)
    if compared:
        terminalreporter.write_line(f"examples: {compared} printed numbers agree with torch")
    for name, value in findings:
        if name == PARTED:
            terminalreporter.write_line(f"examples: {value}")
    checked = any(name == MNIST for name, _ in findings)
    terminalreporter.write_line("MNIST: checked" if checked else "MNIST: NOT CHECKED (no data)")
