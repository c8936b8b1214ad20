"""Whether the monitor does what it promised: facts in, findings out, each with what to do about it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from monitor.core.polling import left_out, phrases_in_words

POLL_OVERDUE = timedelta(hours=30)
HEARTBEAT_OVERDUE = timedelta(minutes=5)
MAIL_OVERDUE = timedelta(hours=2)
CLOCKS_APART = timedelta(minutes=5)
"""How far the clocks of machines may differ. What is dated later than this from now was written while one was wrong."""


class State(StrEnum):
    """FINE needs nothing; NOTE is worth knowing; WARNED wants a look; PROBLEM means that a promise is at risk."""

    FINE = "fine"
    NOTE = "note"
    WARNED = "warned"
    PROBLEM = "problem"


@dataclass(frozen=True, slots=True)
class Finding:
    what: str
    state: State
    text: str
    advice: str = ""


@dataclass(frozen=True, slots=True)
class LaneFacts:
    """What the polls of one lane came to. All but `last_success_at` is of the newest one that leaves no gap.

    `last_error` is None when that one succeeded; `missing` counts papers PubMed did not give, `refused` unreadable ones.
    """

    last_success_at: datetime | None = None
    last_error: str | None = None
    unknown_phrases: tuple[str, ...] = ()
    missing: int = 0
    refused: int = 0


@dataclass(frozen=True, slots=True)
class TopicFacts:
    """A topic's polls as stored: of the search that may reach digests, and of the wide one for curators, if any."""

    id: str
    title: str
    core: LaneFacts = LaneFacts()
    wide: LaneFacts | None = None


@dataclass(frozen=True, slots=True)
class Heartbeat:
    name: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Facts:
    """What the store says at one moment."""

    topics: tuple[TopicFacts, ...] = ()
    heartbeats: tuple[Heartbeat, ...] = ()
    subscriptions: int = 0
    digests_overdue: int = 0
    citations: int = 0
    provisional: int = 0
    deliveries: dict[str, int] = field(default_factory=dict)
    oldest_waiting_since: datetime | None = None
    last_mail_error: str | None = None
    suppressed: int = 0
    jobs_failed: tuple[str, ...] = ()
    damage: tuple[str, ...] = ()
    latest_moment: datetime | None = None
    """The latest moment at which anything stored says it happened."""


@dataclass(frozen=True, slots=True)
class Installation:
    """What the settings mean for health; plain values."""

    contact_known: bool
    mail_leaves: bool
    public_url: str
    storage_advice: str | None = None


def examine(facts: Facts, installation: Installation, now: datetime, *, expect_worker: bool = True) -> list[Finding]:
    """Return every finding, problems first."""
    findings = [
        *(Finding("database", State.PROBLEM, f"{each[0].upper()}{each[1:]}.") for each in facts.damage),
        *_clock(facts, now),
        *_settings(installation),
        *_polls(facts.topics, now, contact_known=installation.contact_known),
        *_worker(facts, now, expect_worker=expect_worker),
        *_digests(facts),
        *_mail(facts, now),
        *_library(facts),
    ]
    order = (State.PROBLEM, State.WARNED, State.NOTE, State.FINE)
    return sorted(findings, key=lambda finding: order.index(finding.state))


def headline(findings: Sequence[Finding]) -> str:
    problems = sum(finding.state is State.PROBLEM for finding in findings)
    if problems:
        return f"{problems} problem{'s' if problems > 1 else ''}"
    warned = sum(finding.state is State.WARNED for finding in findings)
    return f"Running, with {warned} thing{'s' if warned > 1 else ''} to look at" if warned else "Everything is running"


def report(findings: Sequence[Finding]) -> dict[str, object]:
    """Return findings for programs: `status` is problem or ok, `findings` stand worst first."""
    well = all(finding.state is not State.PROBLEM for finding in findings)
    return {
        "status": "ok" if well else "problem",
        "findings": [
            {"what": each.what, "state": each.state.value, "text": each.text, "advice": each.advice}
            for each in findings
        ],
    }


