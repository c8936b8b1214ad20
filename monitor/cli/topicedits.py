"""`monitor topic add`, `edit`, `lint`, `check`, `restore`, `retire`: searches changed with all that guards them."""

from __future__ import annotations

import shlex
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from monitor.cli.drafts import desk, draft_in, drafts_in, edited, keep_with, save
from monitor.cli.frame import PARTLY, UNREACHABLE, Json, count, leave, print_json, tell
from monitor.cli.plans import check_object, print_check
from monitor.cli.pointing import pointed
from monitor.cli.topics import TopicName, group
from monitor.core.draft import (
    LAB,
    Draft,
    add_line,
    change_line,
    line_at,
    lines_of,
    move_line,
    put_block,
    read_block_name,
    read_topic_id,
    remove_line,
    typed_line,
    with_lines,
    with_sentinels,
)
from monitor.core.strategy import LANES, Block, Line, Strategy, all_lines
from monitor.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from monitor.build import House
    from monitor.core.lint import Finding
    from monitor.services.checking import Check

Because = Annotated[str | None, typer.Option(metavar="TEXT", help="Save in spite of what stands against it, and why.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Check and show; save nothing.")]
FromFile = Annotated[
    Path | None, typer.Option("--from", metavar="FILE", help="The whole topic from a file (.yaml, .toml).")
]
Message = Annotated[str, typer.Option(metavar="TEXT", help="Why the new version is made; what changed, if not given.")]
Sentinels = Annotated[
    list[str] | None,
    typer.Option("--sentinel", metavar="PMID", help="A paper it must find: +PMID adds, -PMID removes."),
]


