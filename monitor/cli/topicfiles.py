"""`monitor topic export` and `import`: topics as files that a lab keeps in git."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from monitor.cli.drafts import desk, drafts_in
from monitor.cli.files import write_out
from monitor.cli.frame import PARTLY, Json, count, leave, print_json, tell
from monitor.cli.plans import WITHOUT_REASON, blocking, plan_object, print_plan, print_saved, saved_object
from monitor.cli.topicedits import Because, DryRun, Message
from monitor.cli.topics import group
from monitor.errors import UsageError


@group.command("export")
def export(
    names: Annotated[list[str] | None, typer.Argument(metavar="TOPIC", help="All, when none is named.")] = None,
    form: Annotated[str | None, typer.Option("--format", help="yaml or toml; else what the file's name says.")] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Write here instead of to the terminal.")
    ] = None,
) -> None:
    """Write topics as a file that `topic import` reads; the same topics always give the same file."""
    from monitor.formats import topicfile

    if form is not None and form not in topicfile.FORMS:
        raise UsageError(f"--format: {form!r} is not one of {', '.join(topicfile.FORMS)}")
    chosen: topicfile.Form = "toml" if form == "toml" else "yaml"
    if form is None and output is not None:
        chosen = topicfile.form_of(output.name)
    with desk() as here:
        value = here.strategies.export(names or ())
    data = topicfile.write(value, chosen, "Comments are not kept by `monitor topic import`.")
    write_out([data.decode()], output)
    if output is not None:
        tell(f"{output}: {count(len(value['topics']), 'topic')}")


@group.command("import")
def import_files(
    files: Annotated[list[Path], typer.Argument(metavar="FILE", help="Topic files: .yaml, .yml or .toml.")],
    yes: Annotated[bool, typer.Option("--yes", help="Save without asking.")] = False,
    message: Message = "",
    because: Because = None,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Show what topic files would change, ask, and save all of it or nothing; topics they do not name stay."""
    with desk() as here:
        drafts = []
        places: dict[str, Path] = {}
        numbered: set[str] = set()
        for path in files:
            for draft in drafts_in(here, path):
                if draft.topic_id in places:
                    raise UsageError(
                        f"{draft.topic_id} stands in {places[draft.topic_id]} and in {path}; nothing was imported"
                    )
                places[draft.topic_id] = path
                if draft.based_on is not None and draft.held is None:
                    numbered.add(draft.topic_id)
                drafts.append(draft)
        plans = here.strategies.plan(drafts, overtake=True)
        if not as_json:
            for plan in plans:
                if plan.difference:
                    print_plan(plan)
        changed = [plan for plan in plans if plan.difference]
        new = sum(plan.draft.based_on is None for plan in changed)
        tell(f"topics: {new} new, {len(changed) - new} changed, {len(plans) - len(changed)} unchanged")
        blocked = () if because else blocking(plans)
        if dry_run or blocked or not changed:
            if as_json:
                print_json([plan_object(plan) for plan in plans])
            if blocked:
                said = "Nothing was imported; correct the files, or give the reason with --because TEXT:"
                tell("\n".join([WITHOUT_REASON if dry_run else said, *blocked]))
                leave(PARTLY)
            return
        if not yes and not _agreed():
            tell("Nothing was imported.")
            leave(PARTLY)
        reason = message or f"imported from {', '.join(sorted({path.name for path in files}))}"
        saved = here.strategies.commit(plans, reason, because=because)
        if as_json:
            print_json([saved_object(each) for each in saved])
            return
        for each in saved:
            if each.plan.difference:
                print_saved(here, each, again=True)
    old = sorted({str(places[each.topic_id]) for each in saved if each.new and each.topic_id in numbered})
    if old:
        tell(f"{', '.join(old)}: based_on names the version before this import; export anew before the next edit.")


def _agreed() -> bool:
    if not sys.stdin.isatty():
        raise UsageError(
            "Nothing was imported: without a terminal to ask at, --yes says that you have seen the changes"
        )
    return typer.confirm("Save this?", err=True)
