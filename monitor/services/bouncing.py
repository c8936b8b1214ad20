"""What comes back: notices read, proven, kept once, and acted on."""

from __future__ import annotations

from dataclasses import dataclass

import structlog

from monitor.core.address import address_key
from monitor.core.delivery import NoticeKind
from monitor.mail.bounces import Notice, read_notice
from monitor.services.ports import Clock
from monitor.services.suppressing import weigh
from monitor.storage import bounces
from monitor.storage.engine import Database

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Received:
    """What became of a notice. `delivery_id` is None when it could not be tied to any delivery."""

    kind: NoticeKind
    delivery_id: int | None
    address: str | None
    suppressed: bool
    known: bool
    summary: str


class Bouncing:
    """Takes messages that came back, from a pipe or a mailbox. The same one twice changes nothing the second time."""

    def __init__(self, database: Database, clock: Clock, *, secret: bytes) -> None:
        self._database = database
        self._clock = clock
        self._secret = secret

    def receive(self, octets: bytes) -> Received:
        """Read one message and do what it calls for, in one transaction.

        Raises UsageError for what is no mail message. A wrong MAC, an automatic reply, a delay and a refusal that is
        about us never close an address.
        """
        notice = read_notice(octets, self._secret)
        if notice.forged:
            _log.warning("notice with a wrong signature ignored", kind=notice.kind.value)
            return Received(notice.kind, None, None, False, False, "ignored: its signature is not ours")
        now = self._clock.now()
        with self._database.write() as session:
            about = bounces.about(session, notice.delivery_id, notice.message_id)
            new = bounces.keep_notice(
                session,
                at=now,
                kind=notice.kind,
                fingerprint=notice.fingerprint,
                address_key=address_key(about.address) if about is not None else None,
                delivery_id=about.id if about is not None else None,
                status=notice.status,
                text=notice.text,
            )
            if about is None:
                return Received(notice.kind, None, None, False, not new, "kept: it names no delivery of ours")
            if not new:
                return Received(notice.kind, about.id, about.address, False, True, "known already")
            if notice.kind.did_not_arrive:
                bounces.mark_undelivered(session, about.id, _why(notice))
            elif notice.kind is NoticeKind.DELIVERED:
                bounces.mark_arrived(session, about.id, now)
            closed = weigh(session, notice.kind, about.id, about.person_id, about.address, notice.text, now)
        if notice.kind is NoticeKind.POLICY:
            # The text may name the reader; it is kept with the notice.
            _log.error("a receiver refuses our mail", delivery=about.id, status=notice.status)
        return Received(notice.kind, about.id, about.address, closed, False, _summary(notice, closed))


def _why(notice: Notice) -> str:
    return " ".join(part for part in (f"{notice.kind.value} bounce:", notice.status, notice.text) if part)


def _summary(notice: Notice, closed: bool) -> str:
    if closed:
        return f"{notice.kind.value}: no more mail goes to this address"
    return {
        NoticeKind.HARD: "hard: this address gets no mail already",
        NoticeKind.SOFT: "soft: counted",
        NoticeKind.POLICY: "policy: the receiver refuses us, not the address; see `monitor doctor`",
        NoticeKind.COMPLAINT: "complaint: this address gets no mail already",
        NoticeKind.DELAYED: "delayed: the relay is still trying",
        NoticeKind.DELIVERED: "delivered",
        NoticeKind.AUTO_REPLY: "automatic reply: never counts",
        NoticeKind.UNKNOWN: "kept: what it says could not be made out",
    }[notice.kind]
