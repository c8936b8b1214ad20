"""`monitor` and `python -m monitor`."""

from __future__ import annotations

import sys


def main() -> None:
    from monitor.cli.frame import run

    sys.exit(run(_command))


def _command() -> object:
    from monitor.cli import commands

    return commands.app(prog_name="monitor", standalone_mode=False)


if __name__ == "__main__":
    main()
