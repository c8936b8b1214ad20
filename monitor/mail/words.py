"""Words of the letters that templates cannot choose by themselves, in the reader's language, and dates as it has them."""

from __future__ import annotations

import gettext
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from functools import lru_cache
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_date, format_skeleton, format_time, get_day_names
from babel.lists import format_list
from babel.numbers import format_decimal
from markupsafe import Markup, escape

from monitor.mail.names import CHANGES, CHIPS, LEVELS, QUALIFIED, TONES

LANGUAGES: Mapping[str, Locale] = {"en": Locale("en", "GB"), "zh-Hans": Locale("zh", "CN", script="Hans")}
"""Languages letters can be written in; the locale says how dates and lists look."""

DIRECTIONS = {"en": "ltr", "zh-Hans": "ltr"}


class Punctuation(NamedTuple):
    """What stands between pieces that are put together here: sentences, parts, a name and what is said of it."""

    gap: str
    stop: str
    colon: str
    comma: str
    semicolon: str
    brackets: tuple[str, str]


PUNCTUATION: Mapping[str, Punctuation] = {
    "en": Punctuation(" ", ". ", ": ", ", ", "; ", (" (", ")")),
    "zh-Hans": Punctuation("", "。", "：", "，", "；", ("（", "）")),
}

_USUAL_NAME = "NK evidence"