def ago(moment: datetime, now: datetime) -> str:
    """Say how long ago, in the largest unit that fits."""
    seconds = int((now - moment).total_seconds())
    if seconds < 0:
        return "in the future (is this machine's clock right?)"
    for unit, length in (("day", 86_400), ("hour", 3_600), ("minute", 60)):
        if seconds >= length:
            number = seconds // length
            return f"{number} {unit}{'s' if number > 1 else ''} ago"
    return "just now"


def _clock(facts: Facts, now: datetime) -> Iterator[Finding]:
    if facts.latest_moment is not None and facts.latest_moment > now + CLOCKS_APART:
        yield Finding(
            "clock",
            State.PROBLEM,
            f"Something is dated {facts.latest_moment:%Y-%m-%d %H:%M} UTC, but this machine's clock says "
            f"{now:%Y-%m-%d %H:%M} UTC: one of them is wrong.",
            "Set the clock. Searches and signs of life dated later than now count for nothing.",
        )


def _settings(installation: Installation) -> Iterator[Finding]:
    if not installation.contact_known:
        yield Finding(
            "contact address",
            State.PROBLEM,
            "PubMed is not asked.",
            "Set MONITOR_NCBI_EMAIL; NCBI wants to know whom to write to.",
        )
    if not installation.mail_leaves:
        yield Finding(
            "mail",
            State.NOTE,
            "Mails are written to a folder and leave no further.",
            "Set MONITOR_MAIL_URL to an SMTP server.",
        )
    elif not installation.public_url.startswith("https://"):
        yield Finding(
            "public address",
            State.WARNED,
            f"Links in mails begin with {installation.public_url}.",
            "One-click unsubscribe needs https: set MONITOR_PUBLIC_URL.",
        )
    if installation.storage_advice:
        yield Finding("database", State.WARNED, installation.storage_advice)


def _polls(topics: Sequence[TopicFacts], now: datetime, *, contact_known: bool) -> Iterator[Finding]:
    if not topics:
        yield Finding("topics", State.PROBLEM, "There are no topics to search for.", "Run monitor init.")
    for topic in topics:
        yield from _core(topic, now, contact_known=contact_known)
        if topic.wide is not None:
            yield from _wide(topic, topic.wide, now)


def _core(topic: TopicFacts, now: datetime, *, contact_known: bool) -> Iterator[Finding]:
    name, core, again = f"search: {topic.title}", topic.core, f"monitor poll {topic.id}"
    if core.last_success_at is None:
        state = State.PROBLEM if core.last_error or contact_known else State.NOTE
        yield Finding(name, state, core.last_error or "Never polled.", again)
    elif core.last_error:
        yield Finding(name, State.PROBLEM, _failed(core.last_error, core.last_success_at, now), again)
    elif now - core.last_success_at > POLL_OVERDUE:
        yield Finding(
            name,
            State.PROBLEM,
            f"Overdue: last searched {ago(core.last_success_at, now)}.",
            "Is monitor worker running?",
        )
    elif doubts := list(_doubts(name, topic, core)):
        yield from doubts
    else:
        yield Finding(name, State.FINE, f"Searched {ago(core.last_success_at, now)}.")


def _wide(topic: TopicFacts, wide: LaneFacts, now: datetime) -> Iterator[Finding]:
    """Judge the wide search: no digest depends on it, so that its failures want a look and are no problem."""
    name = f"wide search: {topic.title}"
    if wide.last_error:
        yield Finding(
            name, State.WARNED, _failed(wide.last_error, wide.last_success_at, now), f"monitor poll {topic.id}"
        )
    elif wide.last_success_at is not None and now - wide.last_success_at > POLL_OVERDUE:
        yield Finding(name, State.WARNED, f"Overdue: last searched {ago(wide.last_success_at, now)}.")
    else:
        yield from _doubts(name, topic, wide)


