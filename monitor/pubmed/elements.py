"""The parts that articles and books share: text, inline markup, dates, people, ids, references.

Every function takes an element and the list that collects oddities: nothing that PubMed sent is
dropped, what has no place in `Citation` goes to `Citation.unknown`. Children of small elements are taken as
a slice, which lxml makes faster than an iterator.
"""

from __future__ import annotations

import re
from datetime import date
from functools import lru_cache
from typing import Final

from monitor.core.citation import (
    Affiliation,
    ArticleId,
    Author,
    AuthorList,
    ELocation,
    HistoryDate,
    Identifier,
    InlineXml,
    InvestigatorList,
    Keyword,
    KeywordList,
    PartialDate,
    Reference,
    ReferenceList,
    Unknown,
)
from monitor.pubmed.inline import Element, inline, too_deep, whole

Oddities = list[Unknown]

DEEPEST: Final = 100
"""Reference lists and book sections nest by the DTD without bound; real ones stop at three."""

_MONTHS: Final = {
    name: number
    for number, names in enumerate(
        (
            "jan january",
            "feb february",
            "mar march",
            "apr april",
            "may",
            "jun june",
            "jul july",
            "aug august",
            "sep sept september",
            "oct october",
            "nov november",
            "dec december",
        ),
        start=1,
    )
    for name in names.split()
}
_CLOCK: Final = {str(n): n for n in range(60)}
_NO_DATE: Final = PartialDate()
_new: Final = tuple.__new__
"""Makes a named tuple without the detour through its `__new__`; worth a tenth of the whole time."""

_MEDLINE_DATE: Final = re.compile(
    r"(?P<year>[0-9]{4})(?:\s*[-–]\s*[0-9]{4})?"
    r"(?:\s+(?:(?P<season>spring|summer|autumn|fall|winter)|(?P<month>[a-z]{3,9})\.?)(?:\s+(?P<day>[0-9]{1,2}))?)?\b",
    re.ASCII | re.IGNORECASE,
)


# ---- oddities


def place(element: Element) -> str:
    """Where an element stands in its record: `MedlineCitation/Article/Foo`."""
    names = [element.tag, *(each.tag for each in element.iterancestors())]
    names.pop()  # the set
    if len(names) > 1 and names[-1] in ("PubmedArticle", "PubmedBookArticle"):
        names.pop()
    return "/".join(reversed(names))


def keep(odd: Oddities, element: Element) -> None:
    """File an element that has no place in `Citation`, whole."""
    odd.append(Unknown(place(element), whole(element)))


def keep_attribute(odd: Oddities, element: Element, name: object, value: object) -> None:
    odd.append(Unknown(f"{place(element)}/@{name}", value))


def keep_attributes(odd: Oddities, element: Element) -> None:
    """File attributes of an element that should have none."""
    for name, value in element.items():
        keep_attribute(odd, element, name, value)


def attributes(element: Element, odd: Oddities, *known: str) -> list[str | None]:
    """Values of the known attributes in that order; the others are filed."""
    found: list[str | None] = [None] * len(known)
    for name, value in element.items():
        if name in known:
            found[known.index(name)] = value
        else:
            keep_attribute(odd, element, name, value)
    return found


def attribute(element: Element, odd: Oddities, known: str) -> str | None:
    """Value of the one known attribute; the others are filed."""
    found = None
    for name, value in element.items():
        if name == known:
            found = value
        else:
            keep_attribute(odd, element, name, value)
    return found


def yes(value: str | None, default: bool, element: Element, name: str, odd: Oddities) -> bool:
    """Read a `Y`/`N` attribute; anything else is filed and the DTD's default holds."""
    if value == "Y":
        return True
    if value == "N":
        return False
    if value is not None:
        keep_attribute(odd, element, name, value)
    return default


# ---- text


def text(element: Element, odd: Oddities) -> str | None:
    """Plain text of a leaf without white space at its ends, None when empty; inner elements are filed as well."""
    if element.keys():
        keep_attributes(odd, element)
    if len(element):
        return _plain(element, odd)
    value = element.text
    return (value.strip() or None) if value else None


