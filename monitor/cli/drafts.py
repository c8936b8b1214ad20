"""Drafts of topics on their way into the database: typed, edited or read from files, shown, saved, and never lost."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from monitor.cli.frame import PARTLY, count, leave, print_json, tell
from monitor.errors import MonitorError, UsageError

if TYPE_CHECKING:
    from monitor.build import House
    from monitor.core.draft import Draft
    from monitor.core.lint import Finding
    from monitor.services.strategies import Check, Overtaken, Plan, Saved

NOTES = 10
"""Notes of the linter that a check prints; `topic lint` prints them all."""
PATIENCE = 30.0
"""Seconds that a person at the terminal waits for PubMed before the library alone is asked."""

WITHOUT_REASON = "It would not be saved without --because TEXT:"


@contextmanager
def desk() -> Iterator[House]:
    """Open the house for somebody who waits at the terminal."""
    from monitor.cli.frame import house

    with house() as here:
        here.patience = PATIENCE
        yield here


def read_file(path: Path) -> object:
    """Return what a topic file holds, parsed; raises UsageError naming file and place."""
    from monitor.formats import topicfile

    form = topicfile.form_of(path.name)
    try:
        with path.open("rb") as file:
            data = file.read(topicfile.LARGEST + 1)
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror or error}") from None
    return topicfile.read(data, form, str(path))


def drafts_in(here: House, path: Path) -> tuple[Draft, ...]:
    """Return the drafts of a topic file, and say which blocks of it are in vain."""
    values = read_file(path)
    try:
        drafts, unused = here.strategies.read(values)
    except UsageError as error:
        raise UsageError(f"{path}: {error}") from None
    for name in unused:
        tell(f"{path}: block {name} is inserted by no line of the file and is left out")
    return drafts


def draft_in(here: House, path: Path, topic_id: str) -> Draft:
    """Return the draft of one topic from a file that holds nothing else."""
    drafts = drafts_in(here, path)
    if [each.topic_id for each in drafts] != [topic_id]:
        found = ", ".join(each.topic_id for each in drafts) or "no topic"
        raise UsageError(f"{path} holds {found}, and {topic_id} is wanted; `monitor topic import` takes several")
    return drafts[0]


def edited(here: House, draft: Draft) -> tuple[Draft, Path]:
    """Let the person edit a draft as YAML in their editor; the file stays until what they typed is saved."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UsageError(
            "say what to change: --add, --line N with --query, --reason, --on, --off, --move or --remove, --sentinel, "
            "--title, or --from FILE; without any an editor is opened, which needs a terminal"
        )
    from monitor.settings import editor

    path = keep(here, draft)
    before = path.read_bytes()
    command = [*shlex.split(editor()), str(path)]
    try:
        code = subprocess.run(command, check=False).returncode  # noqa: S603  the person's own editor
    except OSError as error:
        path.unlink()
        raise UsageError(f"the editor {command[0]} cannot be started: {error.strerror}; set EDITOR") from None
    if path.read_bytes() == before:
        path.unlink()
        raise UsageError(f"{command[0]} ended with {code}; nothing was changed" if code else "nothing was changed")
    with kept_after_errors(path, draft.topic_id):
        made = draft_in(here, path, draft.topic_id)
    return replace(made, based_on=draft.based_on, held=draft.held), path


def keep(here: House, draft: Draft) -> Path:
    """Write a draft into the home where only its owner reads it, and return the path."""
    from monitor.core.topicfile import write_file
    from monitor.formats import topicfile

    folder = here.settings.home / "drafts"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    based_on = {draft.topic_id: draft.based_on} if draft.based_on is not None else None
    remark = "A draft that is not saved. based_on is the version it was made from.\nComments are not kept."
    data = topicfile.write(write_file([draft.topic], based_on), "yaml", remark)
    stem = f"{draft.topic_id}-{here.clock.now():%Y%m%d-%H%M%S}"
    for number in range(1, 1000):
        path = folder / f"{stem}{'' if number == 1 else f'-{number}'}.yaml"
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            continue
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
        return path
    raise UsageError(f"{folder} is full of drafts of this second; remove some")


@contextmanager
def kept_after_errors(path: Path, topic_id: str, *, new: bool = False) -> Iterator[None]:
    """Add to an error where the draft lies and how to go on with it."""
    try:
        yield
    except MonitorError as error:
        _say_where(error, path, topic_id, new=new)
        raise
    except KeyboardInterrupt:
        tell(f"What was typed is kept in {path}")
        raise


def _say_where(error: MonitorError, path: Path, topic_id: str, *, new: bool) -> None:
    from monitor.services.strategies import Conflict, Refused

    go_on = f"monitor topic {'add' if new else 'edit'} {topic_id} --from {shlex.quote(str(path))}"
    error.add_note(f"What was typed is kept in {path}")
    if isinstance(error, Conflict):
        number = error.theirs.version
        error.add_note(f"Take over there what you want of version {number}, set based_on: {number}")
        error.add_note(f"and go on with: {go_on}")
    else:
        error.add_note(f"Correct it there and go on with: {go_on}")
    if isinstance(error, Refused):
        error.add_note(f"Or save it as it is, with the reason: {go_on} --because TEXT")


def save(
    here: House,
    draft: Draft,
    message: str,
    because: str | None,
    *,
    dry_run: bool,
    as_json: bool,
    source: Path | None = None,
) -> None:
    """Save one draft and print what that did. After an error it is kept: in `source`, the file it came from, or anew."""
    from monitor.services.strategies import Refused

    plans: Sequence[Plan] = ()
    new = draft.based_on is None
    try:
        with kept_after_errors(source, draft.topic_id, new=new) if source is not None else nullcontext():
            plans = here.strategies.plan([draft])
            if not dry_run:
                (saved,) = here.strategies.commit(plans, message, because=because)
    except MonitorError as error:
        if isinstance(error, Refused):
            if as_json:
                print_json([plan_object(each) for each in plans])
            else:
                print_plan(plans[0])
        if source is None:
            keep_with(error, here, draft)
        raise
    if dry_run:
        _tell_dry(plans, because, as_json=as_json)
    elif as_json:
        print_json(saved_object(saved))
    else:
        print_saved(here, saved)


def keep_with(error: MonitorError, here: House, draft: Draft) -> None:
    """Keep a draft, and add to the error where it lies."""
    try:
        path = keep(here, draft)
    except OSError as trouble:
        error.add_note(f"What was typed could not be kept in {here.settings.home}: {trouble.strerror}")
    else:
        _say_where(error, path, draft.topic_id, new=draft.based_on is None)


def _tell_dry(plans: Sequence[Plan], because: str | None, *, as_json: bool) -> None:
    if as_json:
        print_json([plan_object(each) for each in plans])
    for plan in plans:
        if not as_json:
            print_plan(plan)
    if not because and (blocked := blocking(plans)):
        tell("\n".join([WITHOUT_REASON, *blocked]))
        leave(PARTLY)
    tell("Nothing was saved; without --dry-run it would be.")


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
    from monitor.services.topics import maker

    stands = overtaken.stands
    typer.echo(
        f"  The file was made from version {overtaken.based_on}; version {stands.version} stands, by {maker(stands)}, "
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
