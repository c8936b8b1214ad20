"""The outbox emptied: claim, look again, send, record, each a transaction of its own and none open during SMTP."""

from __future__ import annotations

import random
import time
import zlib
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog
from sqlalchemy.orm import Session

from monitor.core.address import address_key, domain_of
from monitor.core.delivery import (
    ABOUT_THE_RELAY,
    GIVE_UP_AFTER,
    Envelope,
    NoticeKind,
    Outcome,
    Verdict,
    is_the_domains,
    judge,
    wait_before_next,
)
from monitor.errors import MailUnavailable, MessageRefused, MonitorError
from monitor.mail.bounces import envelope_id, return_path
from monitor.mail.headers import address_on_the_wire
from monitor.mail.message import Marks, splice
from monitor.services.ports import Clock, MailTransport
from monitor.services.suppressing import weigh
from monitor.storage import bounces, deliveries
from monitor.storage.deliveries import Claimed, Outbox
from monitor.storage.engine import Database

_log = structlog.get_logger()
_KEPT_TEMPLATES = 8


@dataclass(frozen=True, slots=True)
class Rules:
    """How long things last. `lease` outlasts a batch, `cool_down` the longest wait for the reply to a dot."""

    lease: timedelta = timedelta(minutes=15)
    cool_down: timedelta = timedelta(minutes=15)
    give_up_after: timedelta = GIVE_UP_AFTER
    batch: int = 20
    breaker_after: int = 10
    breaker_rest: timedelta = timedelta(hours=1)
    lost_in_a_row: int = 2


@dataclass(slots=True)
class DeliveryReport:
    """What one run did. `stopped` says why it ended before the outbox was empty; `problems` name each failure."""

    sent: int = 0
    retried: int = 0
    failed: int = 0
    cancelled: int = 0
    doubtful: int = 0
    resent: int = 0
    stopped: str | None = None
    problems: list[str] = field(default_factory=list)

    @property
    def tried(self) -> int:
        """How many letters were offered to the relay."""
        return self.sent + self.retried + self.failed + self.doubtful


@dataclass(frozen=True, slots=True)
class _Ended:
    """What one letter means for those after it.

    `lost`: the conversation broke off. `refusing`: the domain that refuses us, whose letters wait until `until`.
    """

    delivery: int
    until: datetime
    lost: bool = False
    refusing: str | None = None


class _TakenOver(Exception):
    """Another worker holds the delivery by now; the mail was not finished."""


def _never() -> bool:
    return False


