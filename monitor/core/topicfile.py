"""Topic files: topics as plain names with values, the form that YAML and TOML share, and back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, NamedTuple

from monitor.core.draft import LAB, one_line, read_block_name, read_topic_id, typed_line
from monitor.core.pmid import LARGEST_PMID
from monitor.core.strategy import Block, Joined, Line, Topic, topic_block, topic_of, with_blocks
from monitor.errors import UsageError

VERSION: Final = 1
_NOBODY: Final = ""


class TopicFile(NamedTuple):
    """What a file holds. `based_on` names the version a topic was edited from, where the file says it.

    `unused` are blocks that no topic of the file inserts; they are not kept.
    """

    topics: tuple[Topic, ...]
    based_on: Mapping[str, int]
    unused: tuple[str, ...]


def read_topics(values: object) -> tuple[Topic, ...]:
    """Read the starter, `db/seed/queries.yaml`, already parsed. Raises UsageError naming the place."""
    return read_file(values, owner="starter").topics


def read_file(values: object, *, owner: str = LAB, held: Mapping[str, Topic] | None = None) -> TopicFile:
    """Read a topic file, already parsed from YAML or TOML; all of it or, with a UsageError naming the place, nothing.

    A line without an owner keeps the one that the same search has in `held`, or is `owner`'s; a topic whose sentinels are
    not told keeps those it has, so that none is given up by an oversight.
    """
    top = _mapping(values, "the file")
    _only(top, {"version", "blocks", "topics"}, "the file")
    if top.get("version") != VERSION or isinstance(top.get("version"), bool):
        raise UsageError(
            f"version {top.get('version')!r} of the topics file is not known; this program reads version {VERSION}"
        )
    shared = {name: _block(name, each) for name, each in _mapping(top.get("blocks", {}), "blocks").items()}
    parts = {
        read_topic_id(name): _Part(name, value) for name, value in _mapping(top.get("topics", {}), "topics").items()
    }
    shared |= {topic_block(name): Block(topic_block(name), part.core) for name, part in parts.items()}
    used: set[str] = set()
    topics = []
    for name, part in parts.items():
        topic = part.topic(shared, owner, (held or {}).get(name))
        used |= {each.name for each in topic.strategy.blocks}
        topics.append(topic)
    own = {each for part in parts.values() for each in part.blocks}
    unused = sorted(each for each in {*shared, *own} - used if topic_of(each) is None or each in own)
    based_on = {name: part.based_on for name, part in parts.items() if part.based_on is not None}
    return TopicFile(tuple(topics), based_on, tuple(unused))


def write_file(topics: Sequence[Topic], based_on: Mapping[str, int] | None = None) -> dict[str, Any]:
    """Return the plain form of topics, always the same for the same topics; reading it gives them back.

    A block that all of them have alike stands once, at the top; where topics differ, each carries its own.
    """
    forms: dict[str, set[Block]] = {}
    for topic in topics:
        for block in topic.strategy.blocks:
            forms.setdefault(block.name, set()).add(block)
    cores = {topic_block(each.id): Block(topic_block(each.id), each.strategy.core) for each in topics}
    shared = {
        name: next(iter(found)) for name, found in sorted(forms.items()) if len(found) == 1 and topic_of(name) is None
    }
    told: dict[str, Any] = {"version": VERSION}
    if shared:
        told["blocks"] = {name: _block_told(block) for name, block in shared.items()}
    told["topics"] = {}
    for topic in topics:
        fields: dict[str, Any] = {"title": topic.title}
        if based_on and topic.id in based_on:
            fields["based_on"] = based_on[topic.id]
        fields["sentinels"] = list(topic.sentinels)
        fields["core"] = _lines_told(topic.strategy.core)
        if topic.strategy.wide:
            fields["wide"] = _lines_told(topic.strategy.wide)
        own = {
            each.name: _block_told(each)
            for each in topic.strategy.blocks
            if each.name not in shared and cores.get(each.name) != each
        }
        if own:
            fields["blocks"] = own
        told["topics"][topic.id] = fields
    return told


class _Part:
    """One topic as the file has it, before blocks of the whole file are put in."""

    def __init__(self, name: str, value: object) -> None:
        where = f"topic {name}"
        fields = _mapping(value, where)
        _only(fields, {"title", "sentinels", "core", "wide", "blocks", "based_on"}, where)
        self.name = name
        self.title = one_line(fields.get("title"), f"{where}: the title")
        self.core = _lines(fields.get("core", []), f"{where}, core")
        self.wide = _lines(fields.get("wide", []), f"{where}, wide")
        if not any(line.enabled for line in self.core):
            raise UsageError(f"{where}: the core lane has no line that is on")
        self.sentinels = _sentinels(fields["sentinels"], where) if "sentinels" in fields else None
        self.blocks = {
            each: _block(each, block, f"{where}, ")
            for each, block in _mapping(fields.get("blocks", {}), f"{where}, blocks").items()
        }
        self.based_on: int | None = fields.get("based_on")
        if self.based_on is not None and (type(self.based_on) is not int or self.based_on < 1):
            raise UsageError(f"{where}: based_on is the number of a version")

    def topic(self, shared: Mapping[str, Block], owner: str, held: Topic | None) -> Topic:
        try:
            strategy = with_blocks(self.core, self.wide, {**shared, **self.blocks})
        except UsageError as error:
            raise UsageError(f"topic {self.name}: {error}") from None
        before = held.strategy if held is not None else None
        blocks = {each.name: each.lines for each in before.blocks} if before is not None else {}
        strategy = replace(
            strategy,
            core=_owned(strategy.core, before.core if before else (), owner),
            wide=_owned(strategy.wide, before.wide if before else (), owner),
            blocks=tuple(
                each._replace(lines=_owned(each.lines, blocks.get(each.name, ()), owner)) for each in strategy.blocks
            ),
        )
        sentinels = self.sentinels if self.sentinels is not None else held.sentinels if held is not None else ()
        return Topic(self.name, self.title, strategy, sentinels)


def _owned(lines: Iterable[Line], before: Iterable[Line], owner: str) -> tuple[Line, ...]:
    owners = {each.query: each.owner for each in before}
    return tuple(
        each if each.owner != _NOBODY else each._replace(owner=owners.get(each.query, owner)) for each in lines
    )


def _block(name: object, value: object, within: str = "") -> Block:
    if within and isinstance(name, str) and (topic := topic_of(name)) is not None:
        # What another topic searched when this one was saved; it may have changed since.
        read_topic_id(topic)
    else:
        name = read_block_name(name)
    where = f"{within}block {name}"
    fields = _mapping(value, where)
    _only(fields, {"why", "any", "all"}, where)
    given: list[Joined] = [each for each in ("any", "all") if each in fields]
    if len(given) != 1:
        raise UsageError(f"{where}: lines stand under any: or under all:, one of them")
    lines = _lines(fields[given[0]], where)
    if not lines:
        raise UsageError(f"{where}: there is no line")
    why = fields.get("why")
    return Block(name, lines, given[0], None if why is None else one_line(why, f"{where}: why, the reason,"))


def _lines(value: object, where: str) -> tuple[Line, ...]:
    if not isinstance(value, list):
        raise UsageError(f"{where}: a list of lines is wanted")
    return tuple(_line(each, f"{where}, line {number}") for number, each in enumerate(value, 1))


def _line(value: object, where: str) -> Line:
    fields = _mapping(value, where)
    _only(fields, {"q", "why", "owner", "on"}, where)
    made = typed_line(fields.get("q"), fields.get("why"), fields.get("owner", LAB), fields.get("on", True), where)
    return made if "owner" in fields else made._replace(owner=_NOBODY)


def _sentinels(value: object, where: str) -> tuple[int, ...]:
    if not isinstance(value, list) or not all(type(each) is int and 0 < each <= LARGEST_PMID for each in value):
        raise UsageError(f"{where}: sentinels are a list of PMIDs")
    return tuple(dict.fromkeys(value))


def _lines_told(lines: Iterable[Line]) -> list[dict[str, Any]]:
    return [
        {"q": each.query, "why": each.reason, "owner": each.owner, **({} if each.enabled else {"on": False})}
        for each in lines
    ]


def _block_told(block: Block) -> dict[str, Any]:
    why = {} if block.reason is None else {"why": block.reason}
    return {**why, block.joined: _lines_told(block.lines)}


def _mapping(value: object, where: str) -> Mapping[Any, Any]:
    if not isinstance(value, Mapping):
        raise UsageError(f"{where}: names with values are wanted")
    return value


def _only(fields: Mapping[Any, Any], known: set[str], where: str) -> None:
    odd = sorted(str(each) for each in set(fields) - known)
    if odd:
        raise UsageError(f"{where}: unknown {', '.join(odd)[:200]}; known are {', '.join(sorted(known))}")


__all__ = ["VERSION", "TopicFile", "read_file", "read_topics", "write_file"]
