"""`monitor topic list`, `show`, `history`: what is searched, why, and since when."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from monitor.cli.frame import Json, app, count, house, print_json
from monitor.core.polling import phrases_in_words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from monitor.core.recall import WideKept
    from monitor.core.strategy import Strategy
    from monitor.services.topics import TopicState
    from monitor.storage.strategies import StoredVersion

group = typer.Typer(help="Topics and the searches they consist of.", no_args_is_help=True)
app.add_typer(group, name="topic")

KEPT_SHOWN = 3
"""Kept papers of the wide lane, the newest, that `show` reads for phrases; `report` reads more."""
TopicName = Annotated[str, typer.Argument(metavar="TOPIC")]


@group.command("list")
def list_topics(
    retired: Annotated[bool, typer.Option("--retired", help="Those that were retired, too.")] = False,
    as_json: Json = False,
) -> None:
    """List the topics, when each was polled, and what it holds."""
    with house() as here:
        states = here.topics.all(retired=retired)
    if as_json:
        print_json([_object(state) for state in states])
        return
    for state in states:
        poll = state.latest.get("core")
        when = f"{poll.state} {poll.started_at:%Y-%m-%d %H:%M} UTC" if poll else "never polled"
        if state.stored.retired_at is not None:
            when = f"retired {state.stored.retired_at:%Y-%m-%d}"
        typer.echo(f"{state.stored.id:<18} {state.hits['core']:>7,} papers  {when:<28} {state.stored.topic.title}")


@group.command("show")
def show(
    name: TopicName,
    version: Annotated[int | None, typer.Option("--version", metavar="N", help="An older version of it.")] = None,
    as_json: Json = False,
) -> None:
    """Print a topic's search lines with their reasons, who made them so, and the expanded query of each lane."""
    from monitor.core.draft import Draft
    from monitor.core.lint import MOVED, summary
    from monitor.formats.pages import plain

    with house() as here:
        state = here.topics.one(name)
        topic = state.stored.topic
        made, strategy = here.topics.version(name, version or state.stored.version)
        draft = Draft(topic.id, topic.title, strategy, topic.sentinels, made.version)
        findings = here.strategies.lint(draft, library=False)
        unknown = here.strategies.unknown_phrases(strategy)
        current = state.stored.retired_at is None and made.version == state.stored.version
        kept, more = here.trials.kept_wide(topic.id, newest=KEPT_SHOWN) if current else ((), 0)
        feeds = {form: here.links.feed(here.links.topic_feed_key(topic.id), form) for form in ("atom", "json")}
    weights = summary(findings)
    if as_json:
        print_json(
            _object(state, whole=(made, strategy))
            | {"lint": weights, "unknown_phrases": [list(each) for each in unknown], "feeds": feeds}
            | {"kept_by_wide_alone": plain(kept)}
        )
        return
    retired = state.stored.retired_at
    typer.echo(
        f"{topic.title} ({topic.id}), version {made.version}"
        + (f" of {state.stored.version}" if made.version != state.stored.version else "")
        + (f", retired {retired:%Y-%m-%d}" if retired is not None else "")
    )
    typer.echo(f"by {made.maker}, {made.at:%Y-%m-%d %H:%M} UTC: {made.reason}")
    for each in made.accepted:
        typer.echo(f"accepted: {each}")
    if retired is None:
        typer.echo(f"feed: {feeds['atom']}")
    if topic.sentinels:
        typer.echo("must find: " + ", ".join(map(str, topic.sentinels)))
    said = ", ".join(count(number, weight) for weight, number in weights.items() if number)
    typer.echo(f"lint: {said} (monitor topic lint {name} says which)" if said else "lint: nothing to say")
    for finding in findings:
        if finding.code == MOVED:
            typer.echo(f"note: {finding.message}")
    for phrase, tag in unknown:
        typer.echo(f"unknown to PubMed: “{phrase}” [{tag}]")
    for lane, query in strategy.queries().items():
        typer.echo(f"\n{lane}: {state.hits[lane]:,} papers" if made.version == state.stored.version else f"\n{lane}")
        for number, line in enumerate(strategy.lines(lane), 1):
            mark = "" if line.enabled else " (off)"
            typer.echo(f"  {number}{mark}  {line.query}\n      {line.reason}{_owner(line.owner)}")
        if made.version == state.stored.version:
            _print_poll(state, lane)
        typer.echo(f"  expanded: {query}")
    _print_kept(name, kept, more)
    for block in strategy.blocks:
        joined = "" if block.joined == "any" else " (all of them)"
        typer.echo(f"\n{{{block.name}}}{joined}  {block.reason or ''}".rstrip())
        for number, line in enumerate(block.lines, 1):
            mark = "" if line.enabled else " (off)"
            typer.echo(f"  {number}{mark}  {line.query}\n      {line.reason}{_owner(line.owner)}")