class Delivering:
    """Sends what is due. Several may run at once on one database; each needs a transport of its own.

    `domain` is that of the sender's address, where bounces go; `secret` proves them; `owner` names the worker.
    """

    def __init__(
        self,
        database: Database,
        transport: MailTransport,
        clock: Clock,
        *,
        secret: bytes,
        domain: str,
        owner: str,
        rules: Rules | None = None,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._database = database
        self._transport = transport
        self._clock = clock
        self._secret = secret
        self._domain = address_on_the_wire(f"postmaster@{domain}").rpartition("@")[2]
        self._owner = owner
        self._rules = rules or Rules()
        self._jitter = jitter
        self._templates: OrderedDict[int, bytes] = OrderedDict()

    def outbox(self) -> Outbox:
        """Count the outbox."""
        with self._database.read() as session:
            return deliveries.outbox(session, self._clock.now())

    def run(self, limit: int | None = None, stop: Callable[[], bool] = _never) -> DeliveryReport:
        """Deliver what is due, at most `limit` letters; `stop` is asked between letters.

        A relay out of reach or refusing us ends the run and is named in the report; nothing is lost by it.
        """
        report = DeliveryReport()
        report.stopped = self._breaker()
        if report.stopped is not None:
            return report
        self._give_up_doubts(report)
        lost = 0
        refusing: str | None = None
        try:
            while report.stopped is None and not stop():
                room = self._rules.batch if limit is None else min(self._rules.batch, limit - report.tried)
                claims = self._claim(room) if room > 0 else []
                if not claims:
                    break
                left = list(claims)
                try:
                    while left and report.stopped is None and not stop():
                        ended = self._deliver(left.pop(0), report)
                        lost = lost + 1 if ended is not None and ended.lost else 0
                        if ended is not None:
                            if ended.refusing is not None:
                                left = self._hold_up(ended.refusing, ended, left, report)
                                if refusing not in (None, ended.refusing) and report.stopped is None:
                                    report.stopped = f"two domains in a row refuse us: {refusing} and {ended.refusing}"
                            refusing = ended.refusing
                        if lost >= self._rules.lost_in_a_row and report.stopped is None:
                            report.stopped = "the relay broke off several conversations in a row"
                finally:
                    self._release(left)
        finally:
            self._transport.close()
        return report

    def send(self, limit: int | None = None, stop: Callable[[], bool] = _never) -> DeliveryReport:
        """Run, and raise MailUnavailable if the relay ended it before anything could be sent."""
        report = self.run(limit, stop)
        if report.stopped is not None and not report.sent:
            raise MailUnavailable(f"{report.stopped}; letters wait and are tried again")
        return report

    def _claim(self, limit: int) -> list[Claimed]:
        now = self._clock.now()
        with self._database.write() as session:
            return deliveries.claim(session, self._owner, now, now + self._rules.lease, limit)

    def _release(self, claims: Sequence[Claimed]) -> None:
        if not claims:
            return
        try:
            with self._database.write() as session:
                deliveries.release(session, claims)
        except MonitorError as error:
            # Whatever else ended the run goes on its way; the leases run out by themselves.
            _log.warning(
                "claims not given back; they wait for their lease to end",
                deliveries=[each.id for each in claims],
                reason=str(error),
            )

    def _hold_up(self, domain: str, ended: _Ended, claims: Sequence[Claimed], report: DeliveryReport) -> list[Claimed]:
        """Let all letters to a domain wait that refuses us, and return the claims that are for others.

        When the letter that asked for all has done so long enough, those that waited with it are given up too;
        otherwise each would begin three days of its own.
        """
        theirs = [each for each in claims if domain_of(each.address) == domain]
        now = self._clock.now()
        given_up, why = list[int](), ""
        with self._database.write() as session:
            deliveries.release(session, theirs)
            since = deliveries.refused_since(session, ended.delivery)
            if since is not None and now - since >= self._rules.give_up_after:
                why = f"{domain} has refused us since {since:%Y-%m-%d %H:%M} UTC"
                given_up = deliveries.give_up_domain(session, domain, since, why)
            waiting = deliveries.postpone_domain(session, domain, ended.until)
        report.failed += len(given_up)
        report.problems += [f"delivery {each}: {why}" for each in given_up]
        _log.warning(
            "a domain refuses us; its letters wait", waiting=waiting, given_up=given_up, until=ended.until.isoformat()
        )
        return [each for each in claims if each not in theirs]

    def _deliver(self, claimed: Claimed, report: DeliveryReport) -> _Ended | None:
        """Send one letter and record the outcome; None if it was not offered to the relay."""
        with self._database.connection() as connection:
            standing = deliveries.standing(connection, claimed, address_key(claimed.address))
        if not standing.ours:
            return None
        if standing.obstacle is not None:
            now = self._clock.now()
            with self._database.write() as session:
                deliveries.settle(session, claimed, "cancelled", now, tried=False, error=standing.obstacle)
            report.cancelled += 1
            return None
        try:
            message = splice(
                self._template(claimed.issue_id),
                Marks(claimed.address, claimed.token, claimed.message_id, claimed.dated_at),
            )
        except MessageRefused as error:
            with self._database.write() as session:
                deliveries.settle(session, claimed, "failed", self._clock.now(), error=str(error))
            report.failed += 1
            report.problems.append(f"{claimed.address}: {error}")
            return None
        return self._hand_over(claimed, message, report)

    def _hand_over(self, claimed: Claimed, message: bytes, report: DeliveryReport) -> _Ended | None:
        envelope = Envelope(
            sender=return_path(self._secret, claimed.id, self._domain),
            recipient=claimed.address,
            envid=envelope_id(self._secret, claimed.id),
            message_id=claimed.message_id,
        )
        checksum = zlib.crc32(message)
        if claimed.checksum not in (None, checksum):
            _log.warning("this try's bytes differ from the first one's", delivery=claimed.id)

        def before_dot() -> None:
            until = self._clock.now() + self._rules.cool_down
            with self._database.connection(write=True) as connection:
                if not deliveries.mark_in_doubt(connection, claimed, until, checksum):
                    raise _TakenOver

        started_at, started = self._clock.now(), time.monotonic()
        try:
            outcome = self._transport.send(envelope, message, before_dot)
        except _TakenOver:
            _log.warning("another worker has taken the delivery over", delivery=claimed.id)
            return None
        seconds = time.monotonic() - started
        verdict = judge(outcome)
        later = self._record(claimed, verdict, outcome, started_at, seconds, report)
        if verdict is Verdict.OURS and is_the_domains(outcome.phase):
            return _Ended(claimed.id, later, refusing=domain_of(claimed.address))
        lost = verdict is Verdict.IN_DOUBT or (verdict is Verdict.RETRY and outcome.code is None)
        return _Ended(claimed.id, later, lost=lost)

    def _record(
        self,
        claimed: Claimed,
        verdict: Verdict,
        outcome: Outcome,
        started_at: datetime,
        seconds: float,
        report: DeliveryReport,
    ) -> datetime:
        """Write down how a try ended, and return when the next one may be."""
        now = self._clock.now()
        later = now + wait_before_next(claimed.tries + 1, self._jitter())
        if verdict is Verdict.SENT:
            with self._database.connection(write=True) as connection:
                deliveries.add_attempt(connection, claimed, verdict, outcome, started_at, seconds)
                deliveries.settle(connection, claimed, "sent", now)
            report.sent += 1
            report.resent += claimed.doubts > 0
            return now
        reason = _said(outcome)
        failed = False
        with self._database.write() as session:
            deliveries.add_attempt(session, claimed, verdict, outcome, started_at, seconds)
            if verdict is Verdict.IN_DOUBT:
                until = now + self._rules.cool_down
                deliveries.settle(session, claimed, "in_doubt", now, next_at=until, error=reason)
            elif verdict in (Verdict.HARD, Verdict.REFUSED) or self._too_old(session, claimed, now):
                failed = True
                deliveries.settle(session, claimed, "failed", now, error=reason)
                self._weigh(session, claimed, verdict, outcome, now)
            else:
                deliveries.settle(session, claimed, "queued", now, next_at=later, error=reason)
        if verdict is Verdict.IN_DOUBT:
            report.doubtful += 1
        elif failed:
            report.failed += 1
        else:
            report.retried += 1
        report.problems.append(f"{claimed.address}: {reason}")
        _log.warning(
            "letter not delivered",
            delivery=claimed.id,
            verdict=verdict.value,
            failed=failed,
            phase=outcome.phase,
            code=outcome.code,
            status=outcome.enhanced,
            **_cause(outcome),
        )
        if verdict is Verdict.AWAY or (verdict is Verdict.OURS and not is_the_domains(outcome.phase)):
            report.stopped = reason
        return later

    def _weigh(self, session: Session, claimed: Claimed, verdict: Verdict, outcome: Outcome, now: datetime) -> None:
        """Let a refusal count against the address, where it is about the address."""
        if verdict is Verdict.HARD:
            kind = NoticeKind.HARD
        elif verdict is Verdict.FULL or (verdict is Verdict.REFUSED and outcome.phase == "rcpt"):
            kind = NoticeKind.SOFT
        else:
            return
        bounces.keep_notice(
            session,
            at=now,
            kind=kind,
            fingerprint=f"smtp:{claimed.id}:{claimed.fence}",
            address_key=address_key(claimed.address),
            delivery_id=claimed.id,
            status=outcome.enhanced,
            text=outcome.text,
        )
        weigh(session, kind, claimed.id, claimed.person_id, claimed.address, outcome.text, now)

    def _too_old(self, session: Session, claimed: Claimed, now: datetime) -> bool:
        first = deliveries.first_attempt_at(session, claimed.id)
        return first is not None and now - first >= self._rules.give_up_after

    def _give_up_doubts(self, report: DeliveryReport) -> None:
        now = self._clock.now()
        with self._database.write() as session:
            given_up = deliveries.give_up_doubts(session, now)
        report.failed += len(given_up)
        report.problems += [f"delivery {each}: {deliveries.DOUBTED_TWICE}" for each in given_up]

    def _breaker(self) -> str | None:
        """Refusals of us, and nothing else, so many times in a row: leave the relay alone for a while.

        One domain that refuses us says nothing about the relay, however often it does.
        """
        with self._database.read() as session:
            latest = deliveries.latest_attempts(session, self._rules.breaker_after)
        if len(latest) < self._rules.breaker_after or any(each.verdict is not Verdict.OURS for each in latest):
            return None
        refusing = {domain_of(each.address) if is_the_domains(each.phase) else None for each in latest}
        if None not in refusing and len(refusing) == 1:
            return None
        until = latest[0].at + self._rules.breaker_rest
        if self._clock.now() >= until:
            return None
        return (
            f"the relay refused us {len(latest)} times in a row; the next try is at {until:%H:%M} UTC. "
            "Check the mail URL, the sender address and what the relay says in `monitor doctor`"
        )

    def _template(self, issue_id: int) -> bytes:
        found = self._templates.get(issue_id)
        if found is None:
            with self._database.read() as session:
                found = deliveries.template_of(session, issue_id)
            self._templates[issue_id] = found
            if len(self._templates) > _KEPT_TEMPLATES:
                self._templates.popitem(last=False)
        return found


def _cause(outcome: Outcome) -> dict[str, str]:
    """Return what a log may say beside phase and codes.

    A reply may name the reader or the proven return path, so its text stays in the attempt. Where the relay gave
    none and had heard no address yet, the words are ours and hold none.
    """
    if outcome.code is None and outcome.text is not None and outcome.phase in ABOUT_THE_RELAY:
        return {"reason": outcome.text}
    return {}


def _said(outcome: Outcome) -> str:
    words = [f"{outcome.phase}:"]
    if outcome.code is not None:
        words.append(str(outcome.code))
    if outcome.enhanced is not None and (outcome.code is None or outcome.enhanced not in (outcome.text or "")):
        words.append(outcome.enhanced)
    words.append(outcome.text or "no reason given")
    return " ".join(words)
