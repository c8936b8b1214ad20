"""Run every `bench_*.py` beside this file, or those whose names are given, and print one table."""

from __future__ import annotations

import importlib
import os
import platform
import sys
import time
from pathlib import Path

from tests.benchmarks.harness import Row


def main(wanted: list[str]) -> int:
    large = "--large" in wanted
    names = [name for name in wanted if not name.startswith("-")]
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores, {platform.system()} {platform.machine()}")
    missed = 0
    for path in sorted(Path(__file__).parent.glob("bench_*.py")):
        if names and path.stem.removeprefix("bench_") not in names:
            continue
        started = time.monotonic()
        module = importlib.import_module(f"tests.benchmarks.{path.stem}")
        print(f"\n{(module.__doc__ or path.stem).splitlines()[0]}", flush=True)
        row: Row
        for row in module.rows(large=large):
            mark = {True: "ok", False: "MISSED", None: ""}[row.ok]
            missed += row.ok is False
            print(f"  {row.what:<62} {row.measured:>24}  {row.target:<22} {mark}", flush=True)
        print(f"  ({time.monotonic() - started:.0f} s)")
    print(f"\n{missed} target(s) missed")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