@group.command("history")
def history(name: TopicName, as_json: Json = False) -> None:
    """List the versions of a topic's search, the newest first: who, when, why, and what changed in each."""
    with house() as here:
        entries = here.topics.history(name)
    if as_json:
        print_json(
            [
                {
                    "at": each.at,
                    "by": each.by,
                    "version": each.version,
                    "what": each.what,
                    "reason": each.reason,
                    "accepted": each.accepted,
                    "changes": each.changes,
                }
                for each in entries
            ]
        )
        return
    for each in entries:
        typer.echo(
            f"{each.at:%Y-%m-%d %H:%M} UTC  {each.by}: {each.what}" + (f" ({each.reason})" if each.reason else "")
        )
        for change in each.changes:
            typer.echo(f"    {change}")
        for accepted in each.accepted:
            typer.echo(f"    accepted: {accepted}")


def _print_poll(state: TopicState, lane: Any) -> None:
    poll = state.latest.get(lane)
    if poll is None:
        return
    typer.echo(
        f"  last poll: {poll.state}, {poll.started_at:%Y-%m-%d %H:%M} UTC"
        + (f", PubMed counts {poll.count:,}" if poll.count is not None else "")
    )
    for phrase in phrases_in_words(poll.unknown_phrases):
        typer.echo(f"  PubMed does not know the phrase “{phrase}” and searched without it")
    for text in (*poll.warnings, *([poll.error] if poll.error else [])):
        typer.echo(f"  {text}")


def _print_kept(name: str, kept: Sequence[WideKept], more: int) -> None:
    for each in kept:
        typer.echo(f"\nkept, and found by the wide lane alone: {each.pmid}  {each.title}")
        for phrase in each.phrases:
            typer.echo(f"  {phrase.query} would put it into core, which would gain {count(phrase.gain, 'paper')}")
    if more:
        typer.echo(f"\nand {count(more, 'older one')}: monitor topic report {name}")


def _owner(owner: str) -> str:
    return "" if owner == "starter" else f" ({owner})"


def _object(state: TopicState, *, whole: tuple[StoredVersion, Strategy] | None = None) -> dict[str, Any]:
    topic = state.stored.topic
    strategy = whole[1] if whole is not None else topic.strategy
    found: dict[str, Any] = {
        "id": topic.id,
        "title": topic.title,
        "version": whole[0].version if whole is not None else state.stored.version,
        "watched_from": state.stored.watched_from,
        "retired_at": state.stored.retired_at,
        "sentinels": topic.sentinels,
        "lanes": {
            lane: {
                "hits": state.hits[lane],
                "last_poll": (poll := state.latest.get(lane))
                and {
                    "state": poll.state,
                    "kind": poll.kind,
                    "started_at": poll.started_at,
                    "finished_at": poll.finished_at,
                    "count": poll.count,
                    "unknown_phrases": poll.unknown_phrases,
                    "warnings": poll.warnings,
                    "error": poll.error,
                },
                **({"query": query, "lines": [each._asdict() for each in strategy.lines(lane)]} if whole else {}),
            }
            for lane, query in strategy.queries().items()
        },
    }
    if whole is not None:
        made = whole[0]
        found |= {
            "newest_version": state.stored.version,
            "by": made.maker,
            "made_at": made.at,
            "reason": made.reason,
            "accepted": made.accepted,
            "blocks": {
                block.name: {
                    "reason": block.reason,
                    "joined": block.joined,
                    "lines": [each._asdict() for each in block.lines],
                }
                for block in strategy.blocks
            },
        }
    return found
