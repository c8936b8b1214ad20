"""What every utility of a sandbox works with: records, history, clock, and the ways it may be told to behave."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Protocol

from monitor.core.query.mesh import MeshTree
from monitor.errors import UsageError
from monitor.pubmed.sandbox.corpus import NLM_ZONE, Corpus, View
from monitor.pubmed.sandbox.documents import DTD_VERSIONS
from monitor.pubmed.sandbox.history import History
from monitor.pubmed.sandbox.index import Index


class Clock(Protocol):
    """Anything that knows the moment."""

    def now(self) -> datetime: ...


class SetClock:
    """The clock of a sandbox: real time until it is set, then standing still until it is set again or let run."""

    def __init__(self, moment: datetime | None = None) -> None:
        self.moment = moment
        self._ahead = timedelta()

    def now(self) -> datetime:
        return self.moment or datetime.now(UTC) + self._ahead

    def set(self, moment: datetime | None) -> None:
        self.moment = moment
        self._ahead = timedelta()

    def run(self) -> None:
        """Go on from where it stands, at the pace of real time."""
        self._ahead, self.moment = self.now() - datetime.now(UTC), None


class Context:
    """The state that utilities share; `Sandbox` documents the attributes."""

    def __init__(
        self,
        corpus: Corpus,
        *,
        clock: Clock | None = None,
        mesh: MeshTree | None = None,
        limit: int = 9999,
        post_limit: int = 10_000,
        dtd: str = "250101",
        shuffle: bool = False,
        seed: int = 0,
        vocabulary: str = "open",
        unknown_phrases: Iterable[str] = (),
        translations: Mapping[str, str] | None = None,
        name_unknown_fields: bool = False,
        history_lifetime: timedelta = timedelta(hours=8),
    ) -> None:
        if vocabulary not in ("open", "corpus"):
            raise UsageError(f"vocabulary is open or corpus, not {vocabulary!r}")
        if dtd not in DTD_VERSIONS:
            raise UsageError(f"dtd is one of {', '.join(DTD_VERSIONS)}, not {dtd!r}")
        self.corpus = corpus
        self.clock = clock or SetClock()
        self.index = Index(corpus, mesh if mesh is not None else MeshTree())
        self.history = History(lambda: self.clock.now(), history_lifetime)
        self.limit = limit
        self.post_limit = post_limit
        self.dtd = dtd
        self.shuffle = shuffle
        self.random = Random(seed)
        self.vocabulary = vocabulary
        self.unknown_phrases = list(unknown_phrases)
        self.translations = dict(translations or {})
        self.name_unknown_fields = name_unknown_fields

    def view(self) -> View:
        """Return the records that can be seen now."""
        return self.corpus.view(self.clock.now())

    def today(self) -> date:
        """Return the day at NLM."""
        return self.clock.now().astimezone(NLM_ZONE).date()
