"""`monitor topic backfill` and `report`: bringing all that a search has, and proving what it brought."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from monitor.cli.files import write_out
from monitor.cli.frame import Json, count, house, leave, print_json, read_date, tell
from monitor.cli.topics import TopicName, group
from monitor.cli.trials import asking, lanes_named
from monitor.core.polling import phrases_in_words
from monitor.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from monitor.core.appendix import Appendix
    from monitor.core.recall import RecallReport
    from monitor.services.backfilling import Offer
    from monitor.services.polling import PollReport

FORMATS = ("text", "md", "json", "csv")


@group.command("backfill")
def backfill(
    topic: TopicName,
    lane: Annotated[str | None, typer.Option("--lane", metavar="LANE", help="core or wide; both if not told.")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Begin without asking.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what it would take, and begin nothing.")] = False,
    as_json: Json = False,
) -> None:
    """Bring everything that a search has, however old; none of it becomes news. Ctrl-C stops, the next run goes on."""
    from monitor.cli.progress import poll_progress

    lanes = lanes_named(lane)
    with house() as here:
        offers = here.backfilling.offer(topic, lanes)
        if not as_json:
            _print_offers(offers)
        for each in offers:
            for phrase in each.unknown_phrases:
                tell(f"{each.lane}: PubMed does not know the phrase “{phrase}” and searches without it.")
            for text in each.warnings:
                tell(f"{each.lane}: {text}")
        report: PollReport | None = None
        if dry_run:
            pass
        elif all(each.nothing_to_do for each in offers):
            tell("Everything is here already; nothing to do.")
        elif yes or _wanted():
            try:
                with poll_progress() as progress:
                    report = here.backfilling.run(topic, lanes, progress=progress)
            except KeyboardInterrupt:
                tell(f"monitor topic backfill {topic} goes on from there.")
                raise
    if as_json:
        from monitor.formats.pages import plain

        print_json({"offers": plain(offers), "polls": _outcomes(report)})
    if report is None:
        return
    for outcome in report.outcomes:
        if not as_json:
            typer.echo(_outcome_line(outcome.lane, outcome.state, outcome.poll))
        if outcome.error:
            tell(f"{outcome.lane}: {outcome.error}")
        for text in (*outcome.poll.warnings, *outcome.poll.refused) if outcome.poll else ():
            tell(f"{outcome.lane}: {text}")
    leave(report.exit_code)


@group.command("report")
def report(
    topic: TopicName,
    since: Annotated[
        str | None, typer.Option("--from", metavar="DATE", help="First day; the first poll if not told.")
    ] = None,
    until: Annotated[str | None, typer.Option("--to", metavar="DATE", help="Last day; today if not told.")] = None,
    appendix: Annotated[
        bool, typer.Option("--appendix", help="The search appendix of a systematic review (PRISMA-S) instead.")
    ] = False,
    format_name: Annotated[
        str | None, typer.Option("--format", help="text, md, json or csv; an appendix is md if not told.")
    ] = None,
    late_days: Annotated[
        int, typer.Option("--late-days", min=0, max=36_500, help="Days from Create Date after which a find is late.")
    ] = 14,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Write there instead of printing.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Prove what a search found: sentinels, PubMed's count against ours, what came late, what each line brings."""
    from monitor.core.recall import Span

    if as_json and format_name not in (None, "json"):
        raise UsageError(f"--json and --format {format_name}: say one of them")
    chosen = "json" if as_json else format_name or ("md" if appendix else "text")
    if chosen not in FORMATS:
        raise UsageError(f"--format: {chosen!r} is no format; choose from {', '.join(FORMATS)}")
    span = Span(read_date(since, "--from"), read_date(until, "--to"))
    why_not = None
    with house() as here:
        if appendix:
            text = _appendix_text(here.recall.appendix(topic, span), chosen)
        else:
            with asking() as heard:
                found = here.recall.report(topic, span, late_days=late_days, tell=heard)
            text, why_not = _report_text(found, chosen), found.why_not
    write_out([text], output)
    if why_not:
        tell(f"{why_not}\nCounts are those of the last comparison of the whole set.")


def _report_text(report: RecallReport, chosen: str) -> str:
    from monitor.formats import pages, recall

    page = recall.report_page(report)
    if chosen == "json":
        return pages.json_text(report)
    if chosen == "csv":
        return pages.csv_text(("section", "item", "measure", "value"), pages.long_rows(page))
    return pages.text(page) if chosen == "text" else pages.markdown(page)


def _appendix_text(appendix: Appendix, chosen: str) -> str:
    from monitor.core.appendix import PRISMA_S
    from monitor.formats import appendix as layout
    from monitor.formats import pages

    if chosen == "json":
        return pages.json_text({"appendix": appendix, "prisma_s": PRISMA_S})
    if chosen == "csv":
        return pages.csv_text(layout.SEARCH_COLUMNS, layout.search_rows(appendix))
    page = layout.appendix_page(appendix)
    return pages.text(page) if chosen == "text" else pages.markdown(page)


def _wanted() -> bool:
    if not sys.stdin.isatty():
        raise UsageError("nothing was fetched: say --yes to begin, there is no terminal to ask at")
    if not typer.confirm("Begin?", err=True):
        tell("Nothing was fetched.")
        return False
    return True


def _print_offers(offers: Sequence[Offer]) -> None:
    for each in offers:
        typer.echo(
            f"{each.topic_id} {each.lane} (version {each.version}): PubMed counts {count(each.count, 'paper')}; "
            f"in the library {each.held:,}, to be fetched {each.to_fetch:,}"
            + (f", only to be filed {each.to_file:,}" if each.to_file else "")
            + "."
        )
        if not each.nothing_to_do:
            typer.echo(f"  {count(each.requests, 'request')}, about {duration(each.seconds)} ({founded(each)})")


def founded(offer: Offer) -> str:
    """Say what an estimate stands on."""
    if offer.measured:
        return f"an estimate from {count(offer.measured, 'record')} of earlier polls and the rate that NCBI allows"
    return "a guess: no poll has been measured here yet"


def duration(seconds: float) -> str:
    """Say how long something takes, as a person would."""
    if seconds < 90:
        return count(max(round(seconds), 1), "second")
    if seconds < 90 * 60:
        return count(round(seconds / 60), "minute")
    return f"{seconds / 3600:.1f} hours"


def _outcome_line(lane: str, state: str, poll: Any) -> str:
    if poll is None or poll.count is None:
        return f"{lane}: {state}"
    unnamed = poll.count - poll.found
    here = poll.found - poll.new - max(poll.missing - unnamed, 0) - len(poll.refused)
    return (
        f"{lane}: {state}. PubMed counts {poll.count:,}: {poll.new:,} new, {here:,} here already"
        + (f", {poll.missing:,} missing" if poll.missing else "")
        + (f", {len(poll.refused):,} unreadable" if poll.refused else "")
        + "."
    )


def _outcomes(report: PollReport | None) -> list[dict[str, Any]] | None:
    if report is None:
        return None
    return [
        {
            "lane": each.lane,
            "state": each.state,
            "error": each.error,
            "count": each.poll.count if each.poll else None,
            "found": each.poll.found if each.poll else None,
            "new": each.poll.new if each.poll else None,
            "missing": each.poll.missing if each.poll else None,
            "unknown_phrases": phrases_in_words(each.poll.unknown_phrases) if each.poll else (),
            "warnings": each.poll.warnings if each.poll else (),
            "seconds": each.poll.seconds if each.poll else None,
        }
        for each in report.outcomes
    ]
