"""First run and upgrade: the schema, the search index, then the starter topics, vocabulary and levels."""

from __future__ import annotations

from typing import NamedTuple

from monitor.core.strategy import Topic
from monitor.core.topicfile import read_topics
from monitor.formats import topicfile
from monitor.resources import resource_dir
from monitor.services.ports import Clock
from monitor.services.rulebooks import load_starter
from monitor.storage import indexing, migrations, strategies
from monitor.storage.engine import Database
from monitor.storage.indexing import Progress, Renewal
from monitor.storage.strategies import StarterReport
from monitor.storage.vocabulary import Kind


class SetupReport(NamedTuple):
    """What became of the starter topics, of the search index where it was written anew, and of the rulebooks.

    A rulebook is `added` at first, `renewed` over an older starter, and `kept` where the lab has its own.
    """

    topics: StarterReport
    indexed: Renewal | None
    rulebooks: dict[Kind, str]


class Setup:
    """Makes an empty place an installation, and an old one current; safe to repeat."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def run(self, progress: Progress | None = None, *, index: bool = False) -> SetupReport:
        """Create or upgrade the database and load what ships with us; what the lab has changed stays as it is.

        The search index is written anew, reporting `progress`, where it was written otherwise, and with `index` always.
        """
        migrations.upgrade(self._database)
        indexed = indexing.renew(self._database, progress, always=index)
        with self._database.write() as session:
            topics = strategies.load_starter(session, starter_topics(), self._clock.now())
            rulebooks = load_starter(session, self._clock.now())
        return SetupReport(topics, indexed, rulebooks)


def starter_topics() -> tuple[Topic, ...]:
    """Return the topics that ship with us."""
    path = resource_dir("db") / "seed" / "queries.yaml"
    return read_topics(topicfile.read(path.read_bytes(), "yaml", path.name))
