"""Topics and their search strategies: numbered lines and named blocks, rendered to the queries PubMed is asked."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final, Literal, NamedTuple

from monitor.core.query import Document, Match, MeshTree, Query, explain, matches, parse
from monitor.errors import QuerySyntaxError, UsageError

Lane = Literal["core", "wide"]
LANES: Final[tuple[Lane, ...]] = ("core", "wide")
Joined = Literal["any", "all"]

_TOPIC_ID: Final = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*\Z")
_BLOCK_NAME: Final = re.compile(r"[A-Z][A-Z0-9_]*\Z")
_INSERT: Final = re.compile(r"\{(T:[a-z0-9-]+|[A-Z][A-Z0-9_]*)\}")


class Line(NamedTuple):
    """One numbered line: a fragment of PubMed's query language, why it is there, whose it is, and whether it is on."""

    query: str
    reason: str
    owner: str = "starter"
    enabled: bool = True


class Block(NamedTuple):
    """Lines that others insert as `{NAME}`. The core lane of another topic is the block `T:topic`."""

    name: str
    lines: tuple[Line, ...]
    joined: Joined = "any"
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Strategy:
    """What a topic searches: a core lane that may reach digests, a wide one for curators, and the blocks they insert.

    A strategy holds every block it needs, so that a stored version never changes when something else does.
    """

    core: tuple[Line, ...]
    wide: tuple[Line, ...] = ()
    blocks: tuple[Block, ...] = ()

    def lines(self, lane: Lane) -> tuple[Line, ...]:
        return self.core if lane == "core" else self.wide

    def query(self, lane: Lane) -> str | None:
        """Render a lane; None where it has no line that is on. Raises UsageError for a block missing or in a circle."""
        return _joined(self.lines(lane), "any", {each.name: each for each in self.blocks}, ())

    def line_query(self, line: Line) -> str:
        """Render one line with its blocks inserted."""
        return _expanded(line.query, {each.name: each for each in self.blocks}, ())


@dataclass(frozen=True, slots=True)
class Topic:
    """What members follow; `sentinels` are PMIDs that every version of the strategy must find."""

    id: str
    title: str
    strategy: Strategy
    sentinels: tuple[int, ...] = ()


class Reason(NamedTuple):
    """Why a citation was found: the line, by its number in the lane from 1, and what matched where."""

    position: int
    line: Line
    matches: tuple[Match, ...]


class Screen:
    """A lane's lines, parsed once, to be held against many citations.

    What PubMed found need not match here: it knows phrases and mappings we do not. Lines that only PubMed can read
    match nothing. `today` is the day that relative dates count from.
    """

    def __init__(self, strategy: Strategy, lane: Lane, tree: MeshTree, today: date) -> None:
        self._tree = tree
        self._today = today
        self._lines: list[tuple[int, Line, Query]] = []
        for position, line in enumerate(strategy.lines(lane), 1):
            if not line.enabled:
                continue
            try:
                self._lines.append((position, line, parse(strategy.line_query(line))))
            except QuerySyntaxError:
                continue

    def positions(self, document: Document) -> list[int]:
        """Return the numbers of the lines that match."""
        return [at for at, _, query in self._lines if matches(query, document, self._tree, self._today)]

    def reasons(self, document: Document) -> tuple[Reason, ...]:
        """Return each line that matches with the words that did."""
        found = []
        for position, line, query in self._lines:
            if matches(query, document, self._tree, self._today):
                found.append(Reason(position, line, explain(query, document, self._tree, self._today)))
        return tuple(found)


def read_topics(values: object) -> tuple[Topic, ...]:
    """Read what `db/seed/queries.yaml` holds, already parsed from YAML. Raises UsageError naming the place."""
    top = _mapping(values, "the file")
    _only(top, {"version", "blocks", "topics"}, "the file")
    if top.get("version") != 1:
        raise UsageError(
            f"version {top.get('version')!r} of the topics file is not known; this program reads version 1"
        )
    blocks = {name: _block(name, value) for name, value in _mapping(top.get("blocks", {}), "blocks").items()}
    given = _mapping(top.get("topics", {}), "topics")
    lanes: dict[str, tuple[tuple[Line, ...], tuple[Line, ...]]] = {}
    for topic_id, value in given.items():
        if not isinstance(topic_id, str) or not _TOPIC_ID.match(topic_id):
            raise UsageError(f"topic {topic_id!r}: names are small letters, digits and single hyphens")
        fields = _mapping(value, f"topic {topic_id}")
        _only(fields, {"title", "sentinels", "core", "wide"}, f"topic {topic_id}")
        lanes[topic_id] = (
            _lines(fields.get("core", []), f"topic {topic_id}, core"),
            _lines(fields.get("wide", []), f"topic {topic_id}, wide"),
        )
        if not any(line.enabled for line in lanes[topic_id][0]):
            raise UsageError(f"topic {topic_id}: the core lane has no line that is on")
    for topic_id, (core, _) in lanes.items():
        blocks[f"T:{topic_id}"] = Block(f"T:{topic_id}", core)
    topics = []
    for topic_id, (core, wide) in lanes.items():
        fields = given[topic_id]
        title = fields.get("title")
        if not isinstance(title, str) or not title.strip():
            raise UsageError(f"topic {topic_id}: the title is missing")
        topics.append(
            Topic(topic_id, title, with_blocks(core, wide, blocks), _sentinels(fields.get("sentinels", []), topic_id))
        )
    return tuple(topics)


