"""The history server: sets of UIDs kept for a while under a WebEnv and a query key."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from threading import Lock


class HistoryError(Exception):
    """The set that was asked for is not there (any more); the text is what the client is told."""


class History:
    """Sets by WebEnv and key; an environment expires `lifetime` after its last use, by the sandbox's clock."""

    def __init__(self, now: Callable[[], datetime], lifetime: timedelta = timedelta(hours=8)) -> None:
        self.now = now
        self.lifetime = lifetime
        self._sets: dict[str, dict[int, tuple[int, ...]]] = {}
        self._used: dict[str, datetime] = {}
        self._made = 0
        self._lock = Lock()

    def put(self, ids: Sequence[int], env: str = "") -> tuple[str, int]:
        """Store a set in a new environment, or in the one named; returns (WebEnv, query key)."""
        with self._lock:
            if env:
                self._touch(env)
            else:
                self._made += 1
                env = "MCID_" + hashlib.sha256(f"{self.now()}{self._made}".encode()).hexdigest()[:24]
                self._sets[env] = {}
                self._used[env] = self.now()
            key = len(self._sets[env]) + 1
            self._sets[env][key] = tuple(ids)
            return env, key

    def get(self, env: str, key: str) -> list[int]:
        with self._lock:
            self._touch(env)
            number = int(key) if key.isascii() and key.isdigit() else 0
            if number not in self._sets[env]:
                raise HistoryError(f"Unable to obtain query #{key}")
            return list(self._sets[env][number])

    def _touch(self, env: str) -> None:
        now = self.now()
        if env not in self._sets or now - self._used[env] > self.lifetime:
            self._sets.pop(env, None)
            self._used.pop(env, None)
            raise HistoryError("Unable to obtain query #1: the WebEnv is unknown or has expired")
        self._used[env] = now

    def expire(self) -> None:
        """Forget every set at once."""
        with self._lock:
            self._sets.clear()
            self._used.clear()
