"""Read NBIB / MEDLINE as PubMed, its mirrors and its elder versions write it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from monitor.core.citation import (
    Abstract,
    AbstractSection,
    Affiliation,
    ArticleDate,
    ArticleId,
    Author,
    AuthorList,
    Chemical,
    Citation,
    DataBank,
    ELocation,
    HistoryDate,
    Identifier,
    Issn,
    Journal,
    Keyword,
    KeywordList,
    MeshHeading,
    MeshTerm,
    Pagination,
    PartialDate,
    PublicationType,
)
from monitor.core.markup import escape_text
from monitor.formats import notices
from monitor.formats.reading_text import NamedRecord, lines_of, pmid_of, year_of
from monitor.formats.wording import MONTHS

_TAG = re.compile(r"([A-Z][A-Z0-9]{1,3}) {0,2}-(.*)")
_SEASONS = ("Spring", "Summer", "Autumn", "Fall", "Winter")


class _Line(NamedTuple):
    tag: str
    text: str


class _Entry(NamedTuple):
    line: int
    fields: list[_Line]

    def all(self, tag: str) -> list[str]:
        return [text for each, text in self.fields if each == tag and text]

    def first(self, tag: str) -> str | None:
        return next(iter(self.all(tag)), None)

    def has(self, *tags: str) -> bool:
        return any(each.tag in tags for each in self.fields)


def read(text: str) -> Iterator[NamedRecord]:
    """Yield each record. A blank line or a second PMID ends one; a remnant after a stray blank line is joined."""
    held: _Entry | None = None
    for entry in _entries(text):
        if held is None:
            held = entry
        elif entry.has("PMID", "TI", "OWN", "BTI"):
            yield _named(held)
            held = entry
        else:
            held.fields.extend(entry.fields)
    if held is not None:
        yield _named(held)


def _entries(text: str) -> Iterator[_Entry]:
    entry: _Entry | None = None
    for number, each in enumerate(lines_of(text), 1):
        found = _TAG.match(each)
        if not each.strip():
            if entry is not None:
                yield entry
            entry = None
        elif found is not None:
            tag, value = found.group(1), found.group(2).strip()
            if tag == "PMID" and entry is not None and entry.has("PMID"):
                yield entry
                entry = None
            if entry is None:
                entry = _Entry(number, [])
            entry.fields.append(_Line(tag, value))
        elif entry is not None and entry.fields and each[:1].isspace():
            last = entry.fields[-1]
            entry.fields[-1] = _Line(last.tag, f"{last.text} {each.strip()}".strip())
    if entry is not None:
        yield entry


def _named(entry: _Entry) -> NamedRecord:
    stated = {pmid_of(text) for text in entry.all("PMID")} - {None}
    pmid = stated.pop() if len(stated) == 1 else None
    title = entry.first("TI") or entry.first("BTI")
    return NamedRecord(pmid, title, entry.line, _citation(pmid, entry) if pmid is not None else None)


def _citation(pmid: int, entry: _Entry) -> Citation:
    title, abstract, pages = entry.first("TI") or entry.first("BTI"), entry.first("AB"), entry.first("PG")
    vernacular = entry.first("TT")
    people = _people(entry, "FAU", "AU", groups=True)
    editors = _people(entry, "FED", "ED", groups=False)
    lists = (
        AuthorList(people, kind="authors") if people else None,
        AuthorList(editors, kind="editors") if editors else None,
    )
    electronic = _digits(entry.first("DEP"))
    return Citation(
        pmid=pmid,
        status=entry.first("STAT"),
        owner=entry.first("OWN"),
        completed_on=_digits(entry.first("DCOM")),
        revised_on=_digits(entry.first("LR")),
        journal=_journal(entry),
        title=escape_text(title) if title else None,
        vernacular_title=escape_text(vernacular) if vernacular else None,
        pagination=Pagination(medline=pages) if pages else None,
        elocations=tuple(
            ELocation(value, kind) for value, kind in map(_marked, entry.all("LID")) if kind in ("doi", "pii") and value
        ),
        abstract=Abstract((AbstractSection(escape_text(abstract)),), entry.first("CI")) if abstract else None,
        author_lists=tuple(each for each in lists if each is not None),
        languages=tuple(entry.all("LA")),
        data_banks=tuple(
            DataBank(name, (number,))
            for name, _, number in (each.partition("/") for each in entry.all("SI"))
            if name and number
        ),
        publication_types=tuple(PublicationType(None, each) for each in entry.all("PT")),
        article_dates=(ArticleDate(electronic),) if electronic is not None else (),
        corrections=tuple(
            notice
            for each in entry.fields
            if each.text and (notice := notices.correction(each.tag, each.text)) is not None
        ),
        citation_subsets=tuple(entry.all("SB")),
        chemicals=tuple(
            Chemical(found.group(1), None, found.group(2))
            for found in (re.fullmatch(r"([^()]*\S) \((.+)\)", each) for each in entry.all("RN"))
            if found is not None
        ),
        mesh_headings=tuple(filter(None, map(_heading, entry.all("MH")))),
        keyword_lists=_keywords(entry),
        coi_statement=escape_text(entry.all("COIS")[0]) if entry.has("COIS") and entry.all("COIS") else None,
        history=_history(entry),
        publication_status=entry.first("PST"),
        article_ids=_ids(pmid, entry),
    )


def _journal(entry: _Entry) -> Journal | None:
    issns = [_parenthesised(each) for each in entry.all("IS")]
    own = next((Issn(value, kind) for value, kind in issns if kind in ("Print", "Electronic")), None)
    journal = Journal(
        title=entry.first("JT"),
        medline_ta=entry.first("TA"),
        nlm_unique_id=entry.first("JID"),
        issn=own,
        issn_linking=next((value for value, kind in issns if kind == "Linking"), None),
        country=entry.first("PL"),
        volume=entry.first("VI"),
        issue=entry.first("IP"),
        pub_date=published(entry.first("DP")),
    )
    return journal if any(each is not None for each in journal) else None


def published(text: str | None) -> PartialDate | None:
    """Read DP: `2023 Sep 4`, `2018 Winter`, or any MedlineDate, which is kept as it stands."""
    if not text:
        return None
    found = re.fullmatch(r"([0-9]{4})(?: ([A-Z][a-z]+)(?: ([0-9]{1,2}))?)?", text)
    if found is not None:
        year, word, day = int(found.group(1)), found.group(2), found.group(3)
        if word is None:
            return PartialDate(year)
        if word in MONTHS:
            return PartialDate(year, MONTHS.index(word) + 1, int(day) if day else None)
        if word in _SEASONS and day is None:
            return PartialDate(year, season=word)
    return PartialDate(year_of(text), text=text)


def _people(entry: _Entry, full: str, short: str, *, groups: bool) -> tuple[Author, ...]:
    """Authors in order. Each `FAU` is followed by its own `AU`; elder files have `AU` alone; `CN` is a group."""
    people: list[Author] = []
    waiting = False
    ours = False  # whose AD and AUID follow: ours, or those of people under other tags
    named = entry.has(full)
    for tag, text in entry.fields:
        if not text:
            continue
        if tag in ("FAU", "AU", "CN", "FED", "ED", "FIR", "IR", "FPS", "PS"):
            ours = tag in (full, short) or (tag == "CN" and groups)
        if tag == full:
            last, _, first = text.partition(", ")
            waiting = bool(last)
            if last:
                people.append(Author(last, first or None))
        elif tag == short and waiting:
            people[-1] = _with_initials(people[-1], text)
            waiting = False
        elif tag == short:
            # Without a full name beside it the last word is the initials.
            last, _, initials = text.rpartition(" ")
            if not named or last:
                people.append(Author(last or initials, None, initials if last else None))
        elif tag == "CN" and groups:
            people.append(Author(collective_name=escape_text(text)))
            waiting = False
        elif tag == "AUID" and ours and people:
            source, _, value = text.partition(": ")
            if source and value:
                people[-1] = people[-1]._replace(identifiers=(*people[-1].identifiers, Identifier(source, value)))
        elif tag == "AD" and ours and people:
            place = Affiliation(escape_text(text))
            people[-1] = people[-1]._replace(affiliations=(*people[-1].affiliations, place))
    return tuple(people)


def _with_initials(person: Author, short: str) -> Author:
    """Take initials and suffix from `Last FI Suffix`; the full form, `Last, Fore Suffix`, tells where names end."""
    rest = short.removeprefix(person.last_name or "").split()
    if not rest:
        return person
    suffix = " ".join(rest[1:])
    if not suffix:
        return person._replace(initials=rest[0])
    first = (person.fore_name or "").removesuffix(suffix).strip()
    return person._replace(fore_name=first or None, initials=rest[0], suffix=escape_text(suffix))


def _keywords(entry: _Entry) -> tuple[KeywordList, ...]:
    lists: list[KeywordList] = []
    for tag, text in entry.fields:
        if tag == "OTO" and text:
            lists.append(KeywordList((), text))
        elif tag == "OT" and text:
            if not lists:
                lists.append(KeywordList((), "NOTNLM"))
            word = text.removeprefix("*").strip()
            if word:
                keyword = Keyword(escape_text(word), text.startswith("*"))
                lists[-1] = lists[-1]._replace(keywords=(*lists[-1].keywords, keyword))
    return tuple(each for each in lists if each.keywords)


def _heading(text: str) -> MeshHeading | None:
    """Read `*Desc/qual/*qual`; the format has no UIs. Qualifiers begin in lower case, names may hold a slash."""
    parts = [part.strip() for part in re.split(r"/(?=\*?[a-z])", text)]
    terms = [MeshTerm(None, part.removeprefix("*"), part.startswith("*")) for part in parts if part.strip("*")]
    return MeshHeading(terms[0], tuple(terms[1:])) if terms else None


def _ids(pmid: int, entry: _Entry) -> tuple[ArticleId, ...]:
    ids = [ArticleId(str(pmid))]
    ids += [ArticleId(value, kind) for value, kind in map(_marked, entry.all("AID")) if kind]
    ids += [ArticleId(each, "pmc") for each in entry.all("PMC") if re.fullmatch(r"PMC[0-9]+", each)]
    ids += [ArticleId(each, "mid") for each in entry.all("MID")]
    return tuple(ids)


def _history(entry: _Entry) -> tuple[HistoryDate, ...]:
    """Every PHST entry; what CRDT, EDAT and MHDA say only where elder files do not say it again in PHST."""
    listed = [each for each in (_moment(tag, text) for tag, text in entry.fields if tag == "PHST") if each is not None]
    known = {each.status for each in listed}
    others = (_moment(tag, text) for tag, text in entry.fields if tag != "PHST")
    return (*listed, *(each for each in others if each is not None and each.status not in known))


def _moment(tag: str, text: str) -> HistoryDate | None:
    """Read a PHST entry, or CRDT, EDAT and MHDA of elder files by the status they stand for."""
    status = {"EDAT": "pubmed", "MHDA": "medline", "CRDT": "entrez"}.get(tag)
    if tag == "PHST":
        text, status = _marked(text)
    found = re.fullmatch(r"([0-9]{4})(?:/([0-9]{1,2})(?:/([0-9]{1,2}))?)?(?: ([0-9]{1,2}):([0-9]{2}))?", text)
    if not status or not text:
        return None
    if found is None:
        return HistoryDate(status, PartialDate(year_of(text), text=text))
    year, month, day, hour, minute = (int(each) if each is not None else None for each in found.groups())
    return HistoryDate(status, PartialDate(year, month, day), hour, minute)


def _digits(text: str | None) -> PartialDate | None:
    found = re.fullmatch(r"([0-9]{4})([0-9]{2})?([0-9]{2})?", text or "")
    if found is None:
        return None
    year, month, day = (int(each) if each else None for each in found.groups())
    return PartialDate(year, month, day)


def _marked(text: str) -> tuple[str, str]:
    """Take `value [kind]` apart; the kind is empty where there is none."""
    found = re.fullmatch(r"(.*\S)\s*\[([a-z-]+)\]", text)
    return (found.group(1), found.group(2)) if found is not None else (text, "")


def _parenthesised(text: str) -> tuple[str, str]:
    found = re.fullmatch(r"(\S+) \((\w+)\)", text)
    return (found.group(1), found.group(2)) if found is not None else (text, "")
