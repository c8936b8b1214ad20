"""The first run: a link makes the first admin, once; then topics are chosen, counted and searched for the first time."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from monitor.core.address import read_address
from monitor.core.passwords import Refusal, refusal, words_of
from monitor.core.people import Actor
from monitor.core.polling import FINISHED, DaySlice, phrases_in_words
from monitor.errors import NotFound, UsageError
from monitor.services.asking import Asking
from monitor.services.installing import SUBJECT
from monitor.services.passwords import Passwords
from monitor.services.people import NAME_MAX
from monitor.services.ports import Clock, PubmedSource
from monitor.services.signing_in import DIFFERENT, Entered, enter, replace_password
from monitor.services.strategies import Strategies
from monitor.storage import accounts, events, people, polls, strategies
from monitor.storage.engine import Database

BEGUN, CHOSEN, STARTED = "setup.begin", "setup.topics", "setup.start"
DAYS: Final = 30
PATIENCE: Final = timedelta(hours=1)
"""So long the worker leaves topics alone while somebody chooses among them; a set-up left half done delays no longer."""
LINK: Final = Actor("set-up link", "system")
"""Whoever opened the link that the terminal showed: somebody who is nobody here yet."""
NOT_CHOSEN = "not chosen at set-up"


class Closed(NotFound):
    """Somebody made the first admin already; the link works no more."""

    def __init__(self) -> None:
        super().__init__("this monitor was set up in the meantime; nothing was changed. Sign in")


@dataclass(frozen=True, slots=True)
class TopicChoice:
    """A topic as the set-up offers it."""

    id: str
    title: str
    chosen: bool
    lines: int


@dataclass(frozen=True, slots=True)
class TopicCount:
    """How many papers PubMed took in lately that a topic finds; None where it did not say, or cannot run the search."""

    id: str
    title: str
    count: int | None
    unknown_phrases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Counts:
    """What a dry run found. `why_not` says why PubMed was not asked, or not to the end; nothing was stored."""

    topics: tuple[TopicCount, ...]
    why_not: str | None
    refusals: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a set-up has come."""

    chosen: bool
    started: bool
    polled: int
    failed: int
    topics: int


