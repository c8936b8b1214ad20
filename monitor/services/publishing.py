"""Issues: which are due, what each carries, frozen once; preview, test and the mail that is sent are one selection.

What a reader has been told is read from the issues that reached them, never from a span of time: spans only keep the
questions small. So a late commit, a failed delivery or a clock set back loses nothing and repeats nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

import structlog
from sqlalchemy.orm import Session

from monitor.core import recheck
from monitor.core.address import read_address
from monitor.core.contents import Setting, contents, why_code
from monitor.core.curation import named
from monitor.core.issue import Issue, Topic, fingerprint, short_name
from monitor.core.people import Followed, Subscription
from monitor.core.query import MeshTree
from monitor.core.slots import Slot, instant, latest_slot, slots_between
from monitor.core.vocabulary import Vocabulary
from monitor.errors import DatabaseBehind, UsageError
from monitor.mail.links import Links
from monitor.mail.message import Marks, Sender, build_template, make_message_id, splice
from monitor.mail.render import Letter, render_digest
from monitor.services.ports import Clock
from monitor.services.selecting import OVERLAP, Reader, Selector
from monitor.services.subscribing import zone_of
from monitor.storage import checks, issues, people, serving
from monitor.storage.engine import Database

OVERDUE = timedelta(hours=2)
_DEFAULT_SPAN = timedelta(days=7)

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Due:
    """A subscription whose slot has come, what it was served until, and how many slots before were missed."""

    subscription: Subscription
    address: str
    slot: Slot
    since: datetime
    missed: int
    last_delivery: int = 0


@dataclass(frozen=True, slots=True)
class Planned:
    """An issue ready to be frozen, with those who will get it: what `--dry-run` and `--output` show."""

    letter: Letter
    issue: Issue
    contents: Mapping[str, Any]
    fingerprint: str
    key: str
    slot: Slot
    since: datetime
    until: datetime
    due: tuple[Due, ...]

    @property
    def addresses(self) -> tuple[str, ...]:
        return tuple(each.address for each in self.due)


@dataclass(frozen=True, slots=True)
class Published:
    """What one pass froze."""

    issues: int
    deliveries: int


class Publishing:
    """Selects, freezes and queues what is due. Safe at any moment, any number of times, from any process.

    `vocabulary` names tags; without it letters show them as they are kept.
    """

    def __init__(
        self,
        database: Database,
        clock: Clock,
        links: Links,
        sender: Sender,
        tree: MeshTree,
        *,
        name: str = "NK evidence",
        zone: str = "UTC",
        language: str = "en",
        vocabulary: Callable[[Session], Vocabulary] | None = None,
    ) -> None:
        self._database = database
        self._clock = clock
        self._vocabulary = vocabulary
        self._links = links
        self._sender = sender
        self._tree = tree
        self._name = name
        self._zone = zone
        self._language = language
        self._left_out: set[tuple[int, str]] = set()

    def due(self, on: date | None = None) -> list[Due]:
        """Return every subscription whose slot has come and has no delivery yet; see `publish` for `on`."""
        now = self._clock.now()
        with self._database.read() as session:
            return self._due(session, now, on)

    def overdue(self) -> int:
        """Count the subscriptions whose slot passed two hours ago and has no delivery."""
        now = self._clock.now()
        return sum(now - each.slot.at > OVERDUE for each in self.due())

    def plan(self, on: date | None = None) -> list[Planned]:
        """Select and render what is due without writing anything."""
        now = self._clock.now()
        with self._database.read() as session:
            return self._plan(session, self._due(session, now, on), now, _end(on, self._zone))

    def publish(self, on: date | None = None) -> Published:
        """Freeze and queue what is due: issue, entries and deliveries in one transaction.

        `on` takes that local date as every subscription's digest day, whatever its own: those already served for it
        or for a later day are left out, and only what was known by the end of that day is selected. It cannot lie
        in the future.
        """
        now = self._clock.now()
        with self._database.read() as session:
            planned = self._plan(session, self._due(session, now, on), now, _end(on, self._zone))
        if not planned:
            return Published(0, 0)
        frozen = [(each, self._frozen(each), self._recipients(each)) for each in planned]
        counts = []
        with self._database.write() as session:
            issues.lock(session)
            living = {
                each.subscription_id
                for each in issues.unchanged(session, [one for _, _, several in frozen for one in several])
            }
            for _, issue, recipients in frozen:
                still = [each for each in recipients if each.subscription_id in living]
                if still:
                    counts.append(issues.freeze(session, issue, still, now))
                    # Readers have these in hand now: what happens to them must be noticed within the week.
                    checks.expect_by(session, {entry.pmid for entry in issue.entries}, now + recheck.SOON)
        return Published(sum(count > 0 for count in counts), sum(counts))

    def preview(
        self,
        address: str | None = None,
        on: date | None = None,
        *,
        like: Subscription | None = None,
        test: bool = False,
    ) -> Planned:
        """Select and render one issue, due or not: as this subscriber would get it, else for all topics and 7 days.

        `like` is a subscription whose topics and settings stand in for all topics; its reader's history does not count.
        The same selection and rendering as `publish`; nothing is recorded.
        """
        now = self._clock.now()
        with self._database.read() as session:
            due = self._one(session, address, now, on, like)
            (planned,) = self._plan(session, [due], now, _end(on, due.subscription.zone), test=test)
            return planned

    def test_mail(self, to: str, on: date | None = None) -> bytes:
        """Return a whole mail for one address, marked as a test in subject and first line; nothing is recorded."""
        return self.sample(self.preview(to, on, test=True), to)

    def sample(self, planned: Planned, to: str | None = None) -> bytes:
        """Return a planned issue as a whole mail, to its first reader unless told otherwise; nothing is recorded.

        Its links to leave carry a token that belongs to nobody: a sample must not end anybody's subscription.
        """
        address = read_address(to or planned.addresses[0])
        now = self._clock.now()
        message_id = make_message_id(
            self._links.secret, _domain(self._sender), "sample", planned.slot.day, int(now.timestamp())
        )
        template = build_template(planned.letter, self._sender, self._links.unsubscribe())
        return splice(template, Marks(address.text, "sample" + planned.key, message_id, now))

    def _due(self, session: Session, now: datetime, on: date | None) -> list[Due]:
        if on is not None and instant(on, 0, ZoneInfo(self._zone)) > now:
            raise UsageError(f"{on} has not begun yet; an issue cannot be made ahead")
        standings = serving.standings(session, now)
        suppressed = serving.suppressed_people(session)
        topics = people.living_topics(session)
        found = []
        for subscription, address in people.living(session):
            if subscription.person_id in suppressed or not any(each.topic in topics for each in subscription.topics):
                continue
            standing = standings.get(subscription.id, serving.Standing())
            zone = zone_of(subscription)
            if zone is None:
                self._cannot_serve(subscription)
                continue
            if on is None:
                slot = latest_slot(subscription.day, subscription.hour, zone, now)
                if slot.at <= subscription.scheduled_at:
                    continue
            else:
                slot = Slot(on, instant(on, subscription.hour, zone))
            if subscription.paused_until is not None and slot.day < subscription.paused_until:
                continue
            if standing.last_slot is not None and slot.day.isoformat() <= standing.last_slot:
                continue
            since = standing.served_until or min(each.since for each in subscription.topics)
            missed = 0
            if on is None:
                passed = slots_between(subscription.day, subscription.hour, zone, since, slot.at)
                missed = max(0, len(passed) - 1 - standing.arrived)
            found.append(Due(subscription, address, slot, since, missed, standing.last_delivery))
        return found

    def _cannot_serve(self, subscription: Subscription) -> None:
        """Say once a process, not at every tick, that a reader is left out; the health check says it for good."""
        if (subscription.id, subscription.zone) not in self._left_out:
            self._left_out.add((subscription.id, subscription.zone))
            _log.error(
                "a reader gets no digest: this machine does not know the time zone",
                person=subscription.person_id,
                zone=subscription.zone,
            )

    def _one(
        self, session: Session, address: str | None, now: datetime, on: date | None, like: Subscription | None
    ) -> Due:
        if on is not None and instant(on, 0, ZoneInfo(self._zone)) > now:
            raise UsageError(f"{on} has not begun yet; what it brings is not known")
        day = on or now.astimezone(ZoneInfo(self._zone)).date()
        if address is not None:
            key = read_address(address).key
            person = people.find(session, key)
            if person is not None and person.subscription is not None and person.subscription.topics:
                held = person.subscription
                if all(each.retired for each in held.topics):
                    named = ", ".join(each.topic for each in held.topics)
                    raise UsageError(f"{person.address} follows only topics that are retired: {named}")
                zone = zone_of(held)
                if zone is None:
                    raise UsageError(
                        f"this machine does not know the time zone {held.zone!r} of {person.address}; "
                        "set another, or install a newer tzdata"
                    )
                standing = serving.standings(session, now).get(held.id, serving.Standing())
                since = standing.served_until or min(each.since for each in held.topics)
                slot = Slot(day, instant(day, held.hour, zone))
                return Due(held, person.address, slot, since, 0, standing.last_delivery)
        at = min(now, _end(on, self._zone) or now)
        wanted = {each.topic for each in like.topics} if like is not None else None
        everything = tuple(
            Followed(topic, at - _DEFAULT_SPAN)
            for topic in people.living_topics(session)
            if wanted is None or topic in wanted
        )
        if not everything:
            raise UsageError("there are no topics yet; run `monitor init`")
        nobody = Subscription(
            0, 0, everything, day.weekday(), 7, self._zone, self._language, 12, "", at, at - _DEFAULT_SPAN
        )
        if like is not None:
            nobody = replace(like, id=0, person_id=0, topics=everything, token="", paused_until=None)
        return Due(nobody, address or "", Slot(day, at), at - _DEFAULT_SPAN, 0)

    def _plan(
        self, session: Session, due: Sequence[Due], now: datetime, end: datetime | None, *, test: bool = False
    ) -> list[Planned]:
        """Select for each reader what is known, or was by `end`, and render once for all who would read the same."""
        if not due:
            return []
        known_by = end if end is not None and end < now else None
        until = known_by or now
        titles = people.living_topics(session)
        topics = {name: Topic(name, title, short_name(name, title)) for name, title in titles.items()}
        fresh = {each.subscription.person_id for each in due if each.since <= each.subscription.created_at}
        before = serving.served_before(session, fresh, now)
        readers = [_reader(each, topics, before) for each in due]
        selector = Selector(session, readers, until, self._tree, known_by)
        weeks = issues.weekly_counts(session, topics, until)
        words = cache(lambda: self._words(session))
        groups: dict[str, tuple[Issue, Setting, list[Due]]] = {}
        for each, reader in zip(due, readers, strict=True):
            issue = selector.select(reader, topics)
            setting = self._setting(each, until, weeks, words, test=test)
            print_ = fingerprint(
                issue,
                setting.slot,
                setting.name,
                setting.language,
                setting.zone,
                setting.day,
                setting.hour,
                setting.card_limit,
                setting.missed,
                setting.paused_until,
                setting.contact,
                each.since.astimezone(ZoneInfo(setting.zone)).date(),
                test,
            )
            groups.setdefault(print_, (issue, setting, []))[2].append(each)
        planned = []
        for print_, (issue, setting, readers_) in groups.items():
            told = contents(issue, setting)
            key = self._links.issue_key(setting.slot.isoformat(), print_)
            letter = render_digest(told, self._links, key)
            first = readers_[0]
            planned.append(Planned(letter, issue, told, print_, key, first.slot, first.since, until, tuple(readers_)))
        return planned

    def _words(self, session: Session) -> Vocabulary:
        if self._vocabulary is not None:
            try:
                return self._vocabulary(session)
            except DatabaseBehind as error:
                # A digest goes out all the same: tags can be read as they are kept.
                _log.warning("tags are not named in this digest", reason=str(error))
        return Vocabulary(())

    def _setting(
        self,
        due: Due,
        until: datetime,
        weeks: Mapping[str, Sequence[int]],
        words: Callable[[], Vocabulary],
        *,
        test: bool,
    ) -> Setting:
        subscription = due.subscription
        return Setting(
            name=self._name,
            slot=due.slot.day,
            label=due.slot.label,
            since=due.since,
            until=until,
            missed=due.missed,
            day=subscription.day,
            hour=subscription.hour,
            zone=subscription.zone,
            language=subscription.language,
            card_limit=subscription.card_limit,
            contact=self._sender.reply_to or self._sender.address,
            weeks=weeks,
            test=test,
            paused_until=_paused(due),
            tags=lambda tags: named(tags, words(), subscription.language) if tags else (),
        )

    def _frozen(self, planned: Planned) -> issues.FrozenIssue:
        return issues.FrozenIssue(
            key=planned.key,
            slot=planned.slot.day.isoformat(),
            fingerprint=planned.fingerprint,
            label=planned.slot.label,
            kind=planned.issue.kind,
            language=planned.contents["language"],
            covers_from=planned.since,
            covers_until=planned.until,
            subject=planned.letter.subject,
            content=planned.contents,
            html=planned.letter.html,
            text=planned.letter.text,
            message=build_template(planned.letter, self._sender, self._links.unsubscribe()),
            entries=tuple(_entries(planned.issue)),
        )

    def _recipients(self, planned: Planned) -> list[issues.Recipient]:
        domain = _domain(self._sender)
        return [
            issues.Recipient(
                each.subscription.id,
                each.subscription.person_id,
                each.address,
                make_message_id(
                    self._links.secret,
                    domain,
                    planned.slot.day.isoformat(),
                    each.subscription.id,
                    planned.fingerprint[:8],
                ),
                each.last_delivery,
            )
            for each in planned.due
        ]


def _paused(due: Due) -> date | None:
    """Return until when this reader's digest was paused, if that is why it catches up."""
    until = due.subscription.paused_until
    zone = zone_of(due.subscription)
    if until is None or zone is None or not due.missed:
        return None
    return until if due.since.astimezone(zone).date() < until <= due.slot.day else None


def _reader(due: Due, topics: Mapping[str, Topic], before: Mapping[int, datetime]) -> Reader:
    held = due.subscription
    followed = tuple(each for each in held.topics if each.topic in topics)
    heard = min(due.since, before.get(held.person_id, due.since))
    return Reader(held.person_id, followed, due.since, held.card_limit, heard, held.level_floor)


def _entries(issue: Issue) -> Iterable[issues.FrozenEntry]:
    for change in issue.corrections:
        yield issues.FrozenEntry("correction", None, change.citation.pmid, change.version_id, change.changes, ())
    for entry in issue.entries:
        why = [why_code(each) for each in entry.why]
        yield issues.FrozenEntry(
            "news", entry.topic, entry.candidate.citation.pmid, entry.candidate.version_id, (), why
        )


def _end(on: date | None, zone: str) -> datetime | None:
    """Return when the given local day is over."""
    return None if on is None else instant(on + timedelta(days=1), 0, ZoneInfo(zone))


def _domain(sender: Sender) -> str:
    return sender.address.rpartition("@")[2]


__all__ = ["OVERDUE", "OVERLAP", "Due", "Planned", "Published", "Publishing"]
