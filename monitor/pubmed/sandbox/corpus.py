"""The records a sandbox serves, as raw bytes, each with the time it can be seen.

The timeline stands in the XML as processing instructions (docs/sandbox.md); PubMed's own files need none.
"""

from __future__ import annotations

import gzip
import re
from bisect import bisect_right
from collections import defaultdict, deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import RLock
from typing import NamedTuple
from xml.parsers import expat
from zoneinfo import ZoneInfo

from monitor.errors import UsageError

NLM_ZONE = ZoneInfo("America/New_York")
"""Dates at NLM are taken for US Eastern."""

_VIEWS = 8
"""Moments that are kept ready."""

_ALWAYS = datetime.min.replace(tzinfo=UTC)
_RECORD = re.compile(rb"<(PubmedArticle|PubmedBookArticle|DeleteCitation)(?=[\s/>])")
_SET = re.compile(rb"<PubmedArticleSet(?=[\s/>])")
_ROOT = re.compile(rb"<(PubmedArticleSet|PubmedArticle|PubmedBookArticle)(?=[\s/>])([^>]*)>")
_NAMESPACE = re.compile(rb"""\sxmlns(?::[\w.-]+)?\s*=\s*(?:"[^"]*"|'[^']*')""")
_PMID = re.compile(rb"<PMID(?=[\s>])([^>]*)>\s*([0-9]+)\s*</PMID\s*>")
_VERSION = re.compile(rb"""\sVersion\s*=\s*["']\s*([0-9]+)\s*["']""")
_ENTREZ = re.compile(
    rb"""<PubMedPubDate\s[^>]*PubStatus\s*=\s*["']entrez["'][^>]*>(.*?)</PubMedPubDate\s*>""", re.DOTALL
)
_DATE_PART = re.compile(rb"<(Year|Month|Day|Hour|Minute)\s*>\s*([0-9]+)\s*</")
_ATTRIBUTE = re.compile(r"""([\w-]+)\s*=\s*(?:"([^"]*)"|'([^']*)')""")


@dataclass(frozen=True, slots=True, eq=False)
class State:
    """What one version of one record is from `visible` on; `raw` is the element verbatim, None once removed.

    `number` is its place in the corpus and its identity; of two states of one moment the later stands.
    """

    number: int
    pmid: int
    version: int | None
    raw: bytes | None
    visible: datetime
    gone: datetime | None
    created: datetime | None


class Split(NamedTuple):
    """One record of a file: the element, its bytes, and what the instructions say of its time."""

    element: str
    raw: bytes
    visible: datetime | None
    gone: datetime | None


