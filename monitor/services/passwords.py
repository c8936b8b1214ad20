"""Passwords hashed and checked with argon2id, few at once: each takes 64 MB and most of a core."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import NamedTuple

from pwdlib import PasswordHash

from monitor.core.passwords import LONGEST, normal
from monitor.errors import Busy


class Checked(NamedTuple):
    """Whether a password is right, and its hash by today's parameters where the one that is held is older."""

    right: bool
    renewed: str | None = None


class Passwords:
    """Hashes at most `at_once` passwords; who would wait longer than `patience` seconds hears Busy."""

    def __init__(self, hashing: PasswordHash | None = None, *, at_once: int = 2, patience: float = 5.0) -> None:
        self._hashing = hashing or PasswordHash.recommended()
        self._turns = threading.BoundedSemaphore(at_once)
        self._patience = patience

    def hash(self, password: str) -> str:
        with self._turn():
            return self._hashing.hash(_octets(normal(password)))

    def check(self, password: str, held: str | None) -> Checked:
        """Say whether a password belongs to a hash. Without a hash it takes as long, and is wrong."""
        given = normal(password)
        with self._turn():
            nobodys = self._nobodys  # made before it is known whether it is needed
            # Longer ones were never taken; a beginning of it is hashed all the same, and is wrong.
            right, renewed = self._hashing.verify_and_update(_octets(given[:LONGEST]), held or nobodys)
        known = right and held is not None and len(given) <= LONGEST
        return Checked(known, renewed if known else None)

    @cached_property
    def _nobodys(self) -> str:
        """A hash whose password nobody knows, checked for who is unknown or has no password yet."""
        return self._hashing.hash(secrets.token_bytes(32))

    @contextmanager
    def _turn(self) -> Iterator[None]:
        if not self._turns.acquire(timeout=self._patience):
            raise Busy("many people are signing in at this moment; nothing was changed, try again in a few seconds")
        try:
            yield
        finally:
            self._turns.release()


def _octets(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
