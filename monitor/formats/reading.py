"""Read files that name PubMed records: NBIB, RIS, and lists of PMIDs.

Such files are other programs' exports, so reading is tolerant; a PMID is taken only where it is labelled as one. What
stands beside it is kept as a provisional citation until the record itself is fetched.
"""

from __future__ import annotations

import enum
import re
import zlib
from collections.abc import Iterator
from typing import NamedTuple

from monitor.core.citation import Citation
from monitor.errors import UsageError
from monitor.formats import reading_nbib, reading_ris
from monitor.formats.reading_text import NamedRecord, decode, lines_of, pmid_of

__all__ = ["Kind", "NamedRecord", "read", "sniff"]


class Kind(enum.Enum):
    """What an import file is; the value is its name for people."""

    PUBMED_XML = "PubMed XML"
    NBIB = "NBIB"
    RIS = "RIS"
    PMID_LIST = "list of PMIDs"


class _Strange(NamedTuple):
    """A sign of something that we do not read."""

    pattern: re.Pattern[str]
    what: str


_NBIB = re.compile(
    r"(?m)^(?:PMID- ?\d|(?:OWN|STAT|PMC|TI|AU|AB|JT|SO|PT|UI|FAU|LA|IS|VI|DP|TA) ?-(?: |$)|[A-Z]{3} - |[A-Z]{4}- )"
)
_RIS = re.compile(r"(?m)^TY {1,2}- ?\w")
_STRANGE = (
    _Strange(re.compile(r"%PDF-"), "a PDF document"),
    _Strange(re.compile(r"PK\x03\x04"), "a ZIP archive or office document"),
    _Strange(re.compile(r"SQLite format 3\x00"), "a SQLite database"),
    _Strange(re.compile(r"\s*(<!doctype\s+html|<html)", re.I), "an HTML page"),
    _Strange(re.compile(r"\s*(FN (Clarivate|Thomson|ISI)|PT [A-Z]\s*$)", re.M), "a Web of Science export"),
    _Strange(re.compile(r"\s*%0[ \r\n]"), "an EndNote export (.enw)"),
    _Strange(re.compile(r"(\s*%[^\n]*\n)*\s*@\w+\s*[{(]"), "BibTeX"),
    _Strange(re.compile(r"\s*([A-Z][A-Z0-9]  - [^\n]*\n){3}"), "RIS without the TY line that begins each entry"),
    _Strange(re.compile(r"\s*[\[{]"), "JSON"),
    _Strange(re.compile(r"1: .*\S+\.", re.S), "PubMed's Summary (text)"),
    _Strange(re.compile(r"[^\n]*[,;\t][^\n]*[,;\t][^\n]*[A-Za-z]"), "a table (CSV)"),
)


def sniff(head: bytes, name: str) -> Kind:
    """Say what a file is from its first bytes (64 KB are plenty; gzip is looked into) and its name.

    Raise UsageError that says what was found instead.
    """
    data = _unpacked(head)
    text = decode(data, cut=True)
    body = text.lstrip()
    if not body:
        raise UsageError(f"{name}: the file is empty")
    if body.startswith("<"):
        return _xml(body, name)
    # Signs are looked for where they stand, so a binary's control characters are left in.
    start = "\n".join(re.split(r"\r\n|\r|\n", text)[:400])
    # RIS first: a RIS record may hold a line that looks like MEDLINE, a MEDLINE record has no TY.
    if _RIS.search(start):
        return Kind.RIS
    found = next((each.what for each in _STRANGE if each.pattern.match(start)), None)
    if found is None and _NBIB.search(start):
        return Kind.NBIB
    # Any table has numbers in it; a list of PMIDs has little else.
    lines = [pmids for pmids in map(_list_line, lines_of(text)[:50]) if pmids]
    if len([pmids for pmids in lines if None not in pmids]) * 2 > len(lines):
        return Kind.PMID_LIST
    raise UsageError(
        f"{name}: this is {found or 'a text without PMIDs'}; "
        "PubMed XML (.xml, .xml.gz), NBIB, RIS and lists of PMIDs can be imported"
    )


def read(data: bytes, kind: Kind) -> Iterator[NamedRecord]:
    """Yield what a file of that kind names, in order; an entry without a PMID comes with `pmid=None`."""
    text = decode(data)
    if kind is Kind.NBIB:
        yield from reading_nbib.read(text)
    elif kind is Kind.RIS:
        yield from reading_ris.read(text)
    elif kind is Kind.PMID_LIST:
        yield from _read_list(text)
    else:
        raise UsageError(f"{kind.value} holds whole records; it is parsed, not read as a list of names")


def _read_list(text: str) -> Iterator[NamedRecord]:
    for number, each in enumerate(lines_of(text), 1):
        pmids = _list_line(each)
        for pmid in pmids:
            if pmid is not None:
                yield NamedRecord(pmid, None, number, Citation(pmid=pmid))
        if None in pmids:
            yield NamedRecord(None, each.strip()[:200], number, None)


def _list_line(text: str) -> list[int | None]:
    """PMIDs of one line; a None at the end says that something else stood there too."""
    body = text.split("#", 1)[0].strip() if not re.search(r"://\S*#", text) else text.strip()
    if not body or body.strip("\"'").casefold() in ("pmid", "pmids", "pubmed id", "pubmed_id", "uid"):
        return []
    body = re.sub(r"(?i)\bpm[ -]?id\s*[:=]?\s*(?=\d)", "", body)
    found: list[int | None] = []
    strange = False
    for word in re.split(r"[\s,;|]+", body):
        bare = word.strip("\"'()[]<>.")
        if not bare:
            continue
        pmid = pmid_of(bare) if bare.isdecimal() else pmid_of_link(bare)
        if pmid is None:
            strange = True
        else:
            found.append(pmid)
    return [*found, None] if strange else found


def pmid_of_link(text: str) -> int | None:
    """PMID of an address at PubMed, or None."""
    return reading_ris.pmid_of_link(text)


def _xml(body: str, name: str) -> Kind:
    root = re.search(r"<(?:!DOCTYPE\s+)?([A-Za-z_][\w.:-]*)", re.sub(r"<!--.*?-->|<\?.*?\?>", "", body, flags=re.S))
    found = root.group(1) if root is not None else "nothing"
    if re.fullmatch(r"Pubmed(Book)?Article(Set)?|MedlineCitation(Set)?|DeleteCitation", found):
        return Kind.PUBMED_XML
    what = "an HTML page" if found.casefold() == "html" else f"XML of another kind (<{found}>)"
    raise UsageError(f"{name}: this is {what}, not PubMed XML")


def _unpacked(head: bytes) -> bytes:
    if head[:2] != b"\x1f\x8b":
        return head
    try:
        return zlib.decompressobj(wbits=31).decompress(head, 1 << 16)
    except zlib.error as error:
        raise UsageError(f"the file is damaged gzip: {error}") from error
