"""What a draft needs before it can be searched: its blocks, and nothing that PubMed could not read."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import suppress
from dataclasses import replace
from typing import Final

from sqlalchemy.orm import Session

from monitor.core.draft import LARGEST_PMID, Draft, one_line, read_topic_id, unreadable
from monitor.core.strategy import Block, Line, Strategy, Topic, inserted, with_blocks
from monitor.errors import UsageError
from monitor.storage import strategies

_TOPIC: Final = "T:"


def searchable(session: Session, draft: Draft) -> Draft:
    """Return the draft with every block it needs and no other; raises UsageError naming all that PubMed could not read."""
    read_topic_id(draft.topic_id)
    title = one_line(draft.title, f"topic {draft.topic_id}: the title")
    odd = [pmid for pmid in draft.sentinels if not 0 < pmid <= LARGEST_PMID]
    if odd:
        raise UsageError(f"{draft.topic_id}: {odd[0]} is no PMID")
    try:
        strategy = filled(session, draft.strategy)
        problems = unreadable(strategy)
        if not problems:
            strategy = with_blocks(strategy.core, strategy.wide, {each.name: each for each in strategy.blocks})
    except UsageError as error:
        problems = (str(error),)
    if problems:
        raise UsageError("\n".join(f"{draft.topic_id}: {each}" for each in problems))
    return replace(draft, title=title, strategy=strategy, sentinels=tuple(dict.fromkeys(draft.sentinels)))


def moved(session: Session, strategy: Strategy) -> tuple[str, ...]:
    """Name the topics whose core search is no longer what the strategy inserted of them."""
    inserted_of = [each.name for each in strategy.blocks if each.name.startswith(_TOPIC)]
    if not inserted_of:
        return ()
    found = []
    for stored in strategies.all_topics(session):
        name = f"{_TOPIC}{stored.id}"
        if name in inserted_of:
            with suppress(UsageError):  # a block that is missing or in a circle: the linter says so
                if strategy.line_query(Line(f"{{{name}}}", "")) != f"({stored.topic.strategy.query('core')})":
                    found.append(stored.id)
    return tuple(found)


def renewed(session: Session, strategy: Strategy, names: Collection[str]) -> Strategy:
    """Insert the core lines of other topics as they are now."""
    taken = {f"{_TOPIC}{name}" for name in names}
    return filled(session, replace(strategy, blocks=tuple(each for each in strategy.blocks if each.name not in taken)))


def filled(session: Session, strategy: Strategy) -> Strategy:
    """Take the blocks that lines insert and the strategy lacks from the other topics, where these agree on them."""
    blocks = {each.name: each for each in strategy.blocks}
    lines = (*strategy.core, *strategy.wide, *(line for each in strategy.blocks for line in each.lines))
    waiting = [name for line in lines for name in inserted(line.query)]
    topics: dict[str, Topic] | None = None
    while waiting:
        name = waiting.pop()
        if name in blocks:
            continue
        if topics is None:
            topics = {each.id: each.topic for each in strategies.all_topics(session)}
        if name.startswith(_TOPIC):
            other = topics.get(name[2:])
            if other is None:
                continue
            theirs = {each.name: each for each in other.strategy.blocks}
            core = other.strategy.core
            if any(blocks.get(each, block) != block for each, block in theirs.items()):
                # Under one name the two mean different blocks: its lines come with their own put in.
                core = tuple(line._replace(query=other.strategy.line_query(line)) for line in core if line.enabled)
            else:
                blocks |= theirs
            blocks[name] = Block(name, core)
        else:
            forms = {block: each.id for each in topics.values() for block in each.strategy.blocks if block.name == name}
            if len(forms) > 1:
                raise UsageError(
                    f"{{{name}}} is inserted, and {' and '.join(forms.values())} have different blocks of that name; "
                    "write the one that is meant under blocks: in a topic file"
                )
            if not forms:
                continue  # rendering names what is missing
            (blocks[name],) = forms
        waiting += [each for line in blocks[name].lines for each in inserted(line.query)]
    return replace(strategy, blocks=tuple(blocks[name] for name in sorted(blocks)))
