"""`monitor` and `python -m monitor`."""

from __future__ import annotations

import sys


def main() -> None:
    from monitor.cli import commands
    from monitor.cli.frame import run

    sys.exit(run(lambda: commands.app(standalone_mode=False)))


if __name__ == "__main__":
    main()
