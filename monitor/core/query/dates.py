"""The dates a citation can be searched by (User Guide, "Dates"; PubMed's History statuses carry misleading names)."""

from __future__ import annotations

import re
from calendar import monthrange
from datetime import date, timedelta

from monitor.core.citation import Citation, PartialDate
from monitor.core.query.own import Own
from monitor.core.query.tree import DateRange, Recent

Day = tuple[int, int, int]

_SEASONS = {"winter": 1, "spring": 4, "summer": 7, "fall": 10, "autumn": 10}
_SEASON = re.compile("|".join(_SEASONS), re.IGNORECASE)
_YEAR = re.compile(r"\b(\d{4})\b")


def range_window(search: DateRange) -> tuple[Day, Day]:
    """Return the first and the last day that a date or a range of dates covers."""
    return search.low.first, (search.high or search.low).last


def recent_window(search: Recent, today: date) -> tuple[Day, Day]:
    """Return the days of "last n days", today and the day n days ago included; [dp] takes coming days too."""
    high = (9999, 12, 31) if search.field == "dp" else _day(today)
    return _day(_before(today, search.number, search.unit)), high


def range_days(search: DateRange, days: tuple[Day, ...]) -> tuple[Day, ...]:
    """Return those of a field's days that a date or a range of dates finds.

    A range is met by any of the field's dates. A single [dp] date must fit all of them: the guide warns that
    `2000[dp]` loses records whose print and electronic years differ, and that `2000:2000[dp]` keeps them.
    """
    low, high = range_window(search)
    fitting = tuple(day for day in days if low <= day <= high)
    return () if search.high is None and len(fitting) < len(days) else fitting


def recent_days(search: Recent, days: tuple[Day, ...], today: date) -> tuple[Day, ...]:
    """Return those of a field's days that "last n days" finds."""
    low, high = recent_window(search, today)
    return tuple(day for day in days if low <= day <= high)


def day_text(day: Day) -> str:
    return f"{day[0]:04}/{day[1]:02}/{day[2]:02}"


def citation_days(citation: Citation, field: str) -> tuple[Day, ...]:
    """Return the citation's days for a date field; none when the record lacks them."""
    if field == "crdt":
        found = [citation.history_date("entrez")]
    elif field == "edat":
        found = [citation.history_date("pubmed")]
    elif field == "mhda":  # equals the entry date until MeSH is added
        found = [citation.history_date("medline") or citation.history_date("pubmed")]
    elif field == "lr":
        found = [citation.revised_on]
    elif field == "dcom":
        found = [citation.completed_on]
    elif field == "epdat":
        found = [each.date for each in citation.article_dates]
        if not found and (citation.pub_model or "").startswith("Electronic"):
            found = [citation.pub_date]
    elif field == "ppdat":
        found = [citation.pub_date] if "Print" in (citation.pub_model or "Print") else []
    elif field == "dp":
        found = [citation.pub_date, *(each.date for each in citation.article_dates)]
    else:
        found = []
    return tuple(day for each in found if each is not None and (day := first_day(each)) is not None)


def days_of(citation: Citation) -> dict[str, tuple[Day, ...]]:
    """Return the citation's days for every date field of which it has any; the same as `citation_days`, in one go."""
    first: dict[str, PartialDate] = {}
    for each in citation.history:
        first.setdefault(each.status, each.date)
    published, article = citation.pub_date, [each.date for each in citation.article_dates]
    model = citation.pub_model
    entered = first.get("pubmed")
    single = {
        "crdt": first.get("entrez"),
        "edat": entered,
        "mhda": first.get("medline", entered),
        "lr": citation.revised_on,
        "dcom": citation.completed_on,
        "ppdat": published if "Print" in (model or "Print") else None,
    }
    found: dict[str, tuple[Day, ...]] = {}
    found.update({field: (day,) for field, each in single.items() if each is not None and (day := first_day(each))})
    electronic: list[PartialDate | None] = [*article] or ([published] if (model or "").startswith("Electronic") else [])
    for field, several in (("epdat", electronic), ("dp", [published, *article])):
        if days := tuple([day for each in several if each is not None and (day := first_day(each)) is not None]):
            found[field] = days
    return found


def own_days(own: Own) -> tuple[Day, ...]:
    """Return the day a citation came into the library, if it is in one."""
    return (_day(own.added_on),) if own.added_on is not None else ()


def first_day(partial: PartialDate) -> Day | None:
    """Fill a partial date as [dp] does: no month is January, no day the first, a season its first month."""
    year, month, day = partial.year, partial.month, partial.day
    if year is not None and month is not None:
        return year, month, day or 1
    text = partial.text or ""
    if year is None:
        found = _YEAR.search(text)
        if found is None:
            return None
        year = int(found[1])
    if month is None:
        season = _SEASON.search(partial.season or text)
        month = _SEASONS[season[0].lower()] if season else 1
    return year, month, day or 1


def _day(day: date) -> Day:
    return day.year, day.month, day.day


def _before(today: date, number: int, unit: str) -> date:
    if unit == "days":
        return today - timedelta(days=min(number, today.toordinal() - 1))
    months = today.year * 12 + today.month - 1 - number * (12 if unit == "years" else 1)
    if months < 12:
        return date.min
    year, month = divmod(months, 12)
    return date(year, month + 1, min(today.day, monthrange(year, month + 1)[1]))
