"""Filters of templates: days, moments and numbers as the reader's language writes them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Any, Final
from zoneinfo import ZoneInfo

from babel import Locale, UnknownLocaleError, dates, lists, numbers
from jinja2 import pass_context
from jinja2.runtime import Context

from monitor.core import languages
from monitor.core.citation import PartialDate
from monitor.core.told import Told
from monitor.mail.render import inline
from monitor.resources import translations
from monitor.services.subscribing import zone_of


@pass_context
def day(context: Context, value: date | datetime, style: str = "medium") -> str:
    """Write a day, such as 22 Nov 2026 or 2026年11月22日; a moment is a day of the reader's zone."""
    found = value.astimezone(_zone(context)).date() if isinstance(value, datetime) else value
    return _day(found, style, _locale(context))


@pass_context
def moment(context: Context, value: datetime) -> str:
    """Write a day and an hour in the reader's zone."""
    return f"{day(context, value)} {dates.format_time(value, 'HH:mm', _zone(context), _locale(context))}"


@pass_context
def hour(context: Context, value: datetime) -> str:
    """Write only the hour and minute, in the reader's zone."""
    return dates.format_time(value, "HH:mm", _zone(context), _locale(context))


@pass_context
def span(context: Context, value: timedelta) -> str:
    """Write how long something took or is ago, in its largest unit."""
    return dates.format_timedelta(value, locale=_locale(context), threshold=1.2)


@pass_context
def number(context: Context, value: float) -> str:
    """Write a number; small whole ones, of which a page has many, look alike in every language."""
    if isinstance(value, int) and 0 <= value < 1000:
        return str(value)
    return numbers.format_decimal(value, locale=_locale(context))


@pass_context
def share(context: Context, value: float) -> str:
    """Write a share of one as a whole percentage."""
    return numbers.format_percent(value, locale=_locale(context))


@pass_context
def listed(context: Context, values: list[str]) -> str:
    """Write several things as one phrase: a, b and c."""
    return lists.format_list(list(values), "standard", _locale(context))


@pass_context
def partial(context: Context, value: PartialDate | None) -> str:
    """Write a date as precisely as PubMed has it, and in PubMed's own words where it is no calendar date."""
    if value is None:
        return ""
    try:
        if value.year and value.month and value.day:
            return day(context, date(value.year, value.month, value.day))
        if value.year and value.month:
            return dates.format_skeleton("yMMM", date(value.year, value.month, 1), locale=_locale(context))
    except ValueError:
        pass  # 31 February and the like: PubMed's own text says it best
    return value.text or " ".join(filter(None, (value.season, str(value.year or ""))))


@pass_context
def tongue(context: Context, value: str) -> str:
    """Name the language of a MARC code, such as `eng`; an unknown code stands for itself."""
    try:
        found = Locale.parse(languages.tag(value)).get_display_name(_locale(context))
    except (UnknownLocaleError, ValueError):
        found = None
    return found or languages.name(value)


@pass_context
def said(context: Context, value: str) -> str:
    """Say what code has words of its own for: a name out of a closed list, or a sentence with values (`core.told`)."""
    return _said(context, value) if value else value


def bcp(value: str) -> str:
    """Write a MARC code of a language as the `lang` attribute wants it (BCP 47)."""
    return languages.tag(value)


def iso(value: date | datetime) -> str:
    """Write a day or moment for machines, as `datetime` attributes want it."""
    return value.astimezone(UTC).isoformat() if isinstance(value, datetime) else value.isoformat()


FILTERS: Final[dict[str, Any]] = {
    each.__name__: each
    for each in (day, moment, hour, span, number, share, listed, partial, tongue, said, bcp, inline, iso)
}


def _said(context: Context, value: str) -> str:
    known = translations(str(context["language"]))
    if not isinstance(value, Told):
        return known.gettext(value)
    pattern = (
        known.gettext(value.pattern) if value.many is None else known.ngettext(value.pattern, value.many, value.number)
    )
    values = {name: _value(context, each) for name, each in value.values.items()}
    return pattern % values if values else pattern


def _value(context: Context, value: object) -> object:
    if isinstance(value, date):
        return day(context, value)
    if isinstance(value, int):
        return number(context, value)
    return _said(context, value) if isinstance(value, Told) else value


def _locale(context: Context) -> str:
    return str(context["language"]).replace("-", "_")


def _zone(context: Context) -> ZoneInfo:
    """Return the zone of the reader's digest, else the site's."""
    visitor = context.get("visitor")
    held = visitor.person.subscription if visitor else None
    known = zone_of(held) if held is not None else None
    return known or ZoneInfo(context["zone"])


@lru_cache(maxsize=4096)
def _day(value: date, style: str, locale: str) -> str:
    if locale == "zh_Hans":
        return dates.format_date(value, "long" if style == "medium" else style, locale)
    return dates.format_date(value, {"medium": "d MMM y", "full": "EEEE, d MMMM y"}.get(style, style), locale)
