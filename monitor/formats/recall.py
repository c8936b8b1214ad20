"""The recall report as a page."""

from __future__ import annotations

from datetime import UTC
from typing import Final

from monitor.core.recall import (
    BACKFILLED,
    LaneRecall,
    LineRecall,
    RecallReport,
    Sentinel,
    Verdicts,
    WideKept,
)
from monitor.formats.pages import Page, Section, Table, count, shown

_NAMED: Final = 50


def report_page(report: RecallReport) -> Page:
    """Lay out a recall report."""
    sections = [_summary(report), sentinels_section(report.sentinels)]
    for lane in report.lanes:
        sections += _lane(report, lane)
    sections += [_wide_kept(report), _troubles(report)]
    return Page(f"Recall of {report.title} ({report.topic_id})", tuple(sections))


def _summary(report: RecallReport) -> Section:
    sentences = [f"Version {report.version} of the strategy stands; {_polls(report)} ({report.span})."]
    if report.why_not:
        sentences.append(f"PubMed's counts are not of now. {report.why_not}")
    return Section("Range", tuple(sentences))


def _polls(report: RecallReport) -> str:
    total = count(report.polls, "poll")
    if dict(report.polls_of).get(report.version) == report.polls:
        return f"{total}, all with it" if report.polls > 1 else f"{total}, with it"
    parts = [
        f"{number:,} with {'an unknown version' if of is None else f'version {of}'}" for of, number in report.polls_of
    ]
    if report.version not in dict(report.polls_of):
        parts.append(f"none with version {report.version}")
    return f"{total}: {', '.join(parts)}"


def sentinels_section(sentinels: tuple[Sentinel, ...]) -> Section:
    """Lay out whether the papers are found that every version must find."""
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
                    f"{count(each.papers, 'paper')} {'was' if each.papers == 1 else 'were'} brought by a backfill, "
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
                    (each.route, *map(shown, (each.papers, each.late, each.late_news)), _days(each.median_days))
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
                        f"{count(lane.lineless, 'hit')} match no line by our own reading: PubMed maps words that we do not.",
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
            tuple((each.label, shown(each.pubmed), shown(each.ours)) for each in lane.years),
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
    numbers = map(shown, (each.hits, each.unique, v.keep, v.maybe, v.dismiss))
    return (str(each.position), *numbers, share, why, each.line.query)


def _wide_kept(report: RecallReport) -> Section:
    sentences = []
    for each in report.wide_kept:
        sentences.append(f"PMID {each.pmid}: {each.title}")
        sentences += [
            f"  {phrase.query} would have put it into core; {phrase.good:,} of {phrase.total:,} others with it are core "
            f"or kept, and core would gain {count(phrase.gain, 'paper')}."
            for phrase in each.phrases
        ] or [_without_phrases(each)]
    if report.wide_kept_unread:
        sentences.append(f"And {count(report.wide_kept_unread, 'older paper')}; monitor topic test shows each.")
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


def _days(value: float | None) -> str:
    return "?" if value is None else f"{value:,.0f}" if value == int(value) else f"{value:,.1f}"


def _pmids(pmids: tuple[int, ...]) -> str:
    more = f" and {len(pmids) - _NAMED:,} more" if len(pmids) > _NAMED else ""
    return ", ".join(map(str, pmids[:_NAMED])) + more
