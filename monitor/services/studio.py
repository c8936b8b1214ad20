"""The digest studio: what would be sent and to whom, a test of it, the outbox, and addresses that mail cannot reach."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from email import message_from_bytes
from zoneinfo import ZoneInfo

from monitor.core.address import read_address
from monitor.core.delivery import Envelope, Fate, Verdict, judge
from monitor.core.people import Actor, Subscription
from monitor.errors import MailUnavailable, MonitorError, NotFound, UsageError
from monitor.mail.message import TOKEN_MARK
from monitor.mail.render import encoded_size, preheader
from monitor.services.ports import Clock, MailTransport
from monitor.services.publishing import Planned, Publishing
from monitor.storage import bounces, events, outbox, people
from monitor.storage.engine import Database

PAUSED = "paused by an admin after mail to it came back"
NOBODY = "sample-of-the-studio"
"""A token that leaves for nobody."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of subscription: what its readers share that decides what they are told; named by one of them."""

    example: Subscription
    readers: int


@dataclass(frozen=True, slots=True)
class Preview:
    """An issue as it would be sent. `html` and `text` are, octet for octet, the parts that this reader would get."""

    planned: Planned
    html: str
    text: str
    preheader: str
    octets: int
    address: str | None


@dataclass(frozen=True, slots=True)
class Delivery:
    """One letter of the outbox with every try."""

    line: outbox.Line
    attempts: tuple[outbox.Tried, ...]


class NotTaken(MonitorError):
    """The relay refuses this mail or its address for good; nothing was sent."""


class Studio:
    """Shows and tries what publishing makes; changes only what a person asks for, each with its event."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        publishing: Publishing,
        transport: Callable[[], MailTransport],
        sender: str,
        zone: ZoneInfo,
    ) -> None:
        self._database = database
        self._clock = clock
        self._publishing = publishing
        self._transport = transport
        self._sender = sender
        self._zone = zone

    def kinds(self) -> list[Kind]:
        """Return the kinds of subscription there are, the commonest first."""
        found: dict[object, list[Subscription]] = {}
        with self._database.read() as session:
            for held, _address in people.living(session):
                topics = tuple(each.topic for each in held.topics if not each.retired)
                if topics:
                    found.setdefault((topics, held.level_floor, held.language, held.card_limit), []).append(held)
        return sorted((Kind(each[0], len(each)) for each in found.values()), key=lambda kind: -kind.readers)

    def preview(self, address: str | None = None, kind: int | None = None, on: date | None = None) -> Preview:
        """Show what a person would get, else a new reader of a kind, else a new reader of everything; see `publishing`.

        The link to leave is the person's own, so that not one octet differs from what is sent; else it is nobody's.
        """
        planned = self._plan(address, kind, on, test=False)
        token = planned.due[0].subscription.token if address is not None else ""
        letter = planned.letter
        html, text = (part.replace(TOKEN_MARK, token or NOBODY) for part in (letter.html, letter.text))
        return Preview(
            planned,
            html,
            text,
            preheader(planned.contents),
            encoded_size(letter.html),
            address,
        )

    def send_test(
        self, to: str, actor: Actor, address: str | None = None, kind: int | None = None, on: date | None = None
    ) -> None:
        """Send what `preview` shows to an address, marked as a test; nothing counts as sent.

        Raises MailUnavailable, or NotTaken.
        """
        read = read_address(to)
        message = self._publishing.sample(self._plan(address, kind, on, test=True), read.text)
        send_one(self._transport, self._sender, read.text, message)
        with self._database.write() as session:
            told = {"to": read.text, "as": address, "on": on.isoformat() if on is not None else None}
            events.record(session, actor, "digest.test", f"address:{read.key}", self._clock.now(), after=told)

    def letters(self, state: str | None = None, before: int | None = None) -> list[outbox.Line]:
        """Return a page of deliveries, the newest first."""
        if state is not None and state not in outbox.STATES:
            raise UsageError(f"no delivery is {state!r}; states are {', '.join(outbox.STATES)}")
        with self._database.read() as session:
            return outbox.page(session, state, before)

    def counts(self) -> dict[str, int]:
        with self._database.read() as session:
            return outbox.counts(session)

    def delivery(self, number: int) -> Delivery:
        """Return one delivery with its tries; raises NotFound."""
        with self._database.read() as session:
            line = outbox.one(session, number)
            if line is None:
                raise NotFound(f"there is no delivery {number}")
            return Delivery(line, tuple(outbox.attempts(session, number)))

    def hurry(self, number: int, actor: Actor) -> None:
        """Let a letter go at the next turn of the worker that would wait longer; raises UsageError where it does not wait.

        What has failed is not sent again: its papers are in the reader's next issue, and would come twice.
        """
        now = self._clock.now()
        with self._database.write() as session:
            line = outbox.one(session, number)
            if line is None:
                raise NotFound(f"there is no delivery {number}")
            if not outbox.hurry(session, number, now):
                raise UsageError(f"delivery {number} does not wait for another try: it is {line.state}")
            before, after = {"next_at": line.next_at.isoformat()}, {"next_at": now.isoformat()}
            events.record(session, actor, "delivery.hurry", f"delivery:{number}", now, before, after)

    def monday(self) -> datetime:
        """Return when this week began here."""
        today = self._clock.now().astimezone(self._zone).date()
        return datetime.combine(today - timedelta(days=today.weekday()), time(), self._zone).astimezone(UTC)

    def bounced(self) -> list[outbox.Bounced]:
        """Return the addresses from which mail came back since Monday and that still get mail."""
        with self._database.read() as session:
            return outbox.bounced(session, self.monday())

    def stopped(self) -> list[outbox.Stopped]:
        """Return the addresses that get no mail."""
        with self._database.read() as session:
            return outbox.stopped(session)

    def pause(self, keys: Sequence[str], actor: Actor) -> int:
        """Stop mail to those of these addresses from which mail came back since Monday; returns how many."""
        now, since = self._clock.now(), self.monday()
        with self._database.write() as session:
            chosen = [each for each in outbox.bounced(session, since) if each.key in set(keys)]
            deeds = []
            for each in chosen:
                if bounces.suppress(session, each.key, PAUSED, each.text, now):
                    deeds.append(events.Deed(f"person:{each.person_id}", after={"reason": PAUSED, "text": each.text}))
            events.record_each(session, actor, "suppression.add", deeds, now)
        return len(deeds)

    def _plan(self, address: str | None, kind: int | None, on: date | None, *, test: bool) -> Planned:
        like = None
        if address is None and kind is not None:
            like = next((each.example for each in self.kinds() if each.example.id == kind), None)
            if like is None:
                raise NotFound("nobody has a subscription of that kind any more")
        planned = self._publishing.preview(address, on, like=like, test=test)
        if address is not None and not planned.due[0].subscription.id:
            raise NotFound(f"{address} receives no digest")
        return planned


def send_one(transport: Callable[[], MailTransport], sender: str, to: str, message: bytes) -> None:
    """Hand one mail to the relay now, outside the outbox; raises where it is not taken."""
    envelope = Envelope(sender, to, "test", str(message_from_bytes(message)["Message-ID"]))
    way = transport()
    try:
        outcome = way.send(envelope, message, lambda: None)
    finally:
        way.close()
    if outcome.fate is not Fate.SENT:
        why = f"the test was not accepted ({outcome.phase}): {outcome.text or outcome.code or outcome.fate}"
        raise NotTaken(why) if judge(outcome) in (Verdict.HARD, Verdict.REFUSED) else MailUnavailable(why)