class Corpus:
    """Records with their timeline. May grow and shrink while it is served; safe to share between threads."""

    def __init__(self, *, by_create_date: bool = False) -> None:
        self.by_create_date = by_create_date
        self.namespaces: dict[bytes, bytes] = {}
        """Namespace declarations of the files' roots by prefix, which their records may need."""
        self._states: dict[int, list[State]] = defaultdict(list)
        self._all: list[State] = []
        self._times: list[datetime] | None = []
        self._views: dict[tuple[int, int], View] = {}
        self._lock = RLock()

    @classmethod
    def read(cls, *paths: Path, by_create_date: bool = False) -> Corpus:
        """Read PubMed XML files (`.xml`, `.xml.gz`).

        With `by_create_date` records that state no time appear at their Create Date (CRDT, US Eastern) instead of
        being always there. Raises UsageError for what is not PubMed XML.
        """
        corpus = cls(by_create_date=by_create_date)
        for path in paths:
            try:
                data = path.read_bytes()
                corpus.read_bytes(gzip.decompress(data) if data.startswith(b"\x1f\x8b") else data)
            except (OSError, EOFError) as error:
                raise UsageError(f"{path}: {error}") from error
            except UsageError as error:
                raise UsageError(f"{path}: {error}") from error
        return corpus

    @classmethod
    def of(cls, *documents: bytes, by_create_date: bool = False) -> Corpus:
        """Read whole documents (`PubmedArticleSet`) or single records from memory."""
        corpus = cls(by_create_date=by_create_date)
        for document in documents:
            corpus.read_bytes(document)
        return corpus

    def read_bytes(self, document: bytes) -> None:
        """Add every record of one document."""
        pieces = list(split(document))
        root = _ROOT.search(document)
        with self._lock:
            for declaration in _NAMESPACE.findall(root[2]) if root else ():
                prefix = declaration.partition(b"=")[0].strip()
                if self.namespaces.setdefault(prefix, declaration.strip()) != declaration.strip():
                    raise UsageError(f"{prefix.decode()} means something else here than in another file")
            for piece in pieces:
                if piece.element == "DeleteCitation":
                    for match in _PMID.finditer(piece.raw):
                        self.remove(int(match[2]), at=piece.visible)
                else:
                    self.add(piece.raw, visible=piece.visible, gone=piece.gone)

    def add(self, raw: bytes, *, visible: datetime | None = None, gone: datetime | None = None) -> State:
        """Let a record be seen from `visible` (else always, or from its Create Date) until `gone` or replaced."""
        match = _PMID.search(raw)
        if match is None:
            raise UsageError(f"a record without PMID: {raw[:80]!r}")
        version = _VERSION.search(match[1])
        created = create_date(raw)
        if visible is None:
            visible = (created if self.by_create_date else None) or _ALWAYS
        return self._append(int(match[2]), int(version[1]) if version else 1, raw, visible, gone, created)

    def remove(self, pmid: int, *, at: datetime | None = None) -> None:
        """Let every version of the record vanish, as PubMed does: no trace, no pointer."""
        self._append(pmid, None, None, at or _ALWAYS, None, None)

    def _append(
        self,
        pmid: int,
        version: int | None,
        raw: bytes | None,
        visible: datetime,
        gone: datetime | None,
        created: datetime | None,
    ) -> State:
        if gone is not None and gone <= visible:
            raise UsageError(f"PMID {pmid} is gone before it is visible")
        with self._lock:
            state = State(len(self._all), pmid, version, raw, visible, gone, created)
            self._all.append(state)
            self._states[pmid].append(state)
            self._times = None
            self._views.clear()
            return state

    @property
    def size(self) -> int:
        """How many states and removals there have been; the number of the next."""
        return len(self._all)

    def states(self, start: int = 0) -> list[State]:
        """Return every record state from that number on, seen or not, in corpus order, removals left out."""
        with self._lock:
            return [state for state in self._all[start:] if state.raw is not None]

    def view(self, now: datetime) -> View:
        """Return what can be seen at that moment; cheap while nothing changes."""
        with self._lock:
            if self._times is None:
                moments = {state.visible for state in self._all} | {state.gone for state in self._all if state.gone}
                self._times = sorted(moments)
            key = (len(self._all), bisect_right(self._times, now))
            if key not in self._views:
                while len(self._views) >= _VIEWS:
                    del self._views[next(iter(self._views))]
                shown = {pmid: state for pmid, states in self._states.items() if (state := _shown(states, now))}
                self._views[key] = View(shown, key)
            return self._views[key]


class View:
    """The corpus at one moment: one state for each PMID there is, its highest version. `key` names the moment."""

    def __init__(self, states: dict[int, State], key: tuple[int, int]) -> None:
        self.states = states
        self.key = key
        newest = sorted(states.values(), key=lambda state: (state.created or _ALWAYS, state.pmid), reverse=True)
        self.newest = [state.pmid for state in newest]
        self.numbers = frozenset(state.number for state in newest)

    def raw(self, pmid: int) -> bytes | None:
        state = self.states.get(pmid)
        return state.raw if state else None


def _shown(states: Iterable[State], now: datetime) -> State | None:
    """Return the highest version of a PMID that can be seen, or None."""
    begun = sorted((each for each in states if each.visible <= now), key=lambda each: (each.visible, each.number))
    current: dict[int, State] = {}
    for state in begun:
        if state.version is None:
            current.clear()
        else:
            current[state.version] = state
    there = [each for each in current.values() if each.gone is None or each.gone > now]
    return max(there, key=lambda each: each.version or 0, default=None)


