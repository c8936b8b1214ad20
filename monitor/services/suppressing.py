"""Closing addresses that mail cannot or must not reach; the step that relay refusals and notices share."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from monitor.core.address import address_key
from monitor.core.delivery import NoticeKind
from monitor.core.people import Actor
from monitor.storage import bounces, events

SOFT_BOUNCES_IN_A_ROW = 4
"""One point an issue. Points that go stale after a week, as list servers have them, never add up on a weekly mail."""

MAILER = Actor("mail delivery", "system")

_REASONS = {
    NoticeKind.HARD: "hard bounce: there is no such address",
    NoticeKind.COMPLAINT: "complaint: the reader marked our mail as junk",
    NoticeKind.SOFT: f"soft bounces: {SOFT_BOUNCES_IN_A_ROW} issues in a row did not arrive",
}


def weigh(
    session: Session, kind: NoticeKind, delivery_id: int, person_id: int, address: str, text: str | None, now: datetime
) -> bool:
    """Close the address if this failure is reason enough; True if it was open until now."""
    if kind not in _REASONS:
        return False
    if kind is NoticeKind.SOFT:
        points = bounces.soft_in_a_row(session, delivery_id, person_id, SOFT_BOUNCES_IN_A_ROW)
        if points < SOFT_BOUNCES_IN_A_ROW:
            return False
    closed = bounces.suppress(session, address_key(address), _REASONS[kind], text, now)
    if closed:
        after = {"reason": _REASONS[kind], "text": text}
        events.record(session, MAILER, "suppression.add", f"person:{person_id}", now, after=after)
    return closed
