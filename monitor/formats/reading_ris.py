"""Read RIS as reference managers and databases write it."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

from monitor.core.citation import (
    Abstract,
    AbstractSection,
    ArticleId,
    Author,
    AuthorList,
    Citation,
    ELocation,
    Journal,
    Pagination,
    PartialDate,
)
from monitor.core.markup import escape_text
from monitor.formats.reading_text import NamedRecord, lines_of, pmid_of, year_of

_TAG = re.compile(r"([A-Z][A-Z0-9]) {0,2}-(?: (.*)|$)")
_LINK = re.compile(
    r"(?i)\b(?:(?:www\.)?ncbi\.nlm\.nih\.gov/(?:m/)?pubmed/|pubmed\.ncbi\.nlm\.nih\.gov/|pubmed\.gov/|pubmed:)"
    r"(?:\?(?:[^\s#]*&)?(?:term|list_uids)=)?([0-9]+)(?![0-9A-Za-z.,+%])"
)
_OLD_LINK = re.compile(r"(?i)ncbi\.nlm\.nih\.gov/entrez/[^\s]*[?&]list_uids=([0-9]+)(?![0-9,])")
_LABELLED = re.compile(r"(?i)^\s*(?:pubmed\s+)?(?:pmid|pubmed\s*id|medline)\s*[:=]\s*([0-9]+)\s*\.?\s*(?:[;|(\[].*)?$")
_BRACKETED = re.compile(r"(?i)^\s*([0-9]+)\s*\[pmid\]\s*$")
_PUBMED = re.compile(r"(?i)\b(?:pubmed|medline|nlm)\b")
_LABEL_TAGS = (
    "AN",
    "ID",
    "PM",
    "U1",
    "U2",
    "U3",
    "U4",
    "U5",
    "C1",
    "C2",
    "C3",
    "C4",
    "C5",
    "C6",
    "C7",
    "C8",
    "M1",
    "M2",
    "N1",
    "RN",
    "DB",
)
_LINK_TAGS = ("UR", "L1", "L2", "L3", "LK", "LI")


@dataclass
class _Entry:
    line: int
    values: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    last: str | None = None

    def first(self, *tags: str) -> str | None:
        return next((text for tag in tags for text in self.values.get(tag, ()) if text), None)


def read(text: str) -> Iterator[NamedRecord]:
    """Yield each entry. `TY` begins one; `ER`, or the next `TY`, or the end of the file ends it."""
    entry: _Entry | None = None
    for number, each in enumerate(lines_of(text), 1):
        found = _TAG.match(each.strip() if each[:1].isspace() and _TAG.match(each.strip()) else each)
        tag = found.group(1) if found is not None else None
        if tag == "TY":
            if entry is not None:
                yield _named(entry)
            entry = _Entry(number)
        if tag == "ER":
            if entry is not None:
                yield _named(entry)
            entry = None
        elif entry is None:
            continue
        elif found is not None and tag is not None:
            # Both mean an author; files that mix them mean one list.
            entry.last = "AU" if tag == "A1" else tag
            entry.values[entry.last].append((found.group(2) or "").strip())
        elif each.strip() and entry.last is not None:
            _go_on(entry, each.strip())
    if entry is not None:
        yield _named(entry)


def pmid_of_link(text: str) -> int | None:
    """PMID of an address at PubMed, or None; an address that names several is none."""
    numbers = {found.group(1) for pattern in (_LINK, _OLD_LINK) for found in pattern.finditer(text)}
    return pmid_of(numbers.pop()) if len(numbers) == 1 else None


def pmid(entry_values: dict[str, list[str]]) -> int | None:
    """The PMID an entry states of itself; None when it states none, or two that differ.

    A bare number counts in `AN` only when the entry says that it comes from PubMed or MEDLINE; elsewhere a number
    counts when it is labelled and stands alone, or in a link to PubMed. A PMID within a sentence may be another
    paper's.
    """
    numbers: set[int | None] = set()
    from_pubmed = any(_PUBMED.search(text) for tag in ("DB", "DP", "DS") for text in entry_values.get(tag, ()))
    for text in entry_values.get("AN", ()):
        if from_pubmed and text.isdecimal():
            numbers.add(pmid_of(text))
    numbers.update(pmid_of(text) for text in entry_values.get("PM", ()) if text.isdecimal())
    for tag in _LABEL_TAGS:
        for text in entry_values.get(tag, ()):
            found = _LABELLED.match(text) or _BRACKETED.match(text)
            if found is not None:
                numbers.add(pmid_of(found.group(1)))
    for tag in _LINK_TAGS:
        numbers.update(pmid_of_link(text) for text in entry_values.get(tag, ()))
    numbers.discard(None)
    return numbers.pop() if len(numbers) == 1 else None


def _go_on(entry: _Entry, text: str) -> None:
    """Take in a line without a tag: a further keyword, or the rest of the value before."""
    assert entry.last is not None  # noqa: S101 - the caller has looked
    values = entry.values[entry.last]
    if entry.last == "KW":
        values.append(text)
    else:
        values[-1] = f"{values[-1]} {text}".strip()


def _named(entry: _Entry) -> NamedRecord:
    number = pmid(entry.values)
    title = entry.first("TI", "T1", "CT", "BT", "ST")
    return NamedRecord(number, title, entry.line, _citation(number, title, entry) if number is not None else None)


def _citation(number: int, title: str | None, entry: _Entry) -> Citation:
    names = tuple(_author(text) for text in entry.values.get("AU", ()) if text.strip(", "))
    doi = _doi(entry)
    abstract = entry.first("AB", "N2")
    start, end = entry.first("SP"), entry.first("EP")
    journal = Journal(
        title=entry.first("T2", "JF", "JO"),
        medline_ta=entry.first("J2", "JA"),
        volume=entry.first("VL"),
        issue=entry.first("IS"),
        pub_date=_date(entry.first("DA"), entry.first("PY", "Y1")),
    )
    return Citation(
        pmid=number,
        journal=journal if any(each is not None for each in journal) else None,
        title=escape_text(title) if title else None,
        pagination=Pagination(start, end) if start else None,
        elocations=(ELocation(doi, "doi"),) if doi else (),
        abstract=Abstract((AbstractSection(escape_text(abstract)),)) if abstract else None,
        author_lists=(AuthorList(names, kind="authors"),) if names else (),
        article_ids=(ArticleId(str(number)), *((ArticleId(doi, "doi"),) if doi else ())),
    )


def _author(text: str) -> Author:
    """`Last, Fore, Suffix`; without a comma it is a group, or a name that nobody can take apart."""
    parts = [part.strip() for part in text.split(",")]
    if len(parts) < 2 or not parts[0] or not parts[1]:
        return Author(collective_name=escape_text(text.strip(", ")))
    initials = "".join(word[0] for word in re.split(r"[\s.-]+", parts[1]) if word)
    suffix = escape_text(parts[2]) if len(parts) > 2 and parts[2] else None
    return Author(parts[0], parts[1], initials.upper()[:6] or None, suffix)


def _doi(entry: _Entry) -> str | None:
    for text in (*entry.values.get("DO", ()), *entry.values.get("UR", ()), *entry.values.get("M3", ())):
        found = re.search(r"(?i)(?:^|doi\.org/|doi:\s*)(10\.[0-9]{4,9}/\S+)$", text)
        if found is not None:
            return found.group(1)
    return None


def _date(dated: str | None, year: str | None) -> PartialDate | None:
    """`YYYY/MM/DD/other`, as far as it is filled in; anything else gives the year it names, if any."""
    found = re.match(r"\s*([0-9]{4})(?:/([0-9]{0,2})(?:/([0-9]{0,2}))?)?(?:/|\s*$)", dated or year or "")
    if found is not None and year_of(found.group(1)) is not None:
        month = int(found.group(2) or 0)
        day = int(found.group(3) or 0)
        known = 1 <= month <= 12
        return PartialDate(int(found.group(1)), month if known else None, day if known and 1 <= day <= 31 else None)
    only = year_of(year or "") or year_of(dated or "")
    return PartialDate(only) if only is not None else None