def _failed(error: str, last_success_at: datetime | None, now: datetime) -> str:
    before = f"The last good one was {ago(last_success_at, now)}." if last_success_at else "None was good before."
    return f"The last search failed: {error.rstrip('.')}. {before}"


def _doubts(name: str, topic: TopicFacts, lane: LaneFacts) -> Iterator[Finding]:
    if lane.unknown_phrases:
        phrases = ", ".join(f"“{phrase}”" for phrase in phrases_in_words(lane.unknown_phrases))
        yield Finding(
            name,
            State.WARNED,
            f"PubMed did not know {phrases} and searched without.",
            f"See monitor topic show {topic.id}.",
        )
    if without := left_out(lane.missing, lane.refused):
        yield Finding(
            name,
            State.WARNED,
            f"{without}: they are asked for again in the next two weeks.",
            f"monitor poll {topic.id} tries now and names them.",
        )


def _worker(facts: Facts, now: datetime, *, expect_worker: bool) -> Iterator[Finding]:
    past = [beat for beat in facts.heartbeats if beat.at <= now + CLOCKS_APART]
    newest = max(past, key=lambda beat: beat.at, default=None)
    if newest is not None and now - newest.at <= HEARTBEAT_OVERDUE:
        yield Finding("worker", State.FINE, f"Alive: {newest.name}, {ago(newest.at, now)}.")
    elif expect_worker:
        last = "never seen" if newest is None else f"last sign of life {ago(newest.at, now)}"
        yield Finding(
            "worker",
            State.PROBLEM,
            f"No worker is running ({last}): nothing is polled or sent.",
            "Start monitor up or monitor worker.",
        )
    for job in facts.jobs_failed:
        yield Finding("worker", State.WARNED, job)


def _digests(facts: Facts) -> Iterator[Finding]:
    if not facts.subscriptions:
        yield Finding(
            "digests",
            State.NOTE,
            "Nobody is subscribed.",
            "monitor person add ADDRESS, then monitor person subscribe ADDRESS TOPIC...",
        )
    elif facts.digests_overdue:
        yield Finding(
            "digests",
            State.PROBLEM,
            f"{facts.digests_overdue} overdue.",
            "monitor digest selects and queues what is due.",
        )
    else:
        yield Finding(
            "digests",
            State.FINE,
            f"None overdue; {facts.subscriptions} subscription{'s' if facts.subscriptions > 1 else ''}.",
        )


def _mail(facts: Facts, now: datetime) -> Iterator[Finding]:
    waiting = facts.deliveries.get("queued", 0) + facts.deliveries.get("leased", 0)
    if waiting and facts.oldest_waiting_since is not None and now - facts.oldest_waiting_since > MAIL_OVERDUE:
        reason = f" Last answer: {facts.last_mail_error}" if facts.last_mail_error else ""
        yield Finding(
            "outbox",
            State.PROBLEM,
            f"{waiting} waiting, the oldest since {ago(facts.oldest_waiting_since, now)}.{reason}",
            "monitor send tries now.",
        )
    elif waiting:
        yield Finding("outbox", State.FINE, f"{waiting} waiting to be sent.")
    if doubtful := facts.deliveries.get("in_doubt", 0):
        yield Finding(
            "outbox",
            State.WARNED,
            f"{doubtful} in doubt: the line broke when the relay may already have accepted. They are sent once more after a pause.",
        )
    if failed := facts.deliveries.get("failed", 0):
        yield Finding(
            "outbox",
            State.WARNED,
            f"{failed} given up in the last 30 days; their papers go into the next issue.",
            "monitor person list shows addresses that get no mail.",
        )
    if facts.suppressed:
        yield Finding(
            "addresses",
            State.NOTE,
            f"{facts.suppressed} get no mail (bounced, or unsubscribed).",
            "monitor person list names them.",
        )


def _library(facts: Facts) -> Iterator[Finding]:
    if facts.provisional:
        yield Finding("library", State.NOTE, f"{facts.provisional} imported citations wait to be fetched from PubMed.")
    yield Finding("library", State.FINE, f"{facts.citations:,} citations.")
