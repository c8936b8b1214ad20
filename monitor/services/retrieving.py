"""Brings records from PubMed: several requests under way, answers read as they come, what is bad narrowed down.

Every PMID asked for ends in exactly one place: its citation, a refusal with the reason, or missing.
"""

from __future__ import annotations

import logging
import queue
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

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
WITNESSES = 3
"""Records asked for again with what was left out: an answer that brings none of them says nothing of the others."""


class Stopped(MonitorError):
    """Somebody asked us to stop; what is stored stays, and the next run goes on from there."""


@dataclass(slots=True)
class Retrieved:
    """What became of some of the PMIDs asked for. A PMID may have citations of several Versions.

    `missing` were left out twice, the second time by an answer that brought records known to be there.
    """

    citations: list[Citation] = field(default_factory=list)
    refused: list[RecordError] = field(default_factory=list)
    missing: list[int] = field(default_factory=list)

    @property
    def pmids(self) -> list[int]:
        """Every PMID that this is about."""
        return [*self.settled, *self.missing]

    @property
    def settled(self) -> list[int]:
        """PMIDs not to be asked for again when a poll that is cut short goes on."""
        read = dict.fromkeys(each.pmid for each in self.citations)
        return [*read, *(each.pmid for each in self.refused if each.pmid is not None)]


@dataclass(frozen=True, slots=True)
class _Batch:
    """PMIDs to ask for together. `again`: what was left out or damaged is asked for the second time.

    `parsed` counts answers thrown away while reading; `read_before` is what had been read when it was split off.
    `witnesses` are PMIDs known to be there, asked for once more beside those that were left out.
    """

    pmids: tuple[int, ...]
    again: bool = False
    parsed: int = 0
    read_before: int | None = None
    witnesses: tuple[int, ...] = ()

    @property
    def asked(self) -> tuple[int, ...]:
        """The PMIDs of the request. Witnesses stand last, so that an answer that was cut short lacks them."""
        return self.pmids + self.witnesses


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
    known: Callable[[int], Sequence[int]] = lambda _: (),
) -> Iterator[Retrieved]:
    """Yield what comes, in no order; while the caller stores one part, the next ones are on their way.

    `known` names up to so many PMIDs that PubMed gave before, as witnesses while nothing of this was read.
    Raises PubmedRefused or PubmedUnavailable after everything that did come was yielded; Stopped when asked to.
    """
    fetching = _Fetching(list(dict.fromkeys(pmids)), size or batch_size(len(pmids)), known)
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
                self._answered.put((batch, self._source.fetch(batch.asked)))
            except Exception as error:
                self._answered.put((batch, error))


class _Fetching:
    def __init__(self, pmids: list[int], size: int, known: Callable[[int], Sequence[int]]) -> None:
        self.waiting = deque(_Batch(tuple(pmids[at : at + size])) for at in range(0, len(pmids), size))
        self._asked = set(pmids)
        self._known = known
        self._read = 0
        self._seen: deque[int] = deque(maxlen=WITNESSES)
        self._doubtful: list[RecordError] = []
        self._unsure: list[int] = []
        """Left out while no record was known that could have witnessed it."""

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
        elif self._unsure:
            self._push(self._unsure, again=True)
            self._unsure = []
        return part if part.pmids else None

    def rest(self) -> Iterator[Retrieved]:
        """Yield what became of a record that was asked for alone; raise when several were and none was read."""
        if len(self._doubtful) > 1:
            raise self._nothing_readable()
        if len(self._unsure) > 1:
            raise PubmedUnavailable(f"PubMed gave none of the {len(self._unsure)} records that were asked for")
        if self._doubtful or self._unsure:
            yield Retrieved(refused=self._doubtful, missing=self._unsure)

    def _nothing_readable(self) -> PubmedUnavailable:
        return PubmedUnavailable(
            f"none of {len(self._doubtful)} records could be had or read, the first because: {self._doubtful[0].why}"
        )

    def _settle(self, batch: _Batch, answer: bytes | Exception) -> Retrieved | None:
        if isinstance(answer, Exception):
            return self._failed(batch, answer)
        try:
            citations, errors = _read(answer, batch.asked, strict=batch.parsed == 0)
        except IncompleteResponse as error:
            if batch.parsed == 0:
                self.waiting.appendleft(replace(batch, parsed=1))
                return None
            if len(batch.pmids) > 1:
                self._push(batch.pmids, again=batch.again)
                return None
            return self._refuse(batch, str(error))
        self._read += len(citations)
        came = dict.fromkeys(each.pmid for each in citations)
        self._seen.extend(came)
        witnessed = any(pmid in came for pmid in batch.witnesses)
        citations = [each for each in citations if each.pmid in batch.pmids]
        part = Retrieved(citations)
        read = {each.pmid for each in citations}
        left = [pmid for pmid in batch.pmids if pmid not in read]
        if not left:
            return part
        if not batch.again:
            # Left out or damaged: the line may have done it, so it is asked for once more before it counts.
            self.waiting.appendleft(_Batch(tuple(left), again=True, witnesses=self._witnesses(left)))
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
        elif witnessed:
            part.missing = rest
        elif not batch.witnesses:
            self._unsure += rest
        elif batch.parsed == 0 and rest:
            self.waiting.appendleft(_Batch(tuple(rest), again=True, parsed=1, witnesses=batch.witnesses))
        elif rest:
            raise PubmedUnavailable(
                f"PubMed gave neither {len(rest)} records that were asked for nor PMID {batch.witnesses[0]}, "
                "which it gave before"
            )
        return part if part.pmids else None

    def _witnesses(self, left: Sequence[int]) -> tuple[int, ...]:
        """Choose records that are known to be there: the last ones read, else what the caller knows."""
        seen = [pmid for pmid in self._seen if pmid not in left]
        if seen:
            return tuple(dict.fromkeys(seen))
        known = self._known(len(self._asked) + WITNESSES)
        return tuple([pmid for pmid in known if pmid not in self._asked][:WITNESSES])

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
                witnesses = self._witnesses(half) if again else ()
                self.waiting.appendleft(_Batch(tuple(half), again, 0, self._read, witnesses))


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
