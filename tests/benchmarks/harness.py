"""Pairs of timings and the rows that `make bench` prints."""

from __future__ import annotations

import gc
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """One line of the report; `ok` is None where a row only sizes things."""

    what: str
    measured: str
    target: str = ""
    ok: bool | None = None


def cpu_seconds(action: Callable[[], object]) -> float:
    """CPU seconds of this process for one call."""
    gc.collect()
    before = time.process_time()
    action()
    return time.process_time() - before


def paired_ratio(ours: Callable[[], object], peer: Callable[[], object], rounds: int = 3) -> tuple[float, float, float]:
    """Run both in turn; return the median of peer/ours and both medians in CPU seconds."""
    ratios, mine, theirs = [], [], []
    ours()
    for _ in range(rounds):
        a, b = cpu_seconds(ours), cpu_seconds(peer)
        ratios.append(b / a)
        mine.append(a)
        theirs.append(b)
    return statistics.median(ratios), statistics.median(mine), statistics.median(theirs)


def peak_memory_of(code: str, *arguments: str) -> float:
    """Peak resident memory in MB of a fresh Python process running `code`."""
    # Linux hands ru_maxrss of the parent down through exec; the high-water mark of the new image is VmHWM.
    tail = """
from pathlib import Path as _P
if _P("/proc/self/status").exists():
    print(next(line.split()[1] for line in _P("/proc/self/status").open() if line.startswith("VmHWM")))
else:
    import resource as _r
    print(_r.getrusage(_r.RUSAGE_SELF).ru_maxrss)
"""
    done = subprocess.run([sys.executable, "-c", code + tail, *arguments], check=True, capture_output=True, text=True)
    kilobytes = int(done.stdout.strip().splitlines()[-1])
    return kilobytes / (1024 if sys.platform != "darwin" else 1024 * 1024)


def peak_memory_here() -> float:
    """Peak resident memory of this process so far, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
