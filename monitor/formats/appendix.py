"""The search appendix as a page, and its searches as rows."""

from __future__ import annotations

from datetime import UTC
from typing import Final

from monitor.core.appendix import PRISMA_S, Appendix, AppendixVersion
from monitor.core.recall import day_of
from monitor.core.strategy import Line
from monitor.formats.pages import Page, Section, Table, count, shown
from monitor.formats.recall import sentinels_section

SEARCH_COLUMNS: Final = (
    "topic",
    "started_at",
    "lane",
    "strategy_version",
    "kind",
    "window",
    "pubmed_count",
    "pmids_named",
    "new",
    "revised",
    "state",
    "query",
    "translation",
    "warnings",
)
_KINDS: Final = {"window": "what is new or revised", "full": "the whole set"}


def appendix_page(appendix: Appendix) -> Page:
    """Lay out a search appendix after PRISMA-S."""
    first, last = appendix.first_search, appendix.last_search
    when = f"on {first}" if first == last else f"from {first} to {last}"
    sections = [
        Section(
            "Database",
            (
                "PubMed (U.S. National Library of Medicine), searched over the NCBI E-utilities (ESearch, EFetch) by "
                "Evidence Monitor. No other database was searched.",
                f"{len(appendix.searches):,} searches {when}.",
            ),
        ),
        Section("Strategies", (f"{count(len(appendix.versions), 'version')} searched in this range.",)),
    ]
    for version in appendix.versions:
        sections += _version(version)
    sections.append(
        Section(
            "How each search was sent",
            (
                "Each lane's string was sent as it stands above, inside parentheses, with a window of days on Create, "
                "Entry, MeSH and Modification Date. Windows overlap. Searches of the whole set were sent without a "
                "window. The string of each search, letter by letter, and PubMed's translation stand in the CSV and "
                "JSON forms of this appendix.",
            ),
            exact=(
                (
                    "With a window of days",
                    "(string) AND (FROM:TO[crdt] OR FROM:TO[edat] OR FROM:TO[mhda] OR FROM:TO[lr])",
                ),
            ),
        )
    )
    sections += [
        Section(
            "Limits",
            ("None: no limit by language, publication date, publication type or species beyond the strings above.",),
        ),
        Section(
            "Searches",
            (),
            Table(
                (
                    "date (UTC)",
                    "lane",
                    "version",
                    "searched",
                    "window",
                    "PubMed counted",
                    "PMIDs named",
                    "new",
                    "state",
                ),
                tuple(
                    (
                        f"{each.started_at.astimezone(UTC):%Y-%m-%d %H:%M}",
                        each.lane,
                        shown(each.version),
                        _KINDS.get(each.kind, each.kind),
                        each.window or "none",
                        shown(each.count),
                        shown(each.found),
                        shown(each.new),
                        each.state,
                    )
                    for each in appendix.searches
                ),
                frozenset({"version", "PubMed counted", "PMIDs named", "new"}),
            ),
        ),
        Section(
            "Records",
            (
                "Windows overlap, so that one paper is named by several searches; papers are counted once, by PMID.",
                f"Both lanes together, after deduplication: {count(appendix.distinct, 'paper')} first found in this "
                f"range, {count(appendix.distinct_by_end, 'paper')} found up to its end.",
            ),
            Table(
                ("lane", "searches", "records named", "first found in range", "found up to its end"),
                tuple(
                    (each.lane, *map(shown, (each.searches, each.named, each.first_found, each.found_by_end)))
                    for each in appendix.totals
                ),
                frozenset({"searches", "records named", "first found in range", "found up to its end"}),
            ),
        ),
        sentinels_section(appendix.sentinels),
        Section(
            "Peer review of the strategy",
            ("To be filled in by the authors: reviewer, date, instrument (for instance PRESS), changes made.",),
        ),
        Section(
            "PRISMA-S checklist",
            ("Rethlefsen et al., Systematic Reviews 2021;10:39. What this appendix fills, and what the authors must.",),
            Table(
                ("item", "name", "filled by", "where, or what to say"),
                tuple(
                    (str(each.number), each.name, "this appendix" if each.filled else "the authors", each.where)
                    for each in PRISMA_S
                ),
                frozenset({"item"}),
            ),
        ),
    ]
    return Page(f"Search appendix: {appendix.title} ({appendix.topic_id}), {appendix.span}", tuple(sections))


def search_rows(appendix: Appendix) -> list[tuple[str, ...]]:
    """Return the searches as rows of `SEARCH_COLUMNS`."""
    return [
        (
            appendix.topic_id,
            each.started_at.astimezone(UTC).isoformat(),
            each.lane,
            _plain(each.version),
            each.kind,
            each.window or "",
            _plain(each.count),
            _plain(each.found),
            str(each.new),
            str(each.revised),
            each.state,
            each.query,
            each.translation or "",
            "; ".join(each.warnings),
        )
        for each in appendix.searches
    ]


def _version(version: AppendixVersion) -> list[Section]:
    by = version.created_by or ("the starter set" if version.origin == "starter" else "the command line")
    sentences = [f"Made on {day_of(version.created_at)} by {by}. Reason: {version.reason}."]
    sentences += [f"Saved although: {each}" for each in version.accepted]
    exact = [("core, as sent", version.core)]
    if version.wide is not None:
        exact.append(("wide, as sent", version.wide))
    return [
        Section(f"Version {version.version}", tuple(sentences), None, tuple(exact), level=3),
        Section(
            f"Lines of version {version.version}",
            (),
            Table(
                ("lane", "line", "search", "reason"),
                (*_lines("core", version.core_lines), *_lines("wide", version.wide_lines)),
                frozenset({"line"}),
                frozenset({"search"}),
            ),
            level=3,
        ),
    ]


def _lines(lane: str, lines: tuple[Line, ...]) -> tuple[tuple[str, ...], ...]:
    return tuple(
        (lane, str(at) if each.enabled else f"{at} (off)", each.query, each.reason) for at, each in enumerate(lines, 1)
    )


def _plain(value: int | None) -> str:
    return "" if value is None else str(value)
