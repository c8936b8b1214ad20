"""Brings records from PubMed: several requests under way, answers read as they come, what is bad narrowed down.

Every PMID asked for ends in exactly one place: its citation, a refusal with the reason, or missing.
"""

from __future__ import annotations

import logging
import queue
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from monitor.core.citation import Citation, Deleted
from monitor.errors import (
    BatchTooLarge,
    IncompleteResponse,
    MonitorError,
    PubmedError,
    PubmedRefused,
    PubmedUnavailable,
    RecordError,
)
from monitor.pubmed.parse import read_records
from monitor.services.ports import PubmedSource

log = logging.getLogger(__name__)

IN_FLIGHT = 5
"""Requests under way: the client lets PubMed work on three at once, and the line carries the answers of others."""
SMALL_BATCH, LARGE_BATCH = 200, 500
"""PMIDs a request: small sets keep several requests under way, large ones spend fewer (NLM: several hundred)."""
MOST_REFUSALS = 20
"""So many records refused and none read: that is PubMed, not the records."""


class Stopped(MonitorError):
    """Somebody asked us to stop; what is stored stays, and the next run goes on from there."""


@dataclass(slots=True)
class Retrieved:
    """What became of some of the PMIDs asked for. A PMID may have citations of several Versions."""

    citations: list[Citation] = field(default_factory=list)
    refused: list[RecordError] = field(default_factory=list)
    missing: list[int] = field(default_factory=list)

    @property
    def pmids(self) -> list[int]:
        """Every PMID that is settled by this."""
        read = dict.fromkeys(each.pmid for each in self.citations)
        return [*read, *(each.pmid for each in self.refused if each.pmid is not None), *self.missing]


@dataclass(frozen=True, slots=True)
class _Batch:
    """PMIDs to ask for together. `again`: what was left out or damaged is asked for the second time.

    `parsed` counts answers thrown away while reading; `read_before` is what had been read when it was split off.
    """

    pmids: tuple[int, ...]
    again: bool = False
    parsed: int = 0
    read_before: int | None = None


def batch_size(number: int) -> int:
    """Return how many PMIDs to ask for at once."""
    return LARGE_BATCH if number >= 2 * LARGE_BATCH * IN_FLIGHT else SMALL_BATCH


def retrieve(
    source: PubmedSource,
    pmids: Sequence[int],
    *,
    size: int | None = None,
    in_flight: int = IN_FLIGHT,
    stopping: Callable[[], bool] = lambda: False,
) -> Iterator[Retrieved]:
    """Yield what comes, in no order; while the caller stores one part, the next ones are on their way.

    Raises PubmedRefused or PubmedUnavailable after everything that did come was yielded; Stopped when asked to.
    """
    fetching = _Fetching(source, list(dict.fromkeys(pmids)), size or batch_size(len(pmids)))
    with _Line(source, min(in_flight, len(fetching.waiting)) or 1) as line:
        trouble: MonitorError | None = None

        def send() -> None:
            nonlocal trouble
            while fetching.waiting and line.under_way < in_flight and trouble is None:
                if stopping():
                    trouble = Stopped("stopped before everything was fetched")
                else:
                    line.send(fetching.waiting.popleft())

        while True:
            send()
            if not line.under_way:
                break
            batch, answer = line.receive()
            # The next request leaves before this answer is read, so that the line is never idle.
            send()
            try:
                part = fetching.settle(batch, answer)
            except MonitorError as error:
                trouble = trouble or error
                continue
            if part is not None:
                yield part
        if trouble is not None:
            raise trouble
        yield from fetching.rest()


class _Line:
    """Threads that fetch. They are daemons, so that a process that has to end does not wait for PubMed."""

    def __init__(self, source: PubmedSource, threads: int) -> None:
        self._source = source
        self._asked: queue.SimpleQueue[_Batch | None] = queue.SimpleQueue()
        self._answered: queue.SimpleQueue[tuple[_Batch, bytes | Exception]] = queue.SimpleQueue()
        self._threads = [
            threading.Thread(target=self._work, name=f"fetch-{number}", daemon=True) for number in range(threads)
        ]
        self.under_way = 0

    def __enter__(self) -> _Line:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        for _each in self._threads:
            self._asked.put(None)

    def send(self, batch: _Batch) -> None:
        self.under_way += 1
        self._asked.put(batch)

    def receive(self) -> tuple[_Batch, bytes | Exception]:
        answer = self._answered.get()
        self.under_way -= 1
        return answer

    def _work(self) -> None:
        while (batch := self._asked.get()) is not None:
            try:
                self._answered.put((batch, self._source.fetch(batch.pmids)))
            except Exception as error:
                self._answered.put((batch, error))


