"""How fast a client may ask, and how fast the line answers."""

from __future__ import annotations

import time
from collections import defaultdict, deque
from dataclasses import dataclass
from threading import Lock


@dataclass(frozen=True, slots=True)
class Violation:
    """One request above the limit: when (monotonic), whose window, the how-many-th in it, of how many allowed."""

    at: float
    who: str
    count: int
    limit: int


class RateLimit:
    """A sliding window for each client: 3 requests a second for an address, 10 for a key (NBK25497).

    Every request counts, refused ones too, from whatever connection, thread or process. `retry_after` is what the
    refusal says in its header; None leaves the header out.
    """

    def __init__(
        self, without_key: int = 3, with_key: int = 10, window: float = 1.0, retry_after: str | None = "2"
    ) -> None:
        self.retry_after = retry_after
        self.without_key = without_key
        self.with_key = with_key
        self.window = window
        self.violations: list[Violation] = []
        self._seen: dict[str, deque[float]] = defaultdict(deque)
        self._lock = Lock()

    def count(self, who: str, keyed: bool, at: float) -> tuple[int, int]:
        """Count a request; returns the number in the window, this one included, and the limit."""
        limit = self.with_key if keyed else self.without_key
        with self._lock:
            seen = self._seen[who]
            seen.append(at)
            while seen[0] <= at - self.window:
                seen.popleft()
            if len(seen) > limit:
                self.violations.append(Violation(at, "key" if keyed else who, len(seen), limit))
            return len(seen), limit


class Line:
    """One line of so many bytes a second, shared by all connections; None is as fast as the machine."""

    def __init__(self, bytes_per_second: float | None = None) -> None:
        self.bytes_per_second = bytes_per_second
        self._free_at = 0.0
        self._lock = Lock()

    def wait(self, size: int) -> None:
        """Sleep until the line has carried that many bytes after what others sent before."""
        if not self.bytes_per_second:
            return
        with self._lock:
            self._free_at = max(self._free_at, time.monotonic()) + size / self.bytes_per_second
            until = self._free_at
        time.sleep(max(0.0, until - time.monotonic()))
