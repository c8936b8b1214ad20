"""Failed tries counted in the database, so that every process and every restart knows of them."""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from monitor.core.accounts import REMEMBERED, Throttle
from monitor.storage import accounts


@dataclass(frozen=True, slots=True)
class Tries:
    """What is counted under a hash: tries of a kind for an account, known or not, or from a network address."""

    throttle: Throttle
    kind: str
    name: str

    @property
    def key(self) -> bytes:
        return hashlib.sha256(f"{self.kind}\0{self.name}".encode("utf-8", "surrogatepass")).digest()


def spend(session: Session, tries: Collection[Tries], now: datetime) -> timedelta:
    """Count one try of each, or say how long to wait first: then nothing is counted, or the wait would never end."""
    accounts.lock_tries(session)
    found = [(each, accounts.tries(session, each.key, now - REMEMBERED)) for each in tries]
    wait = max((each.throttle.wait(held.number, held.last, now) for each, held in found), default=timedelta())
    if not wait:
        accounts.add_tries(session, [each.key for each in tries], now)
    return wait
