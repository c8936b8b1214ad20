"""The recall report and the search appendix as pages."""

from __future__ import annotations

from datetime import UTC
from typing import Final

from monitor.core.recall import (
    BACKFILLED,
    PRISMA_S,
    Appendix,
    AppendixVersion,
    LaneRecall,
    LineRecall,
    RecallReport,
    Sentinel,
    Verdicts,
    WideKept,
    day_of,
)
from monitor.core.strategy import Line
from monitor.formats.pages import Page, Section, Table

_NAMED: Final = 50
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


def report_page(report: RecallReport) -> Page:
    """Lay out a recall report."""
    sections = [_summary(report), _sentinels(report.sentinels)]
    for lane in report.lanes:
        sections += _lane(report, lane)
    sections += [_wide_kept(report), _troubles(report)]
    return Page(f"Recall of {report.title} ({report.topic_id})", tuple(sections))


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
        Section("Strategies", (f"{_number(len(appendix.versions), 'version')} searched in this range.",)),
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
                        _shown(each.version),
                        _KINDS.get(each.kind, each.kind),
                        each.window or "none",
                        _shown(each.count),
                        _shown(each.found),
                        _shown(each.new),
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
                f"Both lanes together, after deduplication: {_number(appendix.distinct, 'paper')} first found in this "
                f"range, {_number(appendix.distinct_by_end, 'paper')} found up to its end.",
            ),
            Table(
                ("lane", "searches", "records named", "first found in range", "found up to its end"),
                tuple(
                    (each.lane, *map(_shown, (each.searches, each.named, each.first_found, each.found_by_end)))
                    for each in appendix.totals
                ),
                frozenset({"searches", "records named", "first found in range", "found up to its end"}),
            ),
        ),
        _sentinels(appendix.sentinels),
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


def _summary(report: RecallReport) -> Section:
    sentences = [f"Version {report.version} of the strategy stands; {_polls(report)} ({report.span})."]
    if report.why_not:
        sentences.append(f"PubMed's counts are not of now. {report.why_not}")
    return Section("Range", tuple(sentences))


def _polls(report: RecallReport) -> str:
    total = _number(report.polls, "poll")
    if dict(report.polls_of).get(report.version) == report.polls:
        return f"{total}, all with it" if report.polls > 1 else f"{total}, with it"
    parts = [
        f"{number:,} with {'an unknown version' if of is None else f'version {of}'}" for of, number in report.polls_of
    ]
    if report.version not in dict(report.polls_of):
        parts.append(f"none with version {report.version}")
    return f"{total}: {', '.join(parts)}"


def _sentinels(sentinels: tuple[Sentinel, ...]) -> Section:
    if not sentinels:
        return Section("Sentinels", ("None: no paper is named that every version must find.",))
    return Section(
        "Sentinels",
        (),
        Table(
            ("PMID", "state", "last seen"),
            tuple((str(each.pmid), each.state, str(each.last_seen or "never")) for each in sentinels),
        ),
    )


def _lane(report: RecallReport, lane: LaneRecall) -> list[Section]:
    return [
        _counts(lane),
        Section(
            f"{lane.lane}: how papers came",
            (
                f"Late means found more than {report.late_days} days after PubMed created the record.",
                *(
                    f"{_number(each.papers, 'paper')} {'was' if each.papers == 1 else 'were'} brought by a backfill, "
                    "which is not late: it was asked for what had been there before."
                    for each in lane.routes
                    if each.route == BACKFILLED
                ),
                *(
                    f"PMID {each.pmid} ({each.route}, {each.days} days after its creation on {each.created}): {title}"
                    for each, title in lane.late
                    if each.watched_for
                ),
            ),
            Table(
                ("route", "papers", "late", "late though watched for", "median days"),
                tuple(
                    (each.route, *map(_shown, (each.papers, each.late, each.late_news)), _days(each.median_days))
                    for each in lane.routes
                    if each.route != BACKFILLED
                ),
                frozenset({"papers", "late", "late though watched for", "median days"}),
            ),
        ),
        Section(
            f"{lane.lane}: what each line brings",
            (
                *(
                    f"Line {each.position} can be read by PubMed alone: {each.unreadable}"
                    for each in lane.lines
                    if each.unreadable
                ),
                *(
                    (
                        f"{_number(lane.lineless, 'hit')} match no line by our own reading: PubMed maps words that we do not.",
                    )
                    if lane.lineless
                    else ()
                ),
            ),
            Table(
                (
                    "line",
                    "hits",
                    "only by it",
                    "kept",
                    "maybe",
                    "dismissed",
                    "share kept",
                    "dismissed because",
                    "search",
                ),
                tuple(map(_line, lane.lines)),
                frozenset({"line", "hits", "only by it", "kept", "maybe", "dismissed", "share kept"}),
                frozenset({"search"}),
            ),
        ),
    ]


