"""What a draft needs before it can be searched: its blocks, and nothing that PubMed could not read."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

from sqlalchemy.orm import Session

from monitor.core.draft import Draft, one_line, read_topic_id, unreadable
from monitor.core.pmid import LARGEST_PMID
from monitor.core.strategy import Block, Line, Strategy, Topic, all_lines, inserted, topic_block, topic_of, with_blocks
from monitor.errors import UsageError
from monitor.storage import strategies


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
    inserted_of = {topic_of(each.name) for each in strategy.blocks} - {None}
    if not inserted_of:
        return ()
    found = []
    for stored in strategies.all_topics(session):
        if stored.id in inserted_of:
            with suppress(UsageError):  # a block that is missing or in a circle: the linter says so
                if (
                    strategy.line_query(Line(f"{{{topic_block(stored.id)}}}", ""))
                    != f"({stored.topic.strategy.query('core')})"
                ):
                    found.append(stored.id)
    return tuple(found)


def renewed(session: Session, strategy: Strategy, block: str) -> Strategy:
    """Take a block that is another topic's core lane as it is now."""
    return filled(session, replace(strategy, blocks=tuple(each for each in strategy.blocks if each.name != block)))


def filled(session: Session, strategy: Strategy) -> Strategy:
    """Take the blocks that lines insert and the strategy lacks from the other topics, where these agree on them."""
    blocks = {each.name: each for each in strategy.blocks}
    waiting = [name for _, _, line in all_lines(strategy) for name in inserted(line.query)]
    topics: dict[str, Topic] | None = None
    while waiting:
        name = waiting.pop()
        if name in blocks:
            continue
        if topics is None:
            topics = {each.id: each.topic for each in strategies.all_topics(session)}
        if (topic_id := topic_of(name)) is not None:
            other = topics.get(topic_id)
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
