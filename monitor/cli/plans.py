"""What saving topics would change or has changed, and what stands against it: at the terminal and as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import typer

from monitor.cli.frame import count

if TYPE_CHECKING:
    from monitor.build import House
    from monitor.core.lint import Finding
    from monitor.services.strategies import Check, Overtaken, Plan, Saved

NOTES = 10
"""Notes of the linter that a check prints; `topic lint` prints them all."""
WITHOUT_REASON = "It would not be saved without --because TEXT:"


def blocking(plans: Sequence[Plan]) -> tuple[str, ...]:
    """Return what stands against saving, with the names of the topics."""
    return tuple(f"{plan.draft.topic_id}: {each}" for plan in plans for each in plan.blocking)


def print_plan(plan: Plan) -> None:
    """Print what a draft changes and what was found on looking at it."""
    name = plan.draft.topic_id
    if not plan.difference:
        typer.echo(f"{name}: nothing is different from version {plan.draft.based_on}.")
        return
    typer.echo(f"{name}: {plan.difference.summary}")
    for each in plan.difference.words:
        typer.echo(f"  {each}")
    if plan.overtaken is not None:
        _print_overtaken(plan.overtaken)
    if plan.check is not None:
        print_check(plan.check)


def _print_overtaken(overtaken: Overtaken) -> None:
    stands = overtaken.stands
    typer.echo(
        f"  The file was made from version {overtaken.based_on}; version {stands.version} stands, by {stands.maker}, "
        f"{stands.at:%Y-%m-%d %H:%M} UTC: {stands.reason}"
    )
    if overtaken.changes:
        typer.echo(f"  What came since version {overtaken.based_on}:")
    for each in overtaken.changes.words:
        typer.echo(f"    {each}")


def print_saved(here: House, saved: Saved, *, again: bool = False) -> None:
    """Print what was saved, and how to get what PubMed already has of it; `again` says that the plan was shown."""
    if not saved.plan.difference:
        typer.echo(f"{saved.topic_id}: nothing is different from version {saved.version}; no new version.")
        return
    if not again:
        print_plan(saved.plan)
    if not saved.new:
        typer.echo(f"{saved.topic_id}: saved. The search is still version {saved.version}.")
        _print_unchecked(saved)
        return
    typer.echo(f"{saved.topic_id}: version {saved.version} is saved.")
    for each in saved.accepted:
        typer.echo(f"  accepted: {each}")
    _print_offer(here, saved)
    _print_unchecked(saved)


def _print_offer(here: House, saved: Saved) -> None:
    """Say what a backfill would bring, where PubMed answers and one search names all of each lane."""
    from monitor.cli.proof import duration, founded
    from monitor.core.polling import MOST_NAMED
    from monitor.errors import PubmedError, PubmedRefused, PubmedUnavailable

    command = f"monitor topic backfill {saved.topic_id}"
    check = saved.plan.check
    if check is None or not check.asked_pubmed or not all(each <= MOST_NAMED for each in check.counts.values()):
        typer.echo(f"What PubMed has of it already comes with: {command}")
        return
    try:
        offers = here.backfilling.offer(saved.topic_id)
    except (PubmedError, PubmedRefused, PubmedUnavailable) as error:
        typer.echo(f"What PubMed has of it already comes with: {command} (how much cannot be said: {error})")
        return
    fetched, filed = sum(each.to_fetch for each in offers), sum(each.to_file for each in offers)
    if fetched:
        seconds = sum(each.seconds for each in offers)
        typer.echo(
            f"PubMed has {count(fetched, 'paper')} of it that {'is' if fetched == 1 else 'are'} not here, about "
            f"{duration(seconds)} to fetch ({founded(offers[0])}): {command}"
        )
    elif filed:
        typer.echo(
            f"Nothing to fetch: {count(filed, 'paper')} of it are in the library and only to be filed: {command}"
        )
    else:
        typer.echo("Nothing to fetch: all that PubMed has of it is here.")


def _print_unchecked(saved: Saved) -> None:
    check = saved.plan.check
    if check is not None and check.why_not:
        typer.echo(f"{saved.topic_id}: saved; not checked with PubMed: {check.why_not}")


def print_check(check: Check) -> None:
    """Print what was looked at: linter, sentinels, phrases, counts."""
    from monitor.core.lint import UNCHECKED, summary

    folded = [each for each in check.findings if each.code == UNCHECKED]
    told = [each for each in check.findings if each.code != UNCHECKED]
    said = [count(number, weight) for weight, number in summary(told).items() if number]
    said += [f"{count(len(check.unchecked), 'phrase')} that PubMed was not asked about"] if folded else []
    if check.counts or check.findings or check.phrases:
        typer.echo(f"  lint: {', '.join(said) or 'nothing to say'}")
    notes = [each for each in told if each.weight == "note"]
    for finding in (*(each for each in told if each.weight != "note"), *notes[:NOTES]):
        typer.echo(f"    {finding.weight}: {_place(finding)}: {finding.message}")
    if len(notes) > NOTES:
        typer.echo(f"    and {count(len(notes) - NOTES, 'note')} more; monitor topic lint says which")
    _print_sentinels(check)
    if check.phrases:
        known = sum(each is True for each in check.phrases.values())
        parts = [f"{known:,} known to PubMed"]
        parts += [f"{len(check.unknown):,} unknown"] if check.unknown else []
        parts += [f"{len(check.unchecked):,} not checked"] if check.unchecked else []
        typer.echo(f"  phrases: {', '.join(parts)}")
    for phrase, tag in check.unknown:
        typer.echo(f"    unknown: “{phrase}” [{tag}]")
    if check.counts:
        typer.echo("  PubMed counts: " + "; ".join(f"{lane} {number:,}" for lane, number in check.counts.items()))
    for each in check.warnings:
        typer.echo(f"  PubMed says: {each}")
    if check.why_not:
        typer.echo(f"  not checked with PubMed: {check.why_not}")


def _place(finding: Finding) -> str:
    return f"{finding.block} {finding.position}" if finding.position else finding.block


def _print_sentinels(check: Check) -> None:
    found = check.sentinels
    number = sum(len(each) for each in (found.found, found.lost, found.absent, found.unchecked))
    if not number:
        return
    where = "by PubMed" if found.by_pubmed else "in the library"
    typer.echo(f"  sentinels: {len(found.found)} of {number} found {where}")
    for pmids, what in (
        (found.lost, "lost"),
        (found.absent, "not in PubMed"),
        (found.unchecked, "not checked, for want of PubMed and of the record here"),
    ):
        if pmids:
            typer.echo(f"    {what}: {', '.join(map(str, pmids))}")


def plan_object(plan: Plan) -> dict[str, Any]:
    """Return a plan for `--json`."""
    return {
        "topic": plan.draft.topic_id,
        "based_on": plan.draft.based_on,
        "changes": [
            {
                "kind": each.kind,
                "block": each.where,
                "position": each.position,
                "before": each.before and each.before._asdict(),
                "after": each.after and each.after._asdict(),
            }
            for each in plan.difference.lines
        ],
        "blocks_gained": [each.name for each in plan.difference.blocks_gained],
        "blocks_lost": [each.name for each in plan.difference.blocks_lost],
        "words": plan.difference.words,
        "title": plan.difference.title,
        "sentinels_gained": plan.difference.sentinels_gained,
        "sentinels_lost": plan.difference.sentinels_lost,
        "check": plan.check and check_object(plan.check),
    }


def saved_object(saved: Saved) -> dict[str, Any]:
    return {
        "saved": bool(saved.plan.difference),
        "version": saved.version,
        "new_version": saved.new,
        "accepted": saved.accepted,
        **plan_object(saved.plan),
    }


def check_object(check: Check) -> dict[str, Any]:
    """Return a check for `--json`."""
    from monitor.core.lint import as_json

    found = check.sentinels
    return {
        "topic": check.topic_id,
        "findings": [as_json(each) for each in check.findings],
        "sentinels": {
            "found": found.found,
            "lost": found.lost,
            "absent": found.absent,
            "unchecked": found.unchecked,
            "by": "pubmed" if found.by_pubmed else "library",
        },
        "phrases": [{"phrase": phrase, "field": tag, "known": known} for (phrase, tag), known in check.phrases.items()],
        "counts": dict(check.counts),
        "warnings": check.warnings,
        "blocking": check.blocking,
        "asked_pubmed": check.asked_pubmed,
        "why_not": check.why_not,
    }