def _counts(lane: LaneRecall) -> Section:
    of = lane.compared
    if of.counted is None:
        said = "PubMed was not asked, and its whole set was never compared: monitor topic backfill does that."
    elif of.asked:
        said = f"PubMed counts {of.counted:,} on {of.counted_on}; {lane.ours:,} are hits here."
    else:
        said = f"PubMed counted {of.counted:,} at the last comparison, on {of.counted_on}; {lane.ours:,} are hits here now."
    named = [
        (of.missing, "Counted by PubMed and not in the library"),
        (of.unfiled, "Named by PubMed and in the library, but not a hit yet; the next full poll files it"),
        (of.extra, "Hits here that PubMed does not name now"),
        (of.withdrawn, "Of these, withdrawn by PubMed"),
    ]
    sentences = [said, *(f"{what} ({len(pmids):,}): {_pmids(pmids)}." for pmids, what in named if pmids)]
    if of.asked and not of.missing:
        sentences.append("Nothing that PubMed counts is missing from the library.")
    return Section(
        f"{lane.lane}: PubMed's count against ours",
        (*sentences, *of.notes),
        Table(
            ("created", "PubMed", "here"),
            tuple((each.label, _shown(each.pubmed), _shown(each.ours)) for each in lane.years),
            frozenset({"PubMed", "here"}),
        ),
    )


def _line(each: LineRecall) -> tuple[str, ...]:
    if not each.line.enabled:
        return (str(each.position), "off", *[""] * 6, each.line.query)
    if each.unreadable:
        return (str(each.position), "?", *[""] * 6, each.line.query)
    v: Verdicts = each.verdicts
    why = ", ".join(f"{reason} {number}" for reason, number in v.reasons)
    share = "" if v.share is None else f"{v.share:.0%}"
    numbers = map(_shown, (each.hits, each.unique, v.keep, v.maybe, v.dismiss))
    return (str(each.position), *numbers, share, why, each.line.query)


def _wide_kept(report: RecallReport) -> Section:
    sentences = []
    for each in report.wide_kept:
        sentences.append(f"PMID {each.pmid}: {each.title}")
        sentences += [
            f"  {phrase.query} would have put it into core; {phrase.good:,} of {phrase.total:,} others with it are core "
            f"or kept, and core would gain {_number(phrase.gain, 'paper')}."
            for phrase in each.phrases
        ] or [_without_phrases(each)]
    if report.wide_kept_unread:
        sentences.append(f"And {_number(report.wide_kept_unread, 'older paper')}; monitor topic test shows each.")
    return Section("Kept papers that only the wide lane finds", tuple(sentences) or ("None.",))


def _without_phrases(kept: WideKept) -> str:
    if kept.core_lines:
        lines = ", ".join(map(str, kept.core_lines))
        return f"  Core finds it since, by line {lines}; the next comparison of the whole set files it."
    return "  No phrase of it touches the topic's own words."


def _troubles(report: RecallReport) -> Section:
    if not report.troubles:
        return Section("Polls that failed or were warned", ("None in this range.",))
    rows = tuple(
        (
            f"{each.started_at.astimezone(UTC):%Y-%m-%d %H:%M}",
            each.lane,
            each.kind,
            each.state,
            "; ".join(each.what),
        )
        for each in report.troubles
    )
    return Section("Polls that failed or were warned", (), Table(("began (UTC)", "lane", "kind", "state", "why"), rows))


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


def _days(value: float | None) -> str:
    return "?" if value is None else f"{value:,.0f}" if value == int(value) else f"{value:,.1f}"


def _pmids(pmids: tuple[int, ...]) -> str:
    more = f" and {len(pmids) - _NAMED:,} more" if len(pmids) > _NAMED else ""
    return ", ".join(map(str, pmids[:_NAMED])) + more


def _number(number: int, one: str) -> str:
    return f"{number:,} {one}{'' if number == 1 else 's'}"


def _shown(value: int | None) -> str:
    return "?" if value is None else f"{value:,}"


def _plain(value: int | None) -> str:
    return "" if value is None else str(value)
