"""Brings everything a search has, however old: offered with its size and time first, and then polled whole.

A backfill is a full poll: it can be stopped at any moment and goes on where it was, and what PubMed created before the
topic was watched is never news.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import ceil

from monitor.core.polling import phrases_in_words
from monitor.core.strategy import LANES, Lane
from monitor.errors import UsageError
from monitor.services.lanepoll import Progress
from monitor.services.polling import Polling, PollReport
from monitor.services.ports import Clock, PubmedSource
from monitor.services.retrieving import batch_size
from monitor.services.searching import search_whole
from monitor.storage import citations, hits, recall, strategies
from monitor.storage.engine import Database

UNMEASURED = 0.02
"""Seconds a record is taken to need while no poll has been measured."""
FILING = 0.002
"""Seconds to file a citation that is held as a hit."""


@dataclass(frozen=True, slots=True)
class Offer:
    """What a backfill of one lane would do. `count` is PubMed's; `held` are in the library, `to_fetch` are not, and of
    the held ones `to_file` become hits without being fetched. `seconds` is an estimate: `measured` records of earlier
    polls stand behind it, none while no poll has been measured."""

    topic_id: str
    lane: Lane
    version: int
    query: str
    count: int
    held: int
    to_fetch: int
    to_file: int
    requests: int
    seconds: float
    measured: int
    unknown_phrases: tuple[str, ...]
    warnings: tuple[str, ...]

    @property
    def nothing_to_do(self) -> bool:
        return not self.to_fetch and not self.to_file


class Backfilling:
    """Offers and runs backfills. `rate` is how many requests a second PubMed allows us."""

    def __init__(
        self, database: Database, source: PubmedSource, clock: Clock, polling: Callable[[], Polling], rate: float
    ) -> None:
        self._database = database
        self._source = source
        self._clock = clock
        self._polling = polling
        self._rate = rate

    def offer(self, topic_id: str, lanes: Sequence[Lane] = LANES) -> tuple[Offer, ...]:
        """Ask PubMed what the topic's lanes hold, and say what bringing it would take; nothing is stored.

        Raises NotFound for an unknown topic, UsageError for lanes that it does not have, and what PubMed raises.
        """
        with self._database.read() as session:
            topic = strategies.topics_named(session, [topic_id])[0]
            pace = recall.pace(session)
        queries = {lane: query for lane, query in topic.topic.strategy.queries().items() if lane in lanes}
        if not queries:
            raise UsageError(f"{topic_id} has no {' or '.join(lanes)} lane; there is nothing to backfill")
        offers = []
        expected: set[int] = set()
        for lane, query in queries.items():
            whole = search_whole(self._source, query, self._clock.now().date())
            with self._database.read() as session:
                held = citations.known(session, whole.pmids)
                standing = hits.standing(session, topic_id, lane)
            # What one lane fetches the next one finds held.
            to_fetch = set(whole.pmids) - held - expected
            to_file = (set(whole.pmids) & (held | expected)) - standing
            expected |= to_fetch
            requests = whole.slices + ceil(len(to_fetch) / batch_size(len(to_fetch)))
            by_pace = len(to_fetch) * (pace.seconds if pace else UNMEASURED) + len(to_file) * FILING
            offers.append(
                Offer(
                    topic_id,
                    lane,
                    topic.version,
                    query,
                    whole.result.count,
                    len(held),
                    len(to_fetch),
                    len(to_file),
                    requests,
                    max(requests / self._rate, by_pace),
                    pace.records if pace else 0,
                    phrases_in_words(whole.result.unknown_phrases),
                    whole.result.warnings,
                )
            )
        return tuple(offers)

    def run(
        self,
        topic_id: str,
        lanes: Sequence[Lane] = LANES,
        *,
        progress: Callable[[Progress], object] = lambda _: None,
    ) -> PollReport:
        """Bring it all. Stopped at any moment it leaves what is stored, and the next run goes on after that."""
        return self._polling().poll([topic_id], full=True, lanes=lanes, progress=progress)
