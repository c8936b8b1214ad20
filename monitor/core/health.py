"""Whether the monitor does what it promised: facts in, findings out, each with what to do about it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from monitor.core.polling import left_out, phrases_in_words
from monitor.core.told import counted, told

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
        *(Finding(told("database"), State.PROBLEM, f"{each[0].upper()}{each[1:]}.") for each in facts.damage),
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
        return counted("%(number)s problem", "%(number)s problems", problems)
    warned = sum(finding.state is State.WARNED for finding in findings)
    if not warned:
        return told("Everything is running")
    return counted("Running, with %(number)s thing to look at", "Running, with %(number)s things to look at", warned)


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
        return told("in the future (is this machine's clock right?)")
    if seconds >= 86_400:
        return counted("%(number)s day ago", "%(number)s days ago", seconds // 86_400)
    if seconds >= 3_600:
        return counted("%(number)s hour ago", "%(number)s hours ago", seconds // 3_600)
    if seconds >= 60:
        return counted("%(number)s minute ago", "%(number)s minutes ago", seconds // 60)
    return told("just now")


def _clock(facts: Facts, now: datetime) -> Iterator[Finding]:
    if facts.latest_moment is not None and facts.latest_moment > now + CLOCKS_APART:
        yield Finding(
            told("clock"),
            State.PROBLEM,
            told(
                "Something is dated %(moment)s UTC, but this machine's clock says %(now)s UTC: one of them is wrong.",
                moment=f"{facts.latest_moment:%Y-%m-%d %H:%M}",
                now=f"{now:%Y-%m-%d %H:%M}",
            ),
            told("Set the clock. Searches and signs of life dated later than now count for nothing."),
        )


def _settings(installation: Installation) -> Iterator[Finding]:
    if not installation.contact_known:
        yield Finding(
            told("contact address"),
            State.PROBLEM,
            told("PubMed is not asked."),
            told("Set MONITOR_NCBI_EMAIL; NCBI wants to know whom to write to."),
        )
    if not installation.mail_leaves:
        yield Finding(
            told("mail"),
            State.NOTE,
            told("Mails are written to a folder and leave no further."),
            told("Set MONITOR_MAIL_URL to an SMTP server."),
        )
    elif not installation.public_url.startswith("https://"):
        yield Finding(
            told("public address"),
            State.WARNED,
            told("Links in mails begin with %(url)s.", url=installation.public_url),
            told("One-click unsubscribe needs https: set MONITOR_PUBLIC_URL."),
        )
    if installation.storage_advice:
        yield Finding(told("database"), State.WARNED, installation.storage_advice)


def _polls(topics: Sequence[TopicFacts], now: datetime, *, contact_known: bool) -> Iterator[Finding]:
    if not topics:
        yield Finding(
            told("topics"), State.PROBLEM, told("There are no topics to search for."), told("Run monitor init.")
        )
    for topic in topics:
        yield from _core(topic, now, contact_known=contact_known)
        if topic.wide is not None:
            yield from _wide(topic, topic.wide, now)


def _core(topic: TopicFacts, now: datetime, *, contact_known: bool) -> Iterator[Finding]:
    name, core, again = told("search: %(title)s", title=topic.title), topic.core, f"monitor poll {topic.id}"
    if core.last_success_at is None:
        state = State.PROBLEM if core.last_error or contact_known else State.NOTE
        yield Finding(name, state, core.last_error or told("Never polled."), again)
    elif core.last_error:
        yield Finding(name, State.PROBLEM, _failed(core.last_error, core.last_success_at, now), again)
    elif now - core.last_success_at > POLL_OVERDUE:
        yield Finding(
            name,
            State.PROBLEM,
            told("Overdue: last searched %(ago)s.", ago=ago(core.last_success_at, now)),
            told("Is monitor worker running?"),
        )
    elif doubts := list(_doubts(name, topic, core)):
        yield from doubts
    else:
        yield Finding(name, State.FINE, told("Searched %(ago)s.", ago=ago(core.last_success_at, now)))


def _wide(topic: TopicFacts, wide: LaneFacts, now: datetime) -> Iterator[Finding]:
    """Judge the wide search: no digest depends on it, so that its failures want a look and are no problem."""
    name = told("wide search: %(title)s", title=topic.title)
    if wide.last_error:
        yield Finding(
            name, State.WARNED, _failed(wide.last_error, wide.last_success_at, now), f"monitor poll {topic.id}"
        )
    elif wide.last_success_at is not None and now - wide.last_success_at > POLL_OVERDUE:
        yield Finding(name, State.WARNED, told("Overdue: last searched %(ago)s.", ago=ago(wide.last_success_at, now)))
    else:
        yield from _doubts(name, topic, wide)


def _failed(error: str, last_success_at: datetime | None, now: datetime) -> str:
    why = error.rstrip(".")
    if last_success_at is None:
        return told("The last search failed: %(why)s. None was good before.", why=why)
    return told(
        "The last search failed: %(why)s. The last good one was %(ago)s.", why=why, ago=ago(last_success_at, now)
    )


def _doubts(name: str, topic: TopicFacts, lane: LaneFacts) -> Iterator[Finding]:
    if lane.unknown_phrases:
        phrases = ", ".join(f"“{phrase}”" for phrase in phrases_in_words(lane.unknown_phrases))
        yield Finding(
            name,
            State.WARNED,
            told("PubMed did not know %(phrases)s and searched without.", phrases=phrases),
            told("See monitor topic show %(topic)s.", topic=topic.id),
        )
    if without := left_out(lane.missing, lane.refused):
        yield Finding(
            name,
            State.WARNED,
            told("%(papers)s: they are asked for again in the next two weeks.", papers=without),
            told("monitor poll %(topic)s tries now and names them.", topic=topic.id),
        )


def _worker(facts: Facts, now: datetime, *, expect_worker: bool) -> Iterator[Finding]:
    past = [beat for beat in facts.heartbeats if beat.at <= now + CLOCKS_APART]
    newest = max(past, key=lambda beat: beat.at, default=None)
    if newest is not None and now - newest.at <= HEARTBEAT_OVERDUE:
        yield Finding(
            told("worker"), State.FINE, told("Alive: %(name)s, %(ago)s.", name=newest.name, ago=ago(newest.at, now))
        )
    elif expect_worker:
        last = told("never seen") if newest is None else told("last sign of life %(ago)s", ago=ago(newest.at, now))
        yield Finding(
            told("worker"),
            State.PROBLEM,
            told("No worker is running (%(last)s): nothing is polled or sent.", last=last),
            told("Start monitor up or monitor worker."),
        )
    for job in facts.jobs_failed:
        yield Finding(told("worker"), State.WARNED, job)


def _digests(facts: Facts) -> Iterator[Finding]:
    if not facts.subscriptions:
        yield Finding(
            told("digests"),
            State.NOTE,
            told("Nobody is subscribed."),
            told("monitor person add ADDRESS, then monitor person subscribe ADDRESS TOPIC..."),
        )
    elif facts.digests_overdue:
        yield Finding(
            told("digests"),
            State.PROBLEM,
            told("%(number)s overdue.", number=facts.digests_overdue),
            told("monitor digest selects and queues what is due."),
        )
    else:
        yield Finding(
            told("digests"),
            State.FINE,
            counted(
                "None overdue; %(number)s subscription.", "None overdue; %(number)s subscriptions.", facts.subscriptions
            ),
        )


def _mail(facts: Facts, now: datetime) -> Iterator[Finding]:
    waiting = facts.deliveries.get("queued", 0) + facts.deliveries.get("leased", 0)
    if waiting and facts.oldest_waiting_since is not None and now - facts.oldest_waiting_since > MAIL_OVERDUE:
        values = {"number": waiting, "ago": ago(facts.oldest_waiting_since, now)}
        yield Finding(
            told("outbox"),
            State.PROBLEM,
            told(
                "%(number)s waiting, the oldest since %(ago)s. Last answer: %(answer)s",
                **values,
                answer=facts.last_mail_error,
            )
            if facts.last_mail_error
            else told("%(number)s waiting, the oldest since %(ago)s.", **values),
            told("monitor send tries now."),
        )
    elif waiting:
        yield Finding(told("outbox"), State.FINE, told("%(number)s waiting to be sent.", number=waiting))
    if doubtful := facts.deliveries.get("in_doubt", 0):
        yield Finding(
            told("outbox"),
            State.WARNED,
            told(
                "%(number)s in doubt: the line broke when the relay may already have accepted. "
                "They are sent once more after a pause.",
                number=doubtful,
            ),
        )
    if failed := facts.deliveries.get("failed", 0):
        yield Finding(
            told("outbox"),
            State.WARNED,
            told("%(number)s given up in the last 30 days; their papers go into the next issue.", number=failed),
            told("monitor person list shows addresses that get no mail."),
        )
    if facts.suppressed:
        yield Finding(
            told("addresses"),
            State.NOTE,
            told("%(number)s get no mail (bounced, or unsubscribed).", number=facts.suppressed),
            told("monitor person list names them."),
        )


def _library(facts: Facts) -> Iterator[Finding]:
    if facts.provisional:
        yield Finding(
            told("library"),
            State.NOTE,
            told("%(number)s imported citations wait to be fetched from PubMed.", number=facts.provisional),
        )
    yield Finding(told("library"), State.FINE, told("%(number)s citations.", number=f"{facts.citations:,}"))
