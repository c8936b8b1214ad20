"""First run and upgrade: the schema, then the starter topics."""

from __future__ import annotations

from monitor.core.strategy import Topic
from monitor.core.topicfile import read_topics
from monitor.formats import topicfile
from monitor.resources import resource_dir
from monitor.services.ports import Clock
from monitor.storage import migrations, strategies
from monitor.storage.engine import Database
from monitor.storage.strategies import StarterReport


class Setup:
    """Makes an empty place an installation, and an old one current; safe to repeat."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def run(self) -> StarterReport:
        """Create or upgrade the database and load the starter topics; what the lab has changed stays as it is."""
        migrations.upgrade(self._database)
        with self._database.write() as session:
            return strategies.load_starter(session, starter_topics(), self._clock.now())


def starter_topics() -> tuple[Topic, ...]:
    """Return the topics that ship with us."""
    path = resource_dir("db") / "seed" / "queries.yaml"
    return read_topics(topicfile.read(path.read_bytes(), "yaml", path.name))
