"""`monitor topic`: what is searched, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from monitor.cli.frame import Json, app, house, print_json
from monitor.core.polling import phrases_in_words

if TYPE_CHECKING:
    from monitor.services.topics import TopicState

group = typer.Typer(help="Topics and the searches they consist of.", no_args_is_help=True)
app.add_typer(group, name="topic")


@group.command("list")
def list_topics(as_json: Json = False) -> None:
    """List the topics, when each was polled, and what it holds."""
    with house() as here:
        states = here.topics.all()
    if as_json:
        print_json([_object(state) for state in states])
        return
    for state in states:
        poll = state.latest.get("core")
        when = f"{poll.state} {poll.started_at:%Y-%m-%d %H:%M}" if poll else "never polled"
        typer.echo(f"{state.stored.id:<18} {state.hits['core']:>7,} papers  {when:<24} {state.stored.topic.title}")


@group.command("show")
def show(name: Annotated[str, typer.Argument(metavar="TOPIC")], as_json: Json = False) -> None:
    """Print a topic's search lines with their reasons, and the expanded query of each lane."""
    with house() as here:
        state = here.topics.one(name)
    if as_json:
        print_json(_object(state, whole=True))
        return
    topic = state.stored.topic
    typer.echo(f"{topic.title} ({topic.id}), version {state.stored.version}")
    if topic.sentinels:
        typer.echo("must find: " + ", ".join(map(str, topic.sentinels)))
    for lane, query in state.queries.items():
        typer.echo(f"\n{lane}: {state.hits[lane]:,} papers")
        for number, line in enumerate(topic.strategy.lines(lane), 1):
            mark = "" if line.enabled else " (off)"
            typer.echo(f"  {number}{mark}  {line.query}\n      {line.reason}")
        poll = state.latest.get(lane)
        if poll is not None:
            typer.echo(
                f"  last poll: {poll.state}, {poll.started_at:%Y-%m-%d %H:%M}"
                + (f", PubMed counts {poll.count:,}" if poll.count is not None else "")
            )
            for phrase in phrases_in_words(poll.unknown_phrases):
                typer.echo(f"  PubMed does not know the phrase “{phrase}” and searched without it")
            for text in (*poll.warnings, *([poll.error] if poll.error else [])):
                typer.echo(f"  {text}")
        typer.echo(f"  expanded: {query}")
    for block in topic.strategy.blocks:
        typer.echo(f"\n{{{block.name}}}  {block.reason or ''}".rstrip())
        for line in block.lines:
            typer.echo(f"  {line.query}\n      {line.reason}")


def _object(state: TopicState, *, whole: bool = False) -> dict[str, Any]:
    topic = state.stored.topic
    found: dict[str, Any] = {
        "id": topic.id,
        "title": topic.title,
        "version": state.stored.version,
        "watched_from": state.stored.watched_from,
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
                **({"query": query, "lines": [each._asdict() for each in topic.strategy.lines(lane)]} if whole else {}),
            }
            for lane, query in state.queries.items()
        },
    }
    if whole:
        found["blocks"] = {
            block.name: {
                "reason": block.reason,
                "joined": block.joined,
                "lines": [each._asdict() for each in block.lines],
            }
            for block in topic.strategy.blocks
        }
    return found
