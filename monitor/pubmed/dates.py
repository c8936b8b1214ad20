"""Dates of every shape, as precisely as PubMed states them."""

from __future__ import annotations

import re
from datetime import date
from functools import lru_cache
from typing import Final

from monitor.core.citation import HistoryDate, PartialDate
from monitor.pubmed.elements import Oddities, attribute, attributes, keep, keep_attributes, new, number, once
from monitor.pubmed.inline import Element

_MONTHS: Final = {
    name: place
    for place, names in enumerate(
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
_MEDLINE_DATE: Final = re.compile(
    r"(?P<year>[0-9]{4})(?:\s*[-–]\s*[0-9]{4})?"
    r"(?:\s+(?:(?P<season>spring|summer|autumn|fall|winter)|(?P<month>[a-z]{3,9})\.?)(?:\s+(?P<day>[0-9]{1,2}))?)?\b",
    re.ASCII | re.IGNORECASE,
)


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
    for entry in element[:]:
        if entry.tag != "PubMedPubDate":
            keep(odd, entry)
            continue
        status = attribute(entry, odd, "PubStatus")
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
        found.append(new(HistoryDate, (status, when or _NO_DATE, hour, minute, second)))
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