@group.command("add")
def add(
    name: TopicName,
    title: Annotated[str | None, typer.Option(help="What members see.")] = None,
    query: Annotated[str | None, typer.Option(help="The first line of its core search.")] = None,
    reason: Annotated[str | None, typer.Option(help="Why that line is there.")] = None,
    owner: Annotated[str, typer.Option(help="Whose line it is.")] = LAB,
    sentinel: Sentinels = None,
    source: FromFile = None,
    message: Message = "",
    because: Because = None,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Add a topic: its title and first line, or all of it from a file."""
    read_topic_id(name)
    if source is not None and (title or query or reason or sentinel):
        raise UsageError("--from FILE holds the whole topic; nothing else goes with it")
    with desk() as here:
        if source is not None:
            draft = draft_in(here, source, name)
        else:
            line = typed_line(query, reason, owner, where="the first line (--query, --reason)")
            draft = Draft(name, title or "", Strategy((line,)), with_sentinels((), sentinel or ()))
        if draft.based_on is not None:
            raise UsageError(f"a topic is called {name} already; `monitor topic edit {name}` changes it")
        save(here, draft, message, because, dry_run=dry_run, as_json=as_json, source=source)


@group.command("edit")
def edit(
    name: TopicName,
    source: FromFile = None,
    new: Annotated[str | None, typer.Option("--add", metavar="QUERY", help="Add a line, with its --reason.")] = None,
    number: Annotated[
        int | None, typer.Option("--line", metavar="N", help="The line to change, by its number.")
    ] = None,
    lane: Annotated[str | None, typer.Option(help="Where the line stands: core (if not said) or wide.")] = None,
    block: Annotated[
        str | None, typer.Option(metavar="NAME", help="Or the block it stands in; --add makes one.")
    ] = None,
    query: Annotated[str | None, typer.Option(help="What the line searches now.")] = None,
    reason: Annotated[str | None, typer.Option(help="Why the line is there.")] = None,
    owner: Annotated[str | None, typer.Option(help="Whose line it is.")] = None,
    on: Annotated[bool, typer.Option("--on", help="Switch the line on.")] = False,
    off: Annotated[bool, typer.Option("--off", help="Switch the line off; it stays.")] = False,
    remove: Annotated[bool, typer.Option("--remove", help="Take the line out.")] = False,
    move: Annotated[int | None, typer.Option(metavar="N", help="Give the line another number.")] = None,
    title: Annotated[str | None, typer.Option(help="What members see.")] = None,
    sentinel: Sentinels = None,
    message: Message = "",
    because: Because = None,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Change a topic's search, line by line, from a file, or in your editor; checked, then saved as a new version."""
    where = _place(lane, block)
    told_line = any(each is not None for each in (query, reason, owner, move)) or on or off or remove
    told = new is not None or number is not None or told_line or title is not None or bool(sentinel)
    if source is not None and told:
        raise UsageError("--from FILE holds the whole topic; nothing else goes with it")
    if new is not None and (number is not None or query is not None or on or remove or move is not None):
        raise UsageError("--add takes --reason, --owner, --off, --lane and --block; change another line in another go")
    if new is None and number is None and told_line:
        raise UsageError("name the line to change: --line N, with --lane wide or --block NAME if it is not in core")
    if number is not None and not told_line:
        raise UsageError("say what happens to the line: --query, --reason, --owner, --on, --off, --move or --remove")
    if on and off:
        raise UsageError("--on and --off at once")
    if remove and (query or reason or owner or on or off or move is not None):
        raise UsageError("--remove takes the line out; nothing else can be done to it")
    if (lane or block) and new is None and number is None:
        raise UsageError("--lane and --block say where a line stands: name it with --line N or --add QUERY")
    typed: Path | None = None
    with desk() as here:
        if source is not None:
            draft = draft_in(here, source, name)
            if draft.based_on is None:
                raise UsageError(f"no topic is called {name}; `monitor topic add {name} --from {source}` adds it")
        else:
            draft = here.strategies.draft(name)
            if not told:
                draft, typed = edited(here, draft)
        strategy = draft.strategy
        if new is not None:
            try:
                line = typed_line(new, reason, owner or LAB, not off, "the line (--add, --reason)")
            except UsageError as error:
                _keep_typed(error, here, draft, where, Line(new, reason or "", owner or LAB, not off))
                raise
            if block is not None and all(each.name != block for each in strategy.blocks):
                strategy = put_block(strategy, Block(read_block_name(block), (line,)))
            else:
                strategy = add_line(strategy, where, line)
        elif number is not None and remove:
            strategy = remove_line(strategy, where, number)
        elif number is not None:
            enabled = True if on else False if off else None
            try:
                strategy = change_line(
                    strategy, where, number, query=query, reason=reason, owner=owner, enabled=enabled
                )
            except UsageError as error:
                if query is not None or reason is not None:
                    _keep_typed(error, here, draft, where, Line(query or "", reason or "", owner or ""), number)
                raise
            if move is not None:
                strategy = move_line(strategy, where, number, move)
        draft = replace(
            draft,
            strategy=strategy,
            title=draft.title if title is None else title,
            sentinels=with_sentinels(draft.sentinels, sentinel or ()),
        )
        if block is not None and new is not None and not _inserted(draft.strategy, block):
            raise UsageError(f"no line inserts {{{block}}}, so the block would be left out; write it with --from FILE")
        if block is not None and not as_json:
            _tell_of_others(here, name, block)
        save(here, draft, message, because, dry_run=dry_run, as_json=as_json, source=source or typed)
        if typed is not None and dry_run:
            tell(f"What was typed is kept in {typed}")
        elif typed is not None:
            typed.unlink()


@group.command("lint")
def lint(
    names: Annotated[list[str] | None, typer.Argument(metavar="TOPIC", help="All, when none is named.")] = None,
    fix: Annotated[
        str | None,
        typer.Option(
            metavar="CODE", help="Apply a repair and save: of one finding by its number, or of all with a code."
        ),
    ] = None,
    other: Annotated[
        bool, typer.Option("--other", help="With --fix: the other reading, which stands behind `or:`.")
    ] = False,
    every: Annotated[
        bool, typer.Option("--all", help="Each note about phrases that PubMed was not asked about, too.")
    ] = False,
    source: FromFile = None,
    message: Message = "",
    because: Because = None,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Read searches as PubMed will, and say where that is not what was meant."""
    if fix is not None and (len(names or ()) != 1 or source is not None):
        raise UsageError("--fix repairs one topic: name it")
    if fix is None and (message or because or dry_run or other):
        raise UsageError("--other, --message, --because and --dry-run go with --fix")
    if every and fix is not None:
        raise UsageError("--all shows findings and --fix repairs them; one at a time")
    with desk() as here:
        drafts = _drafts(here, names or (), source)
        if fix is not None:
            repaired = here.strategies.repaired(drafts[0], fix, other=other)
            save(here, repaired, message or f"linter: {fix}", because, dry_run=dry_run, as_json=as_json)
            return
        found = [(draft, here.strategies.lint(draft)) for draft in drafts]
        unchecked = {draft.topic_id: len(here.strategies.unchecked_phrases(draft)) for draft in drafts}
    if as_json:
        from monitor.core.lint import as_json as finding_object

        print_json(
            [{"topic": draft.topic_id, "findings": [finding_object(each) for each in all_]} for draft, all_ in found]
        )
    else:
        for draft, findings in found:
            _print_findings(draft, findings, 0 if every else unchecked[draft.topic_id], source)
    if any(each.weight != "note" for _, findings in found for each in findings):
        leave(PARTLY)


@group.command("check")
def check(
    names: Annotated[list[str] | None, typer.Argument(metavar="TOPIC", help="All, when none is named.")] = None,
    source: FromFile = None,
    as_json: Json = False,
) -> None:
    """Look whether the searches still find their sentinels and PubMed knows their phrases; nothing is changed."""
    with desk() as here:
        drafts = _drafts(here, names or (), source)
        checks = []
        for draft in drafts:
            checks.append(here.strategies.check(draft))
            if not as_json:
                typer.echo(f"{draft.topic_id}, version {draft.based_on or 'new'}")
                print_check(checks[-1])
    if as_json:
        print_json([check_object(each) for each in checks])
    for each in checks:
        for sentence in each.blocking:
            tell(f"{each.topic_id}: {sentence}")
        if each.why_not:
            tell(
                f"{each.topic_id}: PubMed could not be asked for {_unasked(each)}; what stands here is what is known here"
            )
    if any(each.sentinels.lost or each.sentinels.absent or each.unknown for each in checks):
        leave(PARTLY)
    if any(each.why_not for each in checks):
        leave(UNREACHABLE)
    if any(each.blocking for each in checks):
        leave(PARTLY)


@group.command("restore")
def restore(
    name: TopicName,
    number: Annotated[
        int | None,
        typer.Argument(metavar="VERSION", help="The version to search by again; none brings a retired topic back."),
    ] = None,
    reason: Annotated[str, typer.Option(help="Why.")] = "",
    because: Because = None,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Search by an older version again, as a new version; or bring a retired topic back."""
    with desk() as here:
        if number is None:
            if because or dry_run:
                raise UsageError("--because and --dry-run go with a VERSION")
            done = here.strategies.bring_back(name, reason)
            if as_json:
                print_json({"topic": name, "retired": False, "changed": done})
            elif done:
                typer.echo(f"{name} is back: polled from where it stopped, and told of to those who follow it.")
            else:
                typer.echo(f"{name} is not retired; name the version to restore: monitor topic history {name}")
            return
        draft = here.strategies.draft(name, number)
        save(here, draft, reason or f"version {number} again", because, dry_run=dry_run, as_json=as_json)


@group.command("retire")
def retire(
    name: TopicName,
    reason: Annotated[str, typer.Option(help="Why.")] = "",
    as_json: Json = False,
) -> None:
    """Stop polling a topic and telling of it; all that it found stays, and `topic restore` brings it back."""
    with desk() as here:
        done = here.strategies.retire(name, reason)
        followers = here.topics.followers(name)
    if as_json:
        print_json({"topic": name, "retired": True, "changed": done, "followers": followers})
        return
    if not done:
        typer.echo(f"{name} is retired already.")
        return
    typer.echo(f"{name} is retired.")
    if followers:
        typer.echo(
            f"{count(len(followers), 'person', 'people')} followed it and will hear no more of it: {', '.join(followers)}"
        )
    typer.echo(f"monitor topic restore {name} brings it back.")


def _drafts(here: House, names: Sequence[str], source: Path | None) -> list[Draft]:
    """Return the topics of these names, all where there are none, as they stand or as a file has them."""
    if source is not None:
        return [each for each in drafts_in(here, source) if not names or each.topic_id in names]
    return [here.strategies.draft(each.stored.id) for each in here.topics.named(names)]


def _unasked(check: Check) -> str:
    """Say what only PubMed could have answered now."""
    found = check.sentinels
    sentinels = 0 if found.by_pubmed else sum(map(len, (found.found, found.lost, found.absent, found.unchecked)))
    parts = ["its counts"] if not check.counts else ["all of its counts"]
    parts += [count(sentinels, "sentinel")] if sentinels else []
    parts += [f"{count(len(check.unchecked), 'phrase')} it was never asked about"] if check.unchecked else []
    return ", ".join(parts[:-1]) + " and " + parts[-1] if len(parts) > 1 else parts[0]


def _place(lane: str | None, block: str | None) -> str:
    if lane is not None and lane not in LANES:
        raise UsageError(f"--lane: {lane!r} is not core or wide")
    if lane is not None and block is not None:
        raise UsageError("a line stands in a lane or in a block: --lane or --block")
    return block or lane or "core"


def _tell_of_others(here: House, name: str, block: str) -> None:
    """Say whose blocks of the same name stay as they are."""
    topics = (each.stored.topic for each in here.topics.named(()) if each.stored.id != name)
    others = [each.id for each in topics if any(held.name == block for held in each.strategy.blocks)]
    if others:
        typer.echo(
            f"{block} is changed in {name} alone; {', '.join(others)} {'keeps' if len(others) == 1 else 'keep'} "
            f"{'its' if len(others) == 1 else 'their'} own {block} as it is."
        )


def _keep_typed(error: UsageError, here: House, draft: Draft, where: str, typed: Line, number: int = 0) -> None:
    """Keep a line that cannot be saved as it is, in a draft: a new one at the end, else the one with that number."""
    if where not in LANES and all(each.name != where for each in draft.strategy.blocks):
        return
    lines = list(lines_of(draft.strategy, where))
    if not number:
        lines.append(typed)
    elif 1 <= number <= len(lines):
        old = lines[number - 1]
        lines[number - 1] = old._replace(
            query=typed.query or old.query, reason=typed.reason, owner=typed.owner or old.owner
        )
    else:
        return
    keep_with(error, here, replace(draft, strategy=with_lines(draft.strategy, where, lines)))


def _inserted(strategy: Strategy, block: str) -> bool:
    return any(f"{{{block}}}" in line.query for _, _, line in all_lines(strategy))


def _print_findings(draft: Draft, findings: tuple[Finding, ...], unchecked: int, source: Path | None) -> None:
    """Print findings by their numbers; where phrases are `unchecked`, the notes about them are one sentence."""
    from monitor.core.lint import UNCHECKED, summary

    folded = [each for each in findings if unchecked and each.code == UNCHECKED]
    told = [(number, each) for number, each in enumerate(findings, 1) if each not in folded]
    said = [count(number, weight) for weight, number in summary(each for _, each in told).items() if number]
    said += [f"{count(unchecked, 'phrase')} that PubMed was not asked about"] if folded else []
    typer.echo(f"{draft.topic_id}: {', '.join(said) or 'nothing to say'}")
    if folded:
        asks = draft.topic_id if source is None else f"{draft.topic_id} --from {shlex.quote(str(source))}"
        typer.echo(f"  This asks it, and so does the next poll: monitor topic check {asks}")
    for number, each in told:
        column = f", column {each.column}" if each.column is not None else ""
        typer.echo(f"\n{number}. {each.weight} {each.code}: {each.place}{column}")
        if each.position and each.column is not None:
            typer.echo(pointed(line_at(draft.strategy, each.block, each.position).query, each.column))
        typer.echo(f"  {each.message}")
        if each.repair is not None:
            typer.echo(f"  repair: {each.repair.words}: {each.repair.query}{'' if each.repair.enabled else '  (off)'}")
        if each.alternative is not None:
            typer.echo(f"  or: {each.alternative.words}: {each.alternative.query}")
