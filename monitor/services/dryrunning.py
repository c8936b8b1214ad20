"""A search run over the last days and not kept: what a poll would bring, paper by paper."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from monitor.core.polling import Window, phrases_in_words, windowed
from monitor.core.strategy import Lane, Strategy
from monitor.services.asking import Asking, Paper, collect
from monitor.services.ports import Clock
from monitor.storage.engine import Database

DAYS = 7
SHOWN = 50
"""Papers that are named of a lane, the newest."""


@dataclass(frozen=True, slots=True)
class LaneRun:
    """What one lane would bring. `query` is what PubMed is asked; `count` is None where it did not answer, or cannot run
    it. Of the papers `new` are not in the library."""

    lane: Lane
    query: str
    count: int | None
    translation: str | None
    unknown_phrases: tuple[str, ...]
    warnings: tuple[str, ...]
    papers: tuple[Paper, ...]

    @property
    def new(self) -> int:
        return sum(not each.held for each in self.papers)


@dataclass(frozen=True, slots=True)
class DryRun:
    """What both lanes would bring. `why_not` says why PubMed was not asked, or not to the end."""

    window: Window
    lanes: tuple[LaneRun, ...]
    why_not: str | None
    refusals: tuple[str, ...]


def dry_run(database: Database, clock: Clock, strategy: Strategy, asking: Asking, days: int = DAYS) -> DryRun:
    """Ask PubMed what was created, entered, indexed or revised in the last days; the strategy can be searched."""
    window = Window(clock.now().date() - timedelta(days=days))
    lanes = []
    for lane, query in strategy.queries().items():
        asked = windowed(query, window)
        result = asking.search(asked, limit=SHOWN)
        shelf = collect(database, asking, result.pmids[:SHOWN]) if result is not None else None
        lanes.append(
            LaneRun(
                lane,
                asked,
                result.count if result is not None else None,
                result.translation if result is not None else None,
                phrases_in_words(result.unknown_phrases) if result is not None else (),
                result.warnings if result is not None else (),
                shelf.papers() if shelf is not None else (),
            )
        )
    return DryRun(window, tuple(lanes), asking.why_not, tuple(asking.refusals))