class Words:
    """One language's words and forms."""

    def __init__(self, language: str, translations: gettext.NullTranslations) -> None:
        self.language = language
        self.direction = DIRECTIONS[language]
        self._locale = LANGUAGES[language]
        self._t = translations
        self._marks = marks = PUNCTUATION[language]
        self.gap, self.stop, self.colon, self.comma = marks.gap, marks.stop, marks.colon, marks.comma

    def name(self, name: str) -> str:
        """Name the digest: the name it comes with in the reader's language, one that an admin gave it as it is."""
        return self._t.pgettext("name of the digest", "NK evidence") if name == _USUAL_NAME else name

    def bracketed(self, text: str) -> str:
        """Put an aside into brackets, with what separates it from the word before."""
        opening, closing = self._marks.brackets
        return f"{opening}{text}{closing}"

    def spoken(self, html: str, language: str | None) -> Markup:
        """Mark words in another language than the letter's, so that they are read out and broken in their own."""
        if language is None or language.partition("-")[0] == self.language.partition("-")[0]:
            return escape(html)
        return Markup('<span lang="{}">{}</span>').format(language, html)

    def chip(self, kind: str) -> str:
        return self._t.gettext(CHIPS[kind])

    def level(self, level: Mapping[str, Any]) -> str:
        """Name a level and what it means; one that a rule proposes says so."""
        means = self._t.gettext(LEVELS[level["code"]])
        if level["code"] == "none":
            told = means[:1].upper() + means[1:]
        else:
            told = f"{level['code']} {means}"
        return self._t.gettext("%(level)s (proposed)") % {"level": told} if level["proposed"] else told

    def why(self, reasons: Sequence[Mapping[str, str]]) -> str:
        """Put reasons into one line: `title matches “CAR-NK”; you follow CAR-NK cells; found by line 2`."""
        return self._marks.semicolon.join(self.reason(each["kind"], each["text"]) for each in reasons)

    def reason(self, kind: str, text: str) -> str:
        _, ngettext = self._t.gettext, self._t.ngettext
        if kind == "follow":
            return _("you follow %(topic)s") % {"topic": text}
        if kind == "also":
            return _("also found for %(topics)s") % {"topics": self.titles(text.split("\n"))}
        if kind == "kept":
            name, *topics = text.split("\n")
            pattern = _("kept in %(topics)s by %(name)s") if name else _("kept in %(topics)s")
            return pattern % {"topics": self.titles(topics), "name": name}
        if kind == "level":
            level, _nl, name = text.partition("\n")
            pattern = _("level %(level)s confirmed by %(name)s") if name else _("level %(level)s confirmed")
            return pattern % {"level": self.level_name(level), "name": name}
        if kind == "proposed":
            level, _nl, rule = text.partition("\n")
            return _("level %(level)s proposed by a rule: %(rule)s") % {
                "level": self.level_name(level),
                "rule": _(rule) if rule else "",
            }
        if kind == "line":
            numbers = text.split(",")
            return ngettext("found by line %(lines)s", "found by lines %(lines)s", len(numbers)) % {
                "lines": self.listing(numbers)
            }
        pattern = {
            "title": _("title matches “%(words)s”"),
            "abstract": _("abstract matches “%(words)s”"),
            "keywords": _("keywords match “%(words)s”"),
            "mesh": _("indexed as “%(words)s”"),
        }[kind]
        return pattern % {"words": text}

    def tags(self, tags: Sequence[Mapping[str, str | None]]) -> str:
        """Name tags one after the other; what was looked for and not seen must not read as if it had been."""
        return self.comma.join(
            self._t.gettext(QUALIFIED.get(each["qualifier"] or "", "%(tag)s")) % {"tag": each["label"]} for each in tags
        )

    def level_name(self, code: str) -> str:
        return self._t.gettext("none") if code == "none" else code

    def left_out(self, left_out: Mapping[str, int], floor: str | None) -> str:
        """Count in words what was found and is not shown; empty when nothing is."""
        _, ngettext = self._t.gettext, self._t.ngettext
        parts = []
        if number := left_out["dismissed"]:
            parts.append(
                ngettext("%(num)s paper that curators dismissed", "%(num)s papers that curators dismissed", number)
                % {"num": self.number(number)}
            )
        if number := left_out["below"]:
            parts.append(
                ngettext("%(num)s paper below level %(floor)s", "%(num)s papers below level %(floor)s", number)
                % {"num": self.number(number), "floor": floor}
            )
        if number := left_out["ungraded"]:
            parts.append(
                ngettext("%(num)s paper without a level", "%(num)s papers without a level", number)
                % {"num": self.number(number)}
            )
        return _("Found and left out: %(papers)s.") % {"papers": self.listing(parts)} if parts else ""

    def stamp(self, changes: Sequence[str]) -> str:
        """Name the class of the mark that a correction wears."""
        first = changes[0].removesuffix("_and_republished")
        return first if first in ("retracted", "withdrawn", "concern") else "plain"

    def tone(self, changes: Sequence[str]) -> str:
        return TONES.get(changes[0], "soft")

    def change(self, name: str) -> str:
        return self._t.gettext(CHANGES[name][0])

    def happened(self, changes: Sequence[str]) -> str:
        return self.gap.join(self._t.gettext(CHANGES[each][1]) for each in changes)

    def headline(self, changes: Sequence[str]) -> str:
        return self._t.gettext(CHANGES[changes[0]][2])

    def lead(
        self,
        kind: str,
        counts: Mapping[str, int],
        searches: Mapping[str, Any],
        since: str,
        missed: int,
        zone: str,
        left_out: str = "",
    ) -> str:
        """Write the first line: what is in this issue, or why it is empty, or that nobody can say."""
        _, ngettext = self._t.gettext, self._t.ngettext
        values = {"day": self.short_day(since, zone), "failed": searches["blind"], "total": searches["total"]}
        if kind == "blind":
            return (
                _("We cannot say whether anything is new since %(day)s: %(failed)s of %(total)s searches did not work.")
                % values
            )
        parts = []
        if missed:
            weeks = missed + 1
            parts.append(
                ngettext("Catching up on %(num)s week.", "Catching up on %(num)s weeks.", weeks) % {"num": weeks}
            )
        if kind == "quiet":
            if not missed:
                parts.append(_("A quiet week."))
            if left_out:
                parts += [_("Nothing that you asked for is new since %(day)s.") % values, left_out]
            else:
                parts.append(_("Nothing is new since %(day)s.") % values)
            if searches["warned"]:
                parts.append(self._doubt(searches))
            elif left_out:
                parts.append(
                    ngettext("The search ran and worked.", "All %(total)s searches ran and worked.", searches["total"])
                    % values
                )
            else:
                parts.append(
                    ngettext(
                        "The search ran and worked, so the silence is real.",
                        "All %(total)s searches ran and worked, so the silence is real.",
                        searches["total"],
                    )
                    % values
                )
            return self.gap.join(parts)
        if counts["corrections"]:
            number = counts["retractions"]
            if number:
                parts.append(
                    ngettext(
                        "%(num)s paper we sent you has been retracted.",
                        "%(num)s papers we sent you have been retracted.",
                        number,
                    )
                    % {"num": number}
                )
            number = counts["corrections"] - number
            if number:
                news = (
                    ngettext(
                        "There is news about %(num)s other paper we sent you.",
                        "There is news about %(num)s other papers we sent you.",
                        number,
                    )
                    if counts["retractions"]
                    else ngettext(
                        "There is news about %(num)s paper we sent you.",
                        "There is news about %(num)s papers we sent you.",
                        number,
                    )
                )
                parts.append(news % {"num": number})
        number = counts["news"]
        parts.append(
            ngettext("%(num)s new paper since %(day)s.", "%(num)s new papers since %(day)s.", number)
            % {"num": self.number(number), **values}
            if number
            else _("Nothing else is new since %(day)s.") % values
        )
        if searches["blind"]:
            parts.append(_("There may be more: %(failed)s of %(total)s searches did not work.") % values)
        return self.gap.join(parts)

    def _doubt(self, searches: Mapping[str, Any]) -> str:
        """Say why an empty week may not have been a quiet one though every search ran."""
        _ = self._t.gettext
        # Issues kept from before papers that could not be had were counted name phrases only.
        if not searches.get("missing"):
            return _("All searches ran, but PubMed did not know part of one, so something may be missing.")
        if not searches["unknown"]:
            return _(
                "All searches ran, but not every paper that PubMed counts could be had, so something may be missing."
            )
        return _(
            "All searches ran, but PubMed did not know part of one, and not every paper that it counts could be had, "
            "so something may be missing."
        )

    def late(self, missed: int, since: str, zone: str, paused_until: str | None = None) -> str:
        """Say what a catch-up issue covers, and whether it is late because its reader wanted a pause."""
        if paused_until is not None:
            return self._t.gettext(
                "You had paused your digest until %(until)s; this issue covers all days since %(day)s."
            ) % {
                "until": format_skeleton("MMMMd", date.fromisoformat(paused_until), locale=self._locale),
                "day": self.day(since, zone),
            }
        return self._t.ngettext(
            "%(num)s issue before this one was not made or did not reach you; this one covers all days since %(day)s.",
            "%(num)s issues before this one were not made or did not reach you; this one covers all days since %(day)s.",
            missed,
        ) % {"num": missed, "day": self.day(since, zone)}

    def problem(self, problem: Mapping[str, Any], zone: str) -> str:
        """Say what is wrong with a topic's search and since when."""
        _, ngettext = self._t.gettext, self._t.ngettext
        if problem["state"] == "warned":
            warnings = []
            if problem["phrases"]:
                pattern = _(
                    "PubMed does not know %(phrases)s and searched without it. "
                    "Papers may be missing or off the subject."
                )
                warnings.append(pattern % {"phrases": self.listing([f"“{each}”" for each in problem["phrases"]])})
            missing = problem.get("missing", 0)
            if missing:
                pattern = ngettext(
                    "%(num)s paper that PubMed counts could not be had; the next search asks again.",
                    "%(num)s papers that PubMed counts could not be had; the next search asks again.",
                    missing,
                )
                warnings.append(pattern % {"num": self.number(missing)})
            return self.gap.join(warnings)
        if problem["state"] == "never":
            return _("This topic has not been searched yet.")
        worked = problem["succeeded_at"]
        if problem["state"] == "stale":
            return _("Not searched since %(day)s. What appeared since then is not in this issue.") % {
                "day": self.moment(worked, zone)
            }
        parts = [_("The search failed.")]
        if problem["error"]:
            parts.append(_("The reason: %(error)s.") % {"error": problem["error"].rstrip(".")})
        parts.append(
            _("It last worked on %(day)s; what appeared since then is not in this issue.")
            % {"day": self.moment(worked, zone)}
            if worked
            else _("It has not worked yet.")
        )
        return self.gap.join(parts)

    def searched(self, searches: Mapping[str, Any], until: str, zone: str) -> str:
        """Write the run status line: `Searches ran today 06:10, 8 of 8 fine.`"""
        _, ngettext = self._t.gettext, self._t.ngettext
        ran = searches["ran_at"]
        if ran is None:
            return _("No search has run yet.")
        today = self.same_day(ran, until, zone)
        pattern = (
            _("Searches ran today %(when)s, %(fine)s of %(total)s fine.")
            if today
            else _("Searches last ran on %(when)s, %(fine)s of %(total)s fine.")
        )
        parts = [
            pattern
            % {
                "when": self.clock(ran, zone) if today else self.moment(ran, zone),
                "fine": searches["fine"],
                "total": searches["total"],
            }
        ]
        made_up = searches["made_up"]
        if made_up:
            parts.append(
                ngettext(
                    "%(num)s failed run in between was made up for by a later one.",
                    "%(num)s failed runs in between were made up for by later ones.",
                    made_up,
                )
                % {"num": made_up}
            )
        return self.gap.join(parts)

    def schedule(self, schedule: Mapping[str, Any], cards: int, floor: str | None = None) -> str:
        """Say when issues come, how long they are, and from which level on."""
        values = {
            "day": self.weekday(schedule["day"]),
            "hour": f"{schedule['hour']:02}:00",
            "zone": schedule["zone"],
            "cards": cards,
        }
        told = (
            self._t.gettext(
                "An issue comes every %(day)s at %(hour)s (%(zone)s) and shows at most %(cards)s papers in full."
            )
            % values
        )
        if floor is not None:
            told += self.gap + self._t.gettext("You asked for level %(floor)s or better.") % {"floor": floor}
        return told

    def order(self) -> str:
        return self._t.gettext(
            "Corrections come first, then retracted or questioned papers, then your topics. Inside a topic, what "
            "curators kept comes before what they have not decided, each by level of evidence, a proposed one where none "
            "is confirmed; then systematic reviews, meta-analyses and guidelines, trials, reviews, other research, case "
            "reports and opinion; the newest first. The papers shown in full are taken from each topic in turn."
        )

    def sources(self) -> str:
        return self._t.gettext(
            "Citations come from PubMed of the U.S. National Library of Medicine, which has neither reviewed nor "
            "endorsed this selection. Information for research, not medical advice."
        )

    def listing(self, items: Sequence[str]) -> str:
        return format_list(list(items), "standard", self._locale)

    def titles(self, titles: Sequence[str]) -> str:
        """List topics; titles that hold a comma or an "and" of their own stand in quotation marks."""
        several = len(titles) > 1
        return self.listing([f"“{each}”" if several and ("," in each or " and " in each) else each for each in titles])

    def number(self, value: int) -> str:
        return _number(value, self._locale)

    def weekday(self, day: int) -> str:
        return str(get_day_names("wide", locale=self._locale)[day])

    def day(self, moment: str, zone: str) -> str:
        """Write the local day of a moment: `3 November 2026`."""
        return format_date(_local(moment, zone), "long", self._locale)

    def short_day(self, moment: str, zone: str) -> str:
        """Write the local day without its year: `3 November`."""
        return format_skeleton("MMMMd", _local(moment, zone), locale=self._locale)

    def moment(self, moment: str, zone: str) -> str:
        """Write a local day and time: `20 November, 06:10`."""
        return self._t.pgettext("a moment", "%(day)s, %(time)s") % {
            "day": self.short_day(moment, zone),
            "time": self.clock(moment, zone),
        }

    def clock(self, moment: str, zone: str) -> str:
        return format_time(_local(moment, zone), "HH:mm", locale=self._locale)

    def same_day(self, one: str, other: str, zone: str) -> bool:
        return _local(one, zone).date() == _local(other, zone).date()

    def partial_date(self, value: Mapping[str, Any] | None) -> str:
        """Write a date as precisely as PubMed has it, and as it stands where it is no calendar date."""
        if not value:
            return ""
        return _partial(value["year"], value["month"], value["day"], self._locale) or str(value["text"])


@lru_cache(maxsize=4096)
def _number(value: int, locale: Locale) -> str:
    return format_decimal(value, locale=locale)


@lru_cache(maxsize=4096)
def _partial(year: int | None, month: int | None, day: int | None, locale: Locale) -> str | None:
    try:
        if year and month and day:
            return format_skeleton("yMMMd", date(year, month, day), locale=locale)
        if year and month:
            return format_skeleton("yMMM", date(year, month, 1), locale=locale)
    except ValueError:
        pass  # 31 February and the like: PubMed's own text says it best
    return None


def _local(moment: str, zone: str) -> datetime:
    return datetime.fromisoformat(moment).astimezone(ZoneInfo(zone))
