"""Whether a pattern somebody typed could hold everything up, tried in a process of its own that can be stopped.

A regular expression may take exponential time on an unlucky text, and Python cannot interrupt one. So new patterns are
held against texts made to be unlucky for them before they are held against papers. This file is also what that process
runs; it needs nothing but the standard library.
"""

from __future__ import annotations

import json
import math
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence

try:
    import resource
except ImportError:  # not on Windows; there only the clock stops the process
    resource = None  # type: ignore[assignment]

LENGTH = 20_000
"""Characters of an unlucky text: as long as the longest text patterns are held against (`core.patterns.TEXT_MAX`)."""
SLOW = 0.5
"""Seconds that one such text may take; an abstract is ten times shorter."""
PATIENCE = 1
"""Seconds of work after which the process is stopped; on a busy machine they take longer by the clock."""
_ROUNDS = 4


def slow(patterns: Sequence[tuple[str, bool]]) -> list[str]:
    """Return those patterns that take too long. Each comes with whether case counts."""
    found: list[str] = []
    left = list(patterns)
    for _ in range(_ROUNDS):
        if not left:
            break
        done, slow_ones = _try(left)
        found += slow_ones
        if done >= len(left):
            break
        # The process was stopped in the middle of this one; the others have not been tried yet.
        found.append(left[done][0])
        left = left[done + 1 :]
    return list(dict.fromkeys(found))


def _try(patterns: Sequence[tuple[str, bool]]) -> tuple[int, list[str]]:
    """Run the process; return how many patterns it came through, and those it found slow."""
    seconds = math.ceil(PATIENCE + 0.1 * len(patterns))
    command = [sys.executable, "-I", __file__, str(seconds)]
    try:
        ran = subprocess.run(  # noqa: S603  our own file by this Python; the patterns are its input
            command, input=json.dumps(list(patterns)).encode(), capture_output=True, timeout=10 * seconds, check=False
        )
        output = ran.stdout
        if ran.returncode > 0:
            raise RuntimeError(f"patterns could not be tried: {ran.stderr.decode(errors='replace')[-500:]}")
    except subprocess.TimeoutExpired as error:
        output = error.output or b""
    lines = output.decode().split()
    return len(lines), [patterns[at][0] for at, word in enumerate(lines) if word == "slow"]


def unlucky(pattern: str) -> Iterator[str]:
    """Yield texts made of what the pattern is made of, again and again, that end otherwise than it wants."""
    words = re.findall(r"[^\W_]+", re.sub(r"\\.", " ", pattern)) or ["a"]
    pieces = ["a", " ", "0", "a ", "aA0-", "word ", *words[:8], " ".join(words)[:60] + " "]
    pieces += [f"{word} " for word in words[:4]]
    for piece in dict.fromkeys(pieces):
        yield (piece * (LENGTH // len(piece) + 1))[: LENGTH - 1] + "\u00a7"


def main() -> None:
    """Try the patterns on standard input; write `fine` or `slow` for each as soon as it is known."""
    if resource is not None:
        seconds = int(sys.argv[1])
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    for pattern, cased in json.loads(sys.stdin.buffer.read()):
        regex = re.compile(pattern, 0 if cased else re.IGNORECASE)
        longest = 0.0
        for text in unlucky(pattern):
            started = time.process_time()
            for _ in regex.finditer(text):
                pass
            longest = max(longest, time.process_time() - started)
        sys.stdout.write("slow\n" if longest > SLOW else "fine\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
