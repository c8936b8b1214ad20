"""PubMed XML as citations: bytes in, `Citation | RecordError | Deleted` out; opens no socket, loads no DTD."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final, cast

from lxml import etree

from monitor.core.citation import Citation, Deleted
from monitor.errors import IncompleteResponse, RecordError
from monitor.pubmed.articles import article
from monitor.pubmed.books import book_article
from monitor.pubmed.cutting import CHUNK, LARGEST_RECORD, Cutter
from monitor.pubmed.elements import number
from monitor.pubmed.inline import Element, Unreadable, whole

__all__ = ["Deleted", "Found", "open_records", "read_records"]

Found = Citation | RecordError | Deleted

_OWNER: Final = re.compile(rb"<(?:MedlineCitation|BookDocument)(?=[\s>])(?:[^<>\"']|\"[^\"<]*\"|'[^'<]*')*>\s*")
_PMID: Final = re.compile(rb"<PMID(?:\s[^<>]*)?>\s*([0-9]{1,10})\s*</PMID\s*>")
_PLACES_OF_PMID: Final = ("MedlineCitation/PMID", "BookDocument/PMID", "PMID")
_PLACE: Final = re.compile(r",? line \d+, column \d+.*", re.DOTALL)
_GZIP: Final = b"\x1f\x8b"


def read_records(source: Iterable[bytes]) -> Iterator[Found]:
    """Yield each record, why it cannot be read, or that NLM deleted it; memory stays flat.

    One unreadable record costs only itself. Raises `IncompleteResponse` at once for what is not a set of
    PubMed records, and at the end, after everything whole was yielded, for a set that is cut off or mixed
    with something else. A document with DTD declarations of its own is refused before anything is expanded.
    """
    cutter = Cutter(source)
    reader = _Reader(cutter.head, cutter.tail)
    for chunk in cutter.chunks():
        if chunk is None:
            yield RecordError(_pmid(cutter.oversized), f"the record is larger than {LARGEST_RECORD // 2**20} MiB")
            continue
        root = reader.tree(chunk)
        if root is not None:
            yield from reader.found(root)
            cutter.accept()
        elif not cutter.give_back(chunk):
            yield from reader.salvage(chunk, cutter)
    rest, problem = cutter.finish()
    if rest.strip():
        yield from reader.salvage(rest, cutter)
    if problem or reader.problem:
        raise IncompleteResponse(problem or reader.problem)


def open_records(path: Path) -> Iterator[bytes]:
    """Yield the XML of a plain or gzipped file, told apart by content, with several gzip members if need be.

    A gzip file that is cut off or damaged raises `IncompleteResponse` after what was whole.
    """
    with path.open("rb") as file:
        start = file.read(CHUNK)
        if not start.startswith(_GZIP):
            while start:
                yield start
                start = file.read(CHUNK)
            return
        data, member = start, zlib.decompressobj(wbits=31)
        while True:
            try:
                piece = member.decompress(data, CHUNK)
            except zlib.error as error:
                raise IncompleteResponse(f"{path.name}: the gzip file is damaged ({error})") from error
            if piece:
                yield piece
            if member.eof:
                data = member.unused_data.lstrip(b"\0") or file.read(CHUNK).lstrip(b"\0")
                if not data:
                    return
                member = zlib.decompressobj(wbits=31)
                continue
            data = member.unconsumed_tail or file.read(CHUNK)
            if not data and len(piece) < CHUNK:
                raise IncompleteResponse(f"{path.name}: the gzip file is cut off")


class _Reader:
    """Parses chunks; `problem` is what makes the whole document doubtful, `_why` the last syntax error."""

    def __init__(self, head: bytes, tail: bytes) -> None:
        self._head = head
        self._tail = tail
        self.problem: str | None = None
        self._why = ""
        self._parser = etree.XMLParser(
            resolve_entities=False,
            no_network=True,
            load_dtd=False,
            huge_tree=False,
            remove_comments=True,
            remove_pis=True,
            collect_ids=False,
        )
        if self.tree(b"") is None:
            raise IncompleteResponse(f"the root element is broken: {self._why}")

    def tree(self, chunk: bytes) -> etree._Element | None:
        try:
            return etree.fromstring(self._head + chunk + self._tail, self._parser)
        except etree.XMLSyntaxError as error:
            self._why = _PLACE.sub("", error.msg or "") or "not well-formed"
            return None

    def found(self, root: etree._Element) -> Iterator[Found]:
        """Read the children of a set."""
        self._stray(root.text)
        for child in cast(Element, root)[:]:
            tag = child.tag
            try:
                if tag in ("PubmedArticle", "MedlineCitation"):
                    yield article(child)
                elif tag in ("PubmedBookArticle", "BookDocument"):
                    yield book_article(child)
                elif tag in ("DeleteCitation", "DeleteDocument"):
                    yield from _deleted(child)
                elif tag == "ERROR":
                    self.problem = f"an error stands among the records: {' '.join((child.text or '').split())[:200]}"
                else:
                    yield RecordError(
                        _own_pmid(child),
                        f"unknown element {tag[:80]} among the records",
                    )
            except Unreadable as error:
                yield RecordError(_own_pmid(child), str(error))
            self._stray(child.tail)

    def salvage(self, chunk: bytes, cutter: Cutter) -> Iterator[Found]:
        """Read one record at a time from a chunk that cannot be read as a whole."""
        at = 0
        for end in [*cutter.ends(chunk, complete=True), len(chunk)]:
            piece = chunk[at:end]
            at = end
            if not piece.strip():
                continue
            root = self.tree(piece)
            if root is not None:
                yield from self.found(root)
                continue
            starts = cutter.starts(piece)
            if len(starts) == 1 and not piece[: starts[0]].strip():
                yield self._error(piece)
                continue
            for begin, stop in zip([0, *starts], [*starts, len(piece)], strict=True):
                part = piece[begin:stop]
                if not part.strip():
                    continue
                root = self.tree(part)
                if root is not None:
                    yield from self.found(root)
                elif begin in starts:
                    yield self._error(part)
                elif cutter.is_root_tag_in(part):
                    self.problem = "several documents stand in one answer"
                else:
                    yield self._error(part)

    def _error(self, piece: bytes) -> RecordError:
        return RecordError(_pmid(piece), self._why)

    def _stray(self, text: str | None) -> None:
        if text and not text.isspace():
            self.problem = f"text stands between the records: {' '.join(text.split())[:200]}"


def _deleted(element: Element) -> Iterator[Found]:
    for child in element:
        pmid = number(child.text) if child.tag == "PMID" else None
        if pmid:
            yield Deleted(pmid, number(child.get("Version")) or 1)
        else:
            yield RecordError(None, f"cannot tell what {element.tag} deletes: {whole(child)[:200]}")


def _own_pmid(record: Element) -> int | None:
    """Return the PMID of a record itself, never one of those it links to."""
    found = (cast(etree._Element, record).findtext(place) for place in _PLACES_OF_PMID)
    return next((number(text) for text in found if text is not None), None)


def _pmid(record: bytes) -> int | None:
    """Return the PMID of a record that is no XML: by the DTD the first thing in it. Any other may be another paper's."""
    owner = _OWNER.search(record)
    found = _PMID.match(record, owner.end()) if owner is not None else None
    return number(found[1].decode("ascii")) if found is not None else None