class FirstRun:
    """Makes an empty installation somebody's. `vouched`: a proxy signs people in, so that an admin needs no password."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        passwords: Passwords,
        strategies: Callable[[], Strategies],
        source: Callable[[], PubmedSource | None],
        *,
        key: str,
        language: str = "en",
        site_words: Collection[str] = frozenset(),
        vouched: bool = False,
    ) -> None:
        self._database = database
        self._clock = clock
        self._passwords = passwords
        self._strategies = strategies
        self._source = source
        self._key = key
        self._language = language
        self._site_words = frozenset(site_words)
        self._vouched = vouched

    @property
    def path(self) -> str:
        """The page that makes the first admin; unguessable, and the same at every start until it was used."""
        return f"/setup/{self._key}"

    def is_open(self) -> bool:
        """Say whether nobody could see to this installation yet."""
        with self._database.read() as session:
            return not accounts.has_admin(session, vouched=self._vouched)

    def fits(self, key: str) -> bool:
        return hmac.compare_digest(key.encode("utf-8", "surrogatepass"), self._key.encode())

    def claim(self, address: str, name: str, password: str, again: str, agent: str | None = None) -> Entered | Refusal:
        """Make the first admin and sign in; somebody who was added before becomes one.

        A Refusal says why the password is not taken. Raises UsageError for what cannot be, Closed where somebody else
        was first.
        """
        read = read_address(address)
        name = " ".join(name.split()) or read.text.partition("@")[0]
        if len(name) > NAME_MAX or not name.isprintable():
            raise UsageError(f"a name is at most {NAME_MAX} printable characters")
        if not self.is_open():
            raise Closed
        refused = refusal(password, self._site_words | words_of(read.text, name))
        if refused is not None:
            return refused
        if password != again:
            raise UsageError(DIFFERENT)
        fresh = self._passwords.hash(password)
        now = self._clock.now()
        with self._database.write() as session:
            accounts.lock_first(session)
            if accounts.has_admin(session, vouched=self._vouched):
                raise Closed
            known = people.find(session, read.key)
            told = {"address": read.text, "name": name, "role": "admin"}
            if known is None:
                person_id = people.add(session, read.text, read.key, name, "admin", self._language, now)
                events.record(session, LINK, "person.add", f"person:{person_id}", now, after=told)
            else:
                person_id = known.id
                before = {"address": known.address, "name": known.name, "role": known.role}
                people.change(session, person_id, name=name, role="admin", disabled_at=None)
                people.touch(session, person_id)
                events.record(session, LINK, "person.change", f"person:{person_id}", now, before, told)
            replace_password(session, person_id, fresh, now)
            events.record(session, Actor(read.text, "admin", person_id), BEGUN, SUBJECT, now)
            return Entered(enter(session, person_id, agent, now, "account.setup"), person_id)

    def offered(self) -> tuple[TopicChoice, ...]:
        """Return the topics, retired ones too, with what each is for."""
        with self._database.read() as session:
            return tuple(
                TopicChoice(
                    each.id,
                    each.topic.title,
                    each.retired_at is None,
                    sum(line.enabled for line in each.topic.strategy.lines("core")),
                )
                for each in strategies.all_topics(session, retired=True)
            )

    def choose(self, topics: Collection[str], actor: Actor) -> None:
        """Search for these topics and retire the others, which keep what they found and can be brought back any time."""
        offered = self.offered()
        unknown = set(topics) - {each.id for each in offered}
        if unknown:
            raise UsageError(f"there is no topic {sorted(unknown)[0][:40]!r}; nothing was changed")
        if not topics:
            raise UsageError("choose at least one topic; more can be added and changed later")
        for each in offered:
            if each.id in topics and not each.chosen:
                self._strategies().bring_back(each.id, "chosen at set-up", actor)
            elif each.id not in topics and each.chosen:
                self._strategies().retire(each.id, NOT_CHOSEN, actor)
        now = self._clock.now()
        with self._database.write() as session:
            events.record(session, actor, CHOSEN, SUBJECT, now, after={"topics": sorted(topics)})

    def count(self) -> Counts:
        """Ask PubMed how much of the last 30 days each living topic would bring; nothing is stored."""
        asking = Asking(self._source())
        first = self._clock.now().date() - timedelta(days=DAYS)
        with self._database.read() as session:
            stored = strategies.all_topics(session)
        counted = []
        for each in stored:
            query = each.topic.strategy.query("core")
            found = asking.search(DaySlice("crdt", first).applied(query)) if query is not None else None
            counted.append(
                TopicCount(
                    each.id,
                    each.topic.title,
                    found.count if found is not None else None,
                    phrases_in_words(found.unknown_phrases) if found is not None else (),
                )
            )
        return Counts(tuple(counted), asking.why_not, tuple(asking.refusals))

    def start(self, actor: Actor) -> None:
        """Let the worker search; it begins at its next turn. Repeating it changes nothing."""
        now = self._clock.now()
        with self._database.write() as session:
            if events.newest(session, SUBJECT, (STARTED,)) is None:
                events.record(session, actor, STARTED, SUBJECT, now)

    def is_choosing(self) -> bool:
        """Say whether somebody is in the middle of it, so that searches had better wait for what is chosen."""
        with self._database.read() as session:
            begun = events.newest(session, SUBJECT, (BEGUN,))
            started = events.newest(session, SUBJECT, (STARTED,))
        return begun is not None and started is None and self._clock.now() - begun.at < PATIENCE

    def progress(self) -> Progress:
        with self._database.read() as session:
            living = [each.id for each in strategies.all_topics(session)]
            newest = {poll.topic_id: poll for poll in polls.latest(session) if poll.lane == "core"}
            return Progress(
                events.newest(session, SUBJECT, (CHOSEN,)) is not None,
                events.newest(session, SUBJECT, (STARTED,)) is not None,
                sum(each in newest and newest[each].state in FINISHED for each in living),
                sum(each in newest and newest[each].state == "failed" for each in living),
                len(living),
            )