class _Fetching:
    def __init__(self, source: PubmedSource, pmids: list[int], size: int) -> None:
        self.waiting = deque(_Batch(tuple(pmids[at : at + size])) for at in range(0, len(pmids), size))
        self._read = 0
        self._doubtful: list[RecordError] = []

    def settle(self, batch: _Batch, answer: bytes | Exception) -> Retrieved | None:
        """Read an answer; what it leaves open waits again, narrowed down. None when nothing is settled yet.

        Refusals count only when some record could be read: else it is PubMed that is at fault.
        """
        part = self._settle(batch, answer) or Retrieved()
        part.refused = [*self._doubtful, *part.refused]
        self._doubtful = []
        if not self._read:
            self._doubtful, part.refused = part.refused, []
            if len(self._doubtful) > MOST_REFUSALS:
                raise self._nothing_readable()
        return part if part.pmids else None

    def rest(self) -> Iterator[Retrieved]:
        """Yield the refusal of a record that was asked for alone; raise when several were refused and none was read."""
        if len(self._doubtful) > 1:
            raise self._nothing_readable()
        if self._doubtful:
            yield Retrieved(refused=self._doubtful)

    def _nothing_readable(self) -> PubmedUnavailable:
        return PubmedUnavailable(
            f"none of {len(self._doubtful)} records could be had or read, the first because: {self._doubtful[0].why}"
        )

    def _settle(self, batch: _Batch, answer: bytes | Exception) -> Retrieved | None:
        if isinstance(answer, Exception):
            return self._failed(batch, answer)
        try:
            citations, errors = _read(answer, batch.pmids, strict=batch.parsed == 0)
        except IncompleteResponse as error:
            if batch.parsed == 0:
                self.waiting.appendleft(_Batch(batch.pmids, batch.again, 1, batch.read_before))
                return None
            if len(batch.pmids) > 1:
                self._push(batch.pmids, again=batch.again)
                return None
            return self._refuse(batch, str(error))
        self._read += len(citations)
        part = Retrieved(citations)
        read = {each.pmid for each in citations}
        left = [pmid for pmid in batch.pmids if pmid not in read]
        if not left:
            return part
        if not batch.again:
            # Left out or damaged: the line may have done it, so it is asked for once more before it counts.
            self.waiting.appendleft(_Batch(tuple(left), again=True))
            return part if citations else None
        why = {each.pmid: each for each in errors if each.pmid in left}
        nameless = [each for each in errors if each.pmid is None]
        part.refused = list(why.values())
        rest = [pmid for pmid in left if pmid not in why]
        if nameless and rest:
            if len(batch.pmids) > 1:
                self._push(rest, again=True)
                return part if part.pmids else None
            part.refused.append(RecordError(rest[0], nameless[0].why))
        else:
            part.missing = rest
        return part

    def _failed(self, batch: _Batch, error: Exception) -> Retrieved | None:
        if isinstance(error, PubmedRefused) or not isinstance(error, (PubmedError, PubmedUnavailable)):
            raise error
        if isinstance(error, (BatchTooLarge, PubmedError)):
            log.warning("%d records cannot be had together: %s", len(batch.pmids), error)
            if len(batch.pmids) == 1:
                return self._refuse(batch, str(error))
            self._push(batch.pmids, again=batch.again)
            return None
        if len(batch.pmids) == 1 and batch.read_before is not None and self._read > batch.read_before:
            # Its neighbours came through since it was split from them: this one record is at fault, not PubMed.
            return self._refuse(batch, str(error))
        raise error

    def _refuse(self, batch: _Batch, why: str) -> Retrieved:
        return Retrieved(refused=[RecordError(batch.pmids[0], why)])

    def _push(self, pmids: Sequence[int], *, again: bool) -> None:
        middle = max(len(pmids) // 2, 1)
        for half in (pmids[middle:], pmids[:middle]):
            if half:
                self.waiting.appendleft(_Batch(tuple(half), again, 0, self._read))


def _read(body: bytes, asked: Sequence[int], *, strict: bool) -> tuple[list[Citation], list[RecordError]]:
    """Read the records asked for. Others, which PubMed does not send, mean a mixed answer: `strict` refuses it."""
    wanted = set(asked)
    citations: list[Citation] = []
    errors: list[RecordError] = []
    for found in read_records([body]):
        if isinstance(found, RecordError):
            errors.append(found)
        elif isinstance(found, Deleted):
            continue
        elif found.pmid in wanted:
            citations.append(found)
        elif strict:
            raise IncompleteResponse(f"the answer holds PMID {found.pmid}, which was not asked for")
        else:
            log.warning("PubMed sent PMID %d, which was not asked for; left aside", found.pmid)
    return citations, errors