def _plain(element: Element, odd: Oddities) -> str | None:
    if len(element):
        keep(odd, element)
        return "".join(element.itertext()).strip() or None
    value = element.text
    return (value.strip() or None) if value else None


def text_with(element: Element, odd: Oddities, known: str) -> tuple[str | None, str | None]:
    """Plain text of a leaf and its one attribute."""
    found = attribute(element, odd, known)
    if len(element):
        return _plain(element, odd), found
    value = element.text
    return (value.strip() or None) if value else None, found


def once(held: str | None, element: Element, odd: Oddities) -> str | None:
    """Plain text of a leaf that may stand once; a repetition is filed and the first one holds."""
    if held is not None:
        keep(odd, element)
        return held
    if element.keys() or len(element):
        return text(element, odd)
    value = element.text
    return (value.strip() or None) if value else None


def inline_once(held: InlineXml | None, element: Element, odd: Oddities) -> InlineXml | None:
    """Inner XML of a mixed leaf that may stand once; None when empty."""
    if held is not None:
        keep(odd, element)
        return held
    if element.keys():
        keep_attributes(odd, element)
    found = inline(element)
    return found if found.strip() else None


def texts(parent: Element, tag: str, odd: Oddities) -> tuple[str, ...]:
    """Plain texts of the children of a list that holds only `tag`; empty ones say nothing and are left out."""
    found = []
    for child in parent:
        if child.tag == tag:
            value = text(child, odd)
            if value:
                found.append(value)
        else:
            keep(odd, child)
    return tuple(found)


def number(value: str | None, largest: int = 2_147_483_647) -> int | None:
    """A whole number in ASCII digits, or None."""
    if value is None:
        return None
    value = value.strip()
    if not value.isascii() or not value.isdigit() or len(value) > 10:
        return None
    found = int(value)
    return found if found <= largest else None


# ---- dates


def month_number(value: str) -> int | None:
    """`Jan`, `January`, `01` and `1` are the same month (NLM: month is a name or a number)."""
    found = _MONTHS.get(value.lower())
    if found is None:
        found = number(value)
    return found if found is not None and 1 <= found <= 12 else None


@lru_cache(maxsize=8192)
def calendar(year: str | None, month: str | None, day: str | None, season: str | None = None) -> PartialDate | None:
    """A date from its parts; parts that are no calendar date ("31 Feb") stay verbatim in `text`."""
    year, month, day = (part.strip() or None if part else None for part in (year, month, day))
    if year is None and month is None and day is None and season is None:
        return None
    y = number(year, 9999)
    m = month_number(month) if month is not None else None
    d = number(day, 31) if day is not None else None
    good = bool(y) and (month is None or m is not None) and (day is None or (m is not None and d is not None))
    if good and d is not None:
        try:
            date(y or 1, m or 1, d)
        except ValueError:
            good = False
            d = None
    if good:
        return PartialDate(y, m, d, season)
    verbatim = " ".join(part for part in (year, month, day) if part)
    if not y:
        return PartialDate(None, None, None, season, verbatim or None)
    return PartialDate(y, m, d if m is not None else None, season, verbatim)


@lru_cache(maxsize=1024)
def medline_date(value: str) -> PartialDate:
    """A MedlineDate, verbatim, with the year, month, day or season that its beginning states."""
    match = _MEDLINE_DATE.search(value)
    if match is None:
        return PartialDate(text=value)
    month = _MONTHS.get((match["month"] or "").lower())
    day = number(match["day"], 31) if month is not None else None
    season = match["season"]
    return PartialDate(int(match["year"]) or None, month, day or None, season, value)


