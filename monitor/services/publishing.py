"""Issues: which are due, what each carries, frozen once; preview, test and the mail that is sent are one selection.

What a reader has been told is read from the issues that reached them, never from a span of time: spans only keep the
questions small. So a late commit, a failed delivery or a clock set back loses nothing and repeats nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
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
from monitor.core.people import Subscription
from monitor.core.query import MeshTree
from monitor.core.slots import Slot
from monitor.core.vocabulary import Vocabulary
from monitor.errors import DatabaseBehind
from monitor.mail.links import Links
from monitor.mail.message import Marks, Sender, build_template, make_message_id, splice
from monitor.mail.render import Letter, render_digest
from monitor.services.ports import Clock
from monitor.services.selecting import Reader, Selector
from monitor.services.serving import Due, Serving, end_of, paused_until
from monitor.storage import checks, issues, people, serving
from monitor.storage.engine import Database

OVERDUE = timedelta(hours=2)

_log = structlog.get_logger()


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
        self._serving = Serving(zone, language)

    def due(self, on: date | None = None) -> list[Due]:
        """Return every subscription whose slot has come and has no delivery yet; see `publish` for `on`."""
        now = self._clock.now()
        with self._database.read() as session:
            return self._serving.due(session, now, on)

    def overdue(self) -> int:
        """Count the subscriptions whose slot passed two hours ago and has no delivery."""
        now = self._clock.now()
        return sum(now - each.slot.at > OVERDUE for each in self.due())

    def plan(self, on: date | None = None) -> list[Planned]:
        """Select and render what is due without writing anything."""
        now = self._clock.now()
        with self._database.read() as session:
            return self._plan(session, self._serving.due(session, now, on), now, end_of(on, self._zone))

    def publish(self, on: date | None = None) -> Published:
        """Freeze and queue what is due: issue, entries and deliveries in one transaction.

        `on` takes that local date as every subscription's digest day, whatever its own: those already served for it
        or for a later day are left out, and only what was known by the end of that day is selected. It cannot lie
        in the future.
        """
        now = self._clock.now()
        with self._database.read() as session:
            planned = self._plan(session, self._serving.due(session, now, on), now, end_of(on, self._zone))
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
            due = self._serving.one(session, address, now, on, like)
            (planned,) = self._plan(session, [due], now, end_of(on, due.subscription.zone), test=test)
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
            paused_until=paused_until(due),
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


def _domain(sender: Sender) -> str:
    return sender.address.rpartition("@")[2]
