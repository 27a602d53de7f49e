"""The command line: ``python -m tinygrad_edu demo``."""

from __future__ import annotations

from ._cli import main

if __name__ == "__main__":
    raise SystemExit(main())