def partial_date(element: Element, odd: Oddities, known: str = "") -> PartialDate | None:
    """Read `PubDate` and every other date of Year, Month, Day, Season or MedlineDate."""
    if element.keys():
        attributes(element, odd, known)
    year = month = day = season = free = None
    for child in element[:]:
        tag = child.tag
        if tag == "Year":
            year = once(year, child, odd)
        elif tag == "Month":
            month = once(month, child, odd)
        elif tag == "Day":
            day = once(day, child, odd)
        elif tag == "Season":
            season = once(season, child, odd)
        elif tag == "MedlineDate":
            free = once(free, child, odd)
        else:
            keep(odd, child)
    if free is None:
        return calendar(year, month, day, season)
    if year is not None or month is not None or day is not None or season is not None:
        keep(odd, element)
    return medline_date(free)


def date_once(held: PartialDate | None, element: Element, odd: Oddities) -> PartialDate | None:
    if held is not None:
        keep(odd, element)
        return held
    return partial_date(element, odd)


def history(element: Element, odd: Oddities) -> tuple[HistoryDate, ...]:
    """Read the PubMedPubDates; the same status may repeat."""
    if element.keys():
        keep_attributes(odd, element)
    found = []
    for entry in element:
        if entry.tag != "PubMedPubDate":
            keep(odd, entry)
            continue
        status = None
        for name, value in entry.items():
            if name == "PubStatus":
                status = value
            else:
                keep_attribute(odd, entry, name, value)
        if status is None:
            keep(odd, entry)
            continue
        year = month = day = hour = minute = second = None
        for child in entry[:]:
            tag = child.tag
            if len(child) or child.keys():
                keep(odd, child)
            elif tag == "Year" and year is None:
                year = child.text
            elif tag == "Month" and month is None:
                month = child.text
            elif tag == "Day" and day is None:
                day = child.text
            elif tag == "Hour" and hour is None:
                hour = _clock(child, odd)
            elif tag == "Minute" and minute is None:
                minute = _clock(child, odd)
            elif tag == "Second" and second is None:
                second = _clock(child, odd)
            else:
                keep(odd, child)
        when = calendar(year, month, day)
        found.append(_new(HistoryDate, (status, when or _NO_DATE, hour, minute, second)))
    return tuple(found)


def _clock(element: Element, odd: Oddities) -> int | None:
    value = element.text
    if value is None:
        return None
    found = _CLOCK.get(value)
    if found is None:
        found = number(value, 99)
        if found is None:
            keep(odd, element)
    return found


# ---- people


def author_list(element: Element, odd: Oddities) -> AuthorList:
    complete, kind = attributes(element, odd, "CompleteYN", "Type")
    return AuthorList(people(element, "Author", odd), yes(complete, True, element, "CompleteYN", odd), kind or None)


def investigator_list(element: Element, odd: Oddities) -> InvestigatorList:
    identity = attribute(element, odd, "ID")
    return InvestigatorList(people(element, "Investigator", odd), identity or None)


def people(parent: Element, tag: str, odd: Oddities) -> tuple[Author, ...]:
    """Read Authors, Investigators or PersonalNameSubjects."""
    found = []
    for child in parent:
        if child.tag == tag:
            found.append(_person(child, odd))
        else:
            keep(odd, child)
    return tuple(found)


def _person(element: Element, odd: Oddities) -> Author:
    last = fore = initials = suffix = collective = investigators = None
    identifiers: tuple[Identifier, ...] = ()
    affiliations: tuple[Affiliation, ...] = ()
    valid = True
    equal = None
    for name, value in element.items():
        if name == "ValidYN":
            valid = value == "Y" or yes(value, True, element, "ValidYN", odd)
        elif name == "EqualContrib" and value in ("Y", "N"):
            equal = value == "Y"
        else:
            keep_attribute(odd, element, name, value)
    for child in element[:]:
        tag = child.tag
        if tag == "LastName" and last is None:
            last = text(child, odd)
        elif tag == "ForeName" and fore is None:
            fore = text(child, odd)
        elif tag == "Initials" and initials is None:
            initials = text(child, odd)
        elif tag == "AffiliationInfo":
            affiliations += (_affiliation(child, odd),)
        elif tag == "Identifier":
            identifiers += _identifier(child, odd)
        elif tag == "Suffix":
            suffix = inline_once(suffix, child, odd)
        elif tag == "CollectiveName" and collective is None:
            investigators = attribute(child, odd, "Investigators")
            name = inline(child)
            collective = name if name.strip() else None
        elif tag == "Affiliation":  # before the DTD of 2015 it stood here, without AffiliationInfo
            if child.keys():
                keep_attributes(odd, child)
            affiliations += (Affiliation(inline(child)),)
        else:
            keep(odd, child)
    return _new(
        Author,
        (last, fore, initials, suffix, collective, investigators, valid, equal, identifiers, affiliations),
    )


