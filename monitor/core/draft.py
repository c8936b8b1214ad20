"""A topic while it is being edited: what was typed, checked and applied to a strategy, line by line."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from monitor.core.pmid import read_pmid
from monitor.core.query import parse
from monitor.core.strategy import LANES, Block, Line, Strategy, TooLarge, Topic, all_lines, inserted
from monitor.errors import QuerySyntaxError, UsageError

LAB: Final = "lab"
"""Who owns a line when nobody says."""
_TOPIC_ID: Final = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*\Z")
_BLOCK_NAME: Final = re.compile(r"[A-Z][A-Z0-9_]*\Z")
_LONGEST_NAME: Final = 60


@dataclass(frozen=True, slots=True)
class Draft:
    """A topic as somebody wants it to be; nothing is stored yet.

    `based_on` is the version it was made from, None for a new topic, and `held` the topic as it stood then: by these
    two it is noticed when somebody else saves in between.
    """

    topic_id: str
    title: str
    strategy: Strategy
    sentinels: tuple[int, ...] = ()
    based_on: int | None = None
    held: Topic | None = None

    @property
    def topic(self) -> Topic:
        return Topic(self.topic_id, self.title, self.strategy, self.sentinels)


def read_topic_id(text: object) -> str:
    """Return the name of a topic; raises UsageError for what cannot be one."""
    if not isinstance(text, str) or not _TOPIC_ID.match(text) or len(text) > _LONGEST_NAME:
        raise UsageError(
            f"topic {_shown(text)}: names are small letters, digits and single hyphens, {_LONGEST_NAME} at most"
        )
    return text


def read_block_name(text: object) -> str:
    """Return the name of a block; raises UsageError for what cannot be one."""
    if not isinstance(text, str) or not _BLOCK_NAME.match(text) or len(text) > _LONGEST_NAME:
        raise UsageError(f"block {_shown(text)}: names are capitals, digits and underscores, {_LONGEST_NAME} at most")
    return text


def one_line(text: object, where: str) -> str:
    """Return a text on one line, blanks as they are seen; raises UsageError for none and for control characters."""
    if not isinstance(text, str) or not text.strip():
        raise UsageError(f"{where} is missing")
    found = " ".join(text.split())
    if any(unicodedata.category(each) in ("Cc", "Cs") for each in found):
        raise UsageError(f"{where} holds a control character")
    return found


def typed_line(
    query: object, reason: object, owner: object = LAB, enabled: object = True, where: str = "the line"
) -> Line:
    """Make a line of what was typed; raises UsageError naming what is missing or odd."""
    query = one_line(query, f"{where}: q, the search,")
    try:
        inserted(query)
    except UsageError as error:
        raise UsageError(f"{where}: {error}") from None
    if not isinstance(enabled, bool):
        raise UsageError(f"{where}: on is true or false")
    return Line(query, one_line(reason, f"{where}: why, the reason,"), one_line(owner, f"{where}: owner"), enabled)


def lines_of(strategy: Strategy, where: str) -> tuple[Line, ...]:
    """Return the lines of `core`, `wide` or a block; raises UsageError for a block that the strategy does not hold."""
    if where in LANES:
        return strategy.core if where == "core" else strategy.wide
    return _block(strategy, where).lines


def add_line(strategy: Strategy, where: str, new: Line, at: int | None = None) -> Strategy:
    """Add a line at a position, counted from 1, or at the end."""
    lines = list(lines_of(strategy, where))
    if at is not None and not 1 <= at <= len(lines) + 1:
        raise UsageError(f"{where}: a line can be put at 1 to {len(lines) + 1}, not at {at}")
    lines.insert(len(lines) if at is None else at - 1, new)
    return with_lines(strategy, where, lines)


def change_line(
    strategy: Strategy,
    where: str,
    position: int,
    *,
    query: str | None = None,
    reason: str | None = None,
    owner: str | None = None,
    enabled: bool | None = None,
) -> Strategy:
    """Change what is given of one line and leave the rest of it."""
    lines = list(lines_of(strategy, where))
    old = line_at(strategy, where, position)
    lines[position - 1] = typed_line(
        old.query if query is None else query,
        old.reason if reason is None else reason,
        old.owner if owner is None else owner,
        old.enabled if enabled is None else enabled,
        f"{where}, line {position}",
    )
    return with_lines(strategy, where, lines)


def remove_line(strategy: Strategy, where: str, position: int) -> Strategy:
    """Take a line out; the lines behind it move up."""
    line_at(strategy, where, position)
    lines = lines_of(strategy, where)
    return with_lines(strategy, where, lines[: position - 1] + lines[position:])


def move_line(strategy: Strategy, where: str, position: int, to: int) -> Strategy:
    """Give a line another number among its neighbours."""
    moved = line_at(strategy, where, position)
    line_at(strategy, where, to)
    return add_line(remove_line(strategy, where, position), where, moved, to)


def with_lines(strategy: Strategy, where: str, lines: Sequence[Line]) -> Strategy:
    """Replace the lines of `core`, `wide` or a block that is there."""
    if where == "core":
        return replace(strategy, core=tuple(lines))
    if where == "wide":
        return replace(strategy, wide=tuple(lines))
    return put_block(strategy, _block(strategy, where)._replace(lines=tuple(lines)))


def put_block(strategy: Strategy, block: Block) -> Strategy:
    """Add a block, or replace the one of its name; other topics keep theirs."""
    held = {each.name: each for each in strategy.blocks} | {block.name: block}
    return replace(strategy, blocks=tuple(held[name] for name in sorted(held)))


def line_at(strategy: Strategy, where: str, position: int) -> Line:
    """Return one line by its number from 1."""
    lines = lines_of(strategy, where)
    if not 1 <= position <= len(lines):
        has = f"it has {len(lines)}" if lines else "it has none"
        raise UsageError(f"{where} has no line {position}; {has}")
    return lines[position - 1]


def with_sentinels(pmids: Sequence[int], changes: Sequence[str]) -> tuple[int, ...]:
    """Add and remove sentinels: `+123` or `123` adds, `-123` removes."""
    found = dict.fromkeys(pmids)
    for change in changes:
        text = change.strip()
        number = text[1:] if text[:1] in ("+", "-") else text
        pmid = read_pmid(number)
        if pmid is None:
            raise UsageError(
                f"sentinel {change!r} is not a PMID; write +12345678 to add one and -12345678 to remove it"
            )
        if text[0] != "-":
            found[pmid] = None
        elif pmid not in found:
            raise UsageError(f"{number} is no sentinel of this topic")
        else:
            del found[pmid]
    return tuple(found)


def unreadable(strategy: Strategy) -> tuple[str, ...]:
    """Return a sentence for everything that keeps PubMed from being asked; empty when both lanes can be searched."""
    problems: list[str] = []
    for where, position, each in all_lines(strategy):
        if not each.enabled:
            continue
        place = f"{where} line {position}"
        try:
            query = strategy.line_query(each)
        except TooLarge as error:  # what is true of a block is true of all that insert it: said once
            problems.append(str(error))
            continue
        except UsageError as error:
            problems.append(f"{place}: {error}")
            continue
        try:
            parse(query)
        except QuerySyntaxError as error:
            at = strategy.own_column(each, error.column)
            # What is wrong inside a block is told once, where the block's line stands.
            if at is not None:
                problems.append(f"{place}, column {at}: {error.message}")
    if problems:
        return tuple(dict.fromkeys(problems))
    for lane in LANES:
        try:
            query_ = strategy.query(lane)
            if query_ is not None:
                parse(query_)
            elif lane == "core":
                problems.append("the core lane has no line that is on, so there is nothing to search")
        except (UsageError, QuerySyntaxError) as error:
            problems.append(f"{lane}: {error}")
    return tuple(problems)


def _block(strategy: Strategy, name: str) -> Block:
    for each in strategy.blocks:
        if each.name == name:
            return each
    names = ", ".join(each.name for each in strategy.blocks) or "none"
    raise UsageError(f"this topic has no block {name}; it has {names}")


def _shown(text: object) -> str:
    shown = repr(text)
    return shown if len(shown) < 100 else shown[:97] + "..."
