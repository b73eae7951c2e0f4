"""The command line: `millstream …` or `python -m millstream …`."""

from __future__ import annotations

import sys

from millstream._load import core


def main() -> int:
    """What the program `millstream` does; returns its exit code."""
    return core.run_program(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