def _affiliation(element: Element, odd: Oddities) -> Affiliation:
    if element.keys():
        keep_attributes(odd, element)
    name: InlineXml | None = None
    identifiers: tuple[Identifier, ...] = ()
    for child in element[:]:
        tag = child.tag
        if tag == "Affiliation":
            name = inline_once(name, child, odd)
        elif tag == "Identifier":
            identifiers += _identifier(child, odd)
        else:
            keep(odd, child)
    return _new(Affiliation, (name or InlineXml(""), identifiers))


def _identifier(element: Element, odd: Oddities) -> tuple[Identifier, ...]:
    value, source = text_with(element, odd, "Source")
    if value is None or source is None:
        keep(odd, element)
        return ()
    return (Identifier(source, value),)


# ---- ids


def elocation(element: Element, odd: Oddities) -> tuple[ELocation, ...]:
    kind, valid = attributes(element, odd, "EIdType", "ValidYN")
    value = _plain(element, odd)
    if kind is None or value is None:
        keep(odd, element)
        return ()
    return (ELocation(value, kind, yes(valid, True, element, "ValidYN", odd)),)


def article_ids(element: Element, odd: Oddities) -> tuple[ArticleId, ...]:
    """Read one ArticleIdList; whose ids they are is for the caller to know."""
    if element.keys():
        keep_attributes(odd, element)
    found = []
    for child in element[:]:
        if child.tag != "ArticleId" or len(child):
            keep(odd, child)
            continue
        kind = "pubmed"
        for name, given in child.items():
            if name == "IdType":
                kind = given
            else:
                keep_attribute(odd, child, name, given)
        value = child.text
        if value:
            value = value.strip()
        if value:
            found.append(_new(ArticleId, (value, kind)))
        elif child.keys():
            keep(odd, child)
    return tuple(found)


def keyword_list(element: Element, odd: Oddities) -> KeywordList:
    owner = attribute(element, odd, "Owner")
    found = []
    for child in element:
        if child.tag != "Keyword":
            keep(odd, child)
            continue
        major = attribute(child, odd, "MajorTopicYN")
        value = inline(child)
        if value.strip():
            found.append(Keyword(value, yes(major, False, child, "MajorTopicYN", odd)))
    return KeywordList(tuple(found), owner or "NLM")


# ---- references


def reference_list(element: Element, odd: Oddities, depth: int = 0) -> ReferenceList:
    """Read a reference list, which may hold further ones."""
    if depth > DEEPEST:
        raise too_deep("reference lists")
    if element.keys():
        keep_attributes(odd, element)
    title = None
    references = []
    lists = []
    for child in element:
        tag = child.tag
        if tag == "Reference":
            if child.keys():
                keep_attributes(odd, child)
            cited = None
            ids: tuple[ArticleId, ...] = ()
            for part in child[:]:
                tag = part.tag
                if tag == "Citation":
                    cited = inline_once(cited, part, odd)
                elif tag == "ArticleIdList":
                    ids += article_ids(part, odd)
                else:
                    keep(odd, part)
            references.append(_new(Reference, (cited, ids)))
        elif tag == "ReferenceList":
            lists.append(reference_list(child, odd, depth + 1))
        elif tag == "Title":
            title = once(title, child, odd)
        else:
            keep(odd, child)
    return ReferenceList(tuple(references), title, tuple(lists))
