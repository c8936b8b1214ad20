"""This week for one reader: what was corrected, what to read first, what is new, and whether silence can be trusted."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from monitor.core.issue import Health, health_of
from monitor.core.people import Person
from monitor.services.corrections import Corrections, Lately
from monitor.services.ports import Clock
from monitor.storage import issues, papers, people, week
from monitor.storage.engine import Database
from monitor.storage.papers import PaperLine
from monitor.storage.week import LastIssue, Worth

KEY_PAPERS = 5
CORRECTIONS = 5
DAYS = 7


@dataclass(frozen=True, slots=True)
class KeyPaper:
    """A paper to read first, and what makes it so."""

    line: PaperLine
    worth: Worth


@dataclass(frozen=True, slots=True)
class TopicWeek:
    """How many new papers a topic had in each of eight weeks, the present one last, and how its searches went."""

    id: str
    title: str
    weeks: tuple[int, ...]
    followed: bool
    health: Health

    @property
    def new(self) -> int:
        return self.weeks[-1]


@dataclass(frozen=True, slots=True)
class Week:
    """A week until now. `new` counts papers, each once, whatever number of topics found it; `ran_at` is when the last
    search succeeded, None while none ever did.
    """

    since: datetime
    until: datetime
    corrected: Lately
    key_papers: tuple[KeyPaper, ...]
    topics: tuple[TopicWeek, ...]
    new: int
    ran_at: datetime | None
    last_issue: LastIssue | None

    @property
    def fine(self) -> int:
        """The number of searches that ran and can be trusted."""
        return sum(not each.health.blind for each in self.topics)

    @property
    def blind(self) -> tuple[TopicWeek, ...]:
        """The topics of which silence says nothing."""
        return tuple(each for each in self.topics if each.health.blind)


class Weeks:
    """Reads a week."""

    def __init__(self, database: Database, clock: Clock, corrections: Corrections) -> None:
        self._database = database
        self._clock = clock
        self._corrections = corrections

    def of(self, person: Person) -> Week:
        """Return the last seven days as this person may read them; followed topics come first."""
        until = self._clock.now()
        since = until - timedelta(days=DAYS)
        followed = {each.topic for each in person.subscription.topics} if person.subscription is not None else set()
        with self._database.read() as session:
            stored = people.living_topics(session)
            runs = issues.runs(session, list(stored), since, until)
            counts = issues.weekly_counts(session, list(stored), until)
            new = issues.new_papers(session, list(stored), since, until)
            best = week.worth(session, since, person.id)[:KEY_PAPERS]
            lines = {line.pmid: line for line in papers.lines(session, [each.pmid for each in best])}
            last = week.last_issue(session, person.id)
        topics = [
            TopicWeek(
                topic,
                title,
                counts.get(topic, (0,) * issues.WEEKS),
                topic in followed,
                health_of(topic, runs.get(topic, ()), since, until),
            )
            for topic, title in stored.items()
        ]
        ran = [each.health.succeeded_at for each in topics if each.health.succeeded_at is not None]
        return Week(
            since,
            until,
            self._corrections.since(since, person.id, CORRECTIONS),
            tuple(KeyPaper(lines[each.pmid], each) for each in best),
            tuple(sorted(topics, key=lambda each: not each.followed)),
            new,
            max(ran, default=None),
            last,
        )