def with_blocks(core: Sequence[Line], wide: Sequence[Line], blocks: Mapping[str, Block]) -> Strategy:
    """Make a strategy that carries exactly the blocks it inserts, directly or through others; checks all of it."""
    needed: dict[str, Block] = {}
    waiting = [name for line in (*core, *wide) for name in inserted(line.query)]
    while waiting:
        name = waiting.pop(0)
        if name in needed:
            continue
        if name not in blocks:
            raise UsageError(f"{{{name}}} is inserted, but there is no such block")
        needed[name] = blocks[name]
        waiting += [other for line in blocks[name].lines for other in inserted(line.query)]
    strategy = Strategy(tuple(core), tuple(wide), tuple(needed[name] for name in sorted(needed)))
    for lane in LANES:
        strategy.query(lane)
        for line in strategy.lines(lane):
            strategy.line_query(line)
    return strategy


def inserted(query: str) -> list[str]:
    """Return the names that stand in braces; raises UsageError for braces that hold something else."""
    rest = _INSERT.sub("", query)
    if "{" in rest or "}" in rest:
        raise UsageError(f"braces hold the name of a block in capitals, or T: and a topic: {query}")
    return [found[1] for found in _INSERT.finditer(query)]


def _joined(lines: Sequence[Line], joined: Joined, blocks: Mapping[str, Block], path: tuple[str, ...]) -> str | None:
    parts = [_expanded(line.query, blocks, path) for line in lines if line.enabled]
    if len(parts) < 2:
        return parts[0] if parts else None
    # PubMed reads left to right without precedence, so each line gets its own parentheses.
    return (" OR " if joined == "any" else " AND ").join(f"({part})" for part in parts)


def _expanded(query: str, blocks: Mapping[str, Block], path: tuple[str, ...]) -> str:
    def insert(found: re.Match[str]) -> str:
        name = found[1]
        if name in path:
            raise UsageError(f"blocks insert each other in a circle: {' > '.join((*path, name))}")
        if name not in blocks:
            raise UsageError(f"{{{name}}} is inserted, but there is no such block")
        block = blocks[name]
        text = _joined(block.lines, block.joined, blocks, (*path, name))
        if text is None:
            raise UsageError(f"{{{name}}} is inserted, but none of its lines is on")
        return f"({text})"

    return _INSERT.sub(insert, query)


def _block(name: object, value: object) -> Block:
    where = f"block {name}"
    if not isinstance(name, str) or not _BLOCK_NAME.match(name):
        raise UsageError(f"{where}: names are capitals, digits and underscores")
    fields = _mapping(value, where)
    _only(fields, {"why", "any", "all"}, where)
    given: list[Joined] = [each for each in ("any", "all") if each in fields]
    if len(given) != 1:
        raise UsageError(f"{where}: lines stand under any: or under all:, one of them")
    lines = _lines(fields[given[0]], where)
    if not lines:
        raise UsageError(f"{where}: there is no line")
    why = fields.get("why")
    return Block(name, lines, given[0], None if why is None else str(why))


def _lines(value: object, where: str) -> tuple[Line, ...]:
    if not isinstance(value, list):
        raise UsageError(f"{where}: a list of lines is wanted")
    return tuple(_line(each, f"{where}, line {number}") for number, each in enumerate(value, 1))


def _line(value: object, where: str) -> Line:
    fields = _mapping(value, where)
    _only(fields, {"q", "why", "owner", "on"}, where)
    query, why = fields.get("q"), fields.get("why")
    if not isinstance(query, str) or not query.strip():
        raise UsageError(f"{where}: q, the search, is missing")
    if not isinstance(why, str) or not why.strip():
        raise UsageError(f"{where}: why, the reason, is missing")
    enabled = fields.get("on", True)
    if not isinstance(enabled, bool):
        raise UsageError(f"{where}: on is true or false")
    inserted(query)
    return Line(query, why, str(fields.get("owner", "starter")), enabled)


def _sentinels(value: object, topic_id: str) -> tuple[int, ...]:
    if not isinstance(value, list) or not all(type(each) is int and each > 0 for each in value):
        raise UsageError(f"topic {topic_id}: sentinels are a list of PMIDs")
    return tuple(dict.fromkeys(value))


def _mapping(value: object, where: str) -> Mapping[Any, Any]:
    if not isinstance(value, Mapping):
        raise UsageError(f"{where}: names with values are wanted")
    return value


def _only(fields: Mapping[Any, Any], known: set[str], where: str) -> None:
    odd = sorted(str(each) for each in set(fields) - known)
    if odd:
        raise UsageError(f"{where}: unknown {', '.join(odd)}; known are {', '.join(sorted(known))}")


def all_lines(strategy: Strategy) -> Iterator[tuple[str, int, Line]]:
    """Yield every line as it is stored: `core`, `wide` or the name of its block, its number from 1, the line."""
    for name, lines in (
        ("core", strategy.core),
        ("wide", strategy.wide),
        *((b.name, b.lines) for b in strategy.blocks),
    ):
        for position, line in enumerate(lines, 1):
            yield name, position, line
