"""What a draft needs before it can be searched: its blocks, and nothing that PubMed could not read."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy.orm import Session

from monitor.core.draft import LARGEST_PMID, Draft, one_line, read_topic_id, unreadable
from monitor.core.strategy import Block, Strategy, Topic, inserted, with_blocks
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
        if name.startswith("T:"):
            other = topics.get(name[2:])
            if other is None:
                continue
            blocks = {each.name: each for each in other.strategy.blocks} | blocks
            blocks[name] = Block(name, other.strategy.core)
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
