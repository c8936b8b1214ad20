"""How much of an issue its HTML part shows: cards, then lines, then "n more". The text part always has everything."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple


class Layout(NamedTuple):
    """Most cards, lines of one topic, lines in all, integrity items, topics with a chart; characters of titles and notes."""

    cards: int
    lines: int
    all_lines: int
    integrity: int
    topics: int
    title: int
    note: int


LAYOUTS = (
    Layout(12, 8, 60, 20, 10, 400, 600),
    Layout(12, 6, 36, 16, 10, 300, 500),
    Layout(12, 4, 20, 12, 8, 240, 400),
    Layout(9, 3, 12, 10, 6, 200, 300),
    Layout(6, 2, 8, 8, 4, 160, 240),
    Layout(3, 1, 4, 6, 0, 120, 160),
    Layout(0, 0, 0, 2, 0, 90, 0),
)
"""Tried in turn until the encoded HTML part is small enough."""

TAGS = 5
"""Tags that a card names; the paper's own page has all."""

EVERYTHING = Layout(*(sys.maxsize,) * len(Layout._fields))
"""For the web page of an issue, where "n more" leads."""


def lay_out(contents: Mapping[str, Any], layout: Layout) -> dict[str, Any]:
    """Return the sections with what is shown of each and how many more there are.

    A card that does not fit becomes a line, a line that does not fit is counted.
    """
    cards, lines = layout.cards, layout.all_lines
    sections, hidden = [], 0
    for section in contents["sections"]:
        shown_cards = [each for each in section["entries"] if each["card"]][:cards]
        cards -= len(shown_cards)
        taken = {each["pmid"] for each in shown_cards}
        rest = [each for each in section["entries"] if each["pmid"] not in taken]
        shown_lines = rest[: min(layout.lines, lines)]
        lines -= len(shown_lines)
        more = len(rest) - len(shown_lines)
        if shown_cards or shown_lines:
            sections.append(
                {
                    "title": _cut(section["title"], layout),
                    "total": len(section["entries"]),
                    "cards": [_fit(each, layout) for each in shown_cards],
                    "lines": [_fit(each, layout) for each in shown_lines],
                    "more": more,
                }
            )
        else:
            hidden += more
    corrections, integrity = contents["corrections"], contents["integrity"]
    charted = [each for each in contents["topics"] if any(each["weeks"])]
    return {
        "sections": sections,
        "hidden": hidden,
        "corrections": [_fit(each, layout) for each in corrections[: layout.integrity]],
        "more_corrections": max(0, len(corrections) - layout.integrity),
        "integrity": [_fit(each, layout) for each in integrity[: layout.integrity]],
        "more_integrity": max(0, len(integrity) - layout.integrity),
        "chart": chart(charted[: layout.topics]),
        "followed": [_cut(each["title"], layout) for each in contents["topics"][: max(layout.topics, 4)]],
        "more_followed": max(0, len(contents["topics"]) - max(layout.topics, 4)),
        "problems": contents["searches"]["problems"][: max(layout.topics, 4)],
        "more_problems": max(0, len(contents["searches"]["problems"]) - max(layout.topics, 4)),
    }


def chart(topics: Sequence[Mapping[str, Any]], height: int = 30) -> list[dict[str, Any]]:
    """Return each topic's weeks as (figure, bar height), one scale for all, so that topics compare."""
    most = max((figure for topic in topics for figure in topic["weeks"]), default=0) or 1
    return [
        {
            "title": topic["title"],
            "bars": [(figure, max(2, round(figure / most * height)) if figure else 0) for figure in topic["weeks"]],
        }
        for topic in topics
    ]


def _fit(entry: Mapping[str, Any], layout: Layout) -> dict[str, Any]:
    short = len(entry["title"]) <= layout.title
    note, original = entry.get("note"), entry.get("original")
    return {
        **entry,
        "note": note and {**note, "text": _shortened(note["text"], layout.note)},
        "tags": entry.get("tags", ())[:TAGS],
        "original": original and {**original, "title": _cut(original["title"], layout)},
        "cut": None if short else _cut(entry["title"], layout),
        "authors": [each[:80] for each in entry["authors"]],
        "journal": entry["journal"][:120],
        "why": [{**each, "text": each["text"][:160]} for each in entry.get("why", ())],
    }


def _cut(text: str, layout: Layout) -> str:
    return _shortened(text, layout.title)


def _shortened(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"