def split(document: bytes) -> Iterator[Split]:
    """Cut a well-formed document into its records, byte for byte; entities and DTDs are not read."""
    instructions, opaque = _instructions(document)
    found: list[tuple[int, int, str]] = []
    position = 0
    while match := _RECORD.search(document, position):
        position = match.end()
        if _within(opaque, match.start()):
            continue
        element = match[1].decode()
        end = _end(document, element, match.end(), opaque)
        found.append((match.start(), end, element))
        position = end
    if not found and not _SET.search(document):
        raise UsageError("this is not PubMed XML: no PubmedArticle stands in it")
    root = next((m.start() for m in _SET.finditer(document) if not _within(opaque, m.start())), -1)
    whole: _Times = (None, None)
    waiting = deque(instructions)
    for start, end, element in found:
        own: _Times = (None, None)
        while waiting and waiting[0][0] < start:
            place, times = waiting.popleft()
            if place < root:
                whole = times
            else:
                own = times
        yield Split(element, document[start:end], own[0] or whole[0], own[1] or whole[1])
        if waiting and waiting[0][0] < end:
            raise UsageError("<?sandbox?> stands inside a record; it belongs before it")


def _within(ranges: list[tuple[int, int]], position: int) -> bool:
    place = bisect_right(ranges, (position, len(ranges) and ranges[-1][1])) - 1
    return place >= 0 and position < ranges[place][1]


def _end(document: bytes, element: str, position: int, opaque: list[tuple[int, int]]) -> int:
    """Return where a record ends whose start tag's name ends at `position`; the document is well-formed."""
    opened = document.index(b">", position) + 1
    if document[opened - 2 : opened] == b"/>":
        return opened
    closings = re.compile(rb"</" + element.encode() + rb"\s*>").finditer(document, opened)
    return next(each.end() for each in closings if not _within(opaque, each.start()))


_Times = tuple[datetime | None, datetime | None]


def _instructions(document: bytes) -> tuple[list[tuple[int, _Times]], list[tuple[int, int]]]:
    """Return the sandbox's instructions with their places, and the ranges that hold no markup; checks well-formedness."""
    instructions: list[tuple[int, _Times]] = []
    opaque: list[tuple[int, int]] = []
    parser = expat.ParserCreate()
    cdata = 0

    def instruction(target: str, data: str) -> None:
        if target == "sandbox":
            instructions.append((parser.CurrentByteIndex, _times(data)))
        opaque.append((parser.CurrentByteIndex, document.index(b"?>", parser.CurrentByteIndex) + 2))

    def comment(_: str) -> None:
        opaque.append((parser.CurrentByteIndex, document.index(b"-->", parser.CurrentByteIndex) + 3))

    def start_cdata() -> None:
        nonlocal cdata
        cdata = parser.CurrentByteIndex

    def end_cdata() -> None:
        opaque.append((cdata, parser.CurrentByteIndex + 3))

    parser.ProcessingInstructionHandler = instruction
    parser.CommentHandler = comment
    parser.StartCdataSectionHandler = start_cdata
    parser.EndCdataSectionHandler = end_cdata
    try:
        parser.Parse(document, True)
    except expat.ExpatError as error:
        raise UsageError(f"not well-formed XML: {error}") from error
    return instructions, opaque


def _times(data: str) -> _Times:
    given = {match[1]: match[2] if match[2] is not None else match[3] for match in _ATTRIBUTE.finditer(data)}
    if unknown := set(given) - {"visible", "gone"}:
        raise UsageError(f"<?sandbox?> knows visible and gone, not {', '.join(sorted(unknown))}")
    if not given:
        raise UsageError("<?sandbox?> says neither visible nor gone")
    return _moment(given.get("visible")), _moment(given.get("gone"))


def _moment(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise UsageError(f"<?sandbox?>: {text!r} is neither a date nor an ISO moment") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def create_date(raw: bytes) -> datetime | None:
    """Return the Create Date, which PubMed writes as history status `entrez`; None where it is missing or broken."""
    match = _ENTREZ.search(raw)
    if match is None:
        return None
    parts = {name.decode(): int(value) for name, value in _DATE_PART.findall(match[1])}
    try:
        day = datetime(parts["Year"], parts["Month"], parts["Day"], tzinfo=NLM_ZONE)
    except (KeyError, ValueError):
        return None
    return (day + timedelta(hours=parts.get("Hour", 0), minutes=parts.get("Minute", 0))).astimezone(UTC)
