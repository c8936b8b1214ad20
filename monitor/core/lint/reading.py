"""A line as its writer sees it: terms with their places, levels of parentheses, inserted blocks as operands."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import NamedTuple

from monitor.core.lint.findings import Finding, Repair, Weight
from monitor.core.query import Leaf, Query, ignored, parse, terms
from monitor.core.query.lexer import Kind, Token, normalise, tokens
from monitor.core.strategy import INSERT, Line
from monitor.errors import QuerySyntaxError


class Placed(NamedTuple):
    """A term and where it stands: characters [start, end) of the line, its tag from `tag` on (`end` without one)."""

    leaf: Leaf
    start: int
    tag: int
    end: int


class Operator(NamedTuple):
    """AND, OR or NOT between two operands; AND where they only stand side by side."""

    name: str
    start: int
    end: int


class Operand(NamedTuple):
    """A term, an inserted block or what stands in parentheses."""

    start: int
    end: int
    placed: Placed | None = None
    level: Level | None = None
    block: str | None = None

    @property
    def dropped(self) -> bool:
        """Say whether PubMed leaves this operand out."""
        return self.placed is not None and ignored(self.placed.leaf)


class Level(NamedTuple):
    """Operands and the operators between them, on one level of parentheses."""

    operands: tuple[Operand, ...]
    operators: tuple[Operator, ...]


class _Text(NamedTuple):
    query: Query | None
    error: QuerySyntaxError | None
    placed: tuple[Placed, ...]
    level: Level | None


@dataclass(frozen=True)
class Reading:
    """One line, read; `text` is the line with typographic characters replaced, character for character."""

    block: str
    position: int
    line: Line

    @cached_property
    def text(self) -> str:
        return normalise(self.line.query)

    @cached_property
    def inserts(self) -> tuple[tuple[int, str], ...]:
        """Where blocks are inserted, and which."""
        return tuple((found.start(), found[1]) for found in INSERT.finditer(self.text))

    @property
    def query(self) -> Query | None:
        """The tree, with a word for every inserted block; None if the line cannot be read."""
        return _read(self.text).query

    @property
    def error(self) -> QuerySyntaxError | None:
        return _read(self.text).error

    @property
    def placed(self) -> tuple[Placed, ...]:
        """Every term in the order written, without what stands for inserted blocks."""
        return _read(self.text).placed

    @property
    def level(self) -> Level | None:
        return _read(self.text).level

    def levels(self) -> Iterator[Level]:
        """Yield every level of parentheses, the outermost first."""
        waiting = [self.level] if self.level else []
        while waiting:
            level = waiting.pop(0)
            yield level
            waiting += [each.level for each in level.operands if each.level is not None]

    def operands(self) -> Iterator[tuple[Level, int]]:
        """Yield every operand of every level: the level and its number there."""
        for level in self.levels():
            for at in range(len(level.operands)):
                yield level, at

    def without(self, level: Level, at: int) -> str | None:
        """Return the line without one operand and its operator; None where nothing sensible would remain."""
        operands, operators = level.operands, level.operators
        if len(operands) == 1:
            return None
        if at:
            return self.edited(operands[at - 1].end, operands[at].end, "")
        if operators[0].name == "NOT":
            return None
        return self.edited(operands[0].start, operands[1].start, "")

    def edited(self, start: int, end: int, text: str) -> str:
        """Return the line with some of its characters replaced."""
        return self.text[:start] + text + self.text[end:]

    def words_of(self, placed: Placed) -> str:
        """Return a term as written, without its tag."""
        return self.text[placed.start : placed.tag].rstrip()

    def tag_of(self, placed: Placed) -> str:
        return self.text[placed.tag : placed.end]

    def repair(self, words: str, query: str | None) -> Repair | None:
        """Offer a repair, unless the line could not be read after it or would stay as it is."""
        if query is None or query == self.line.query or not readable(query):
            return None
        return Repair(words, query, self.line.enabled)

    def finding(
        self,
        code: str,
        weight: Weight,
        start: int | None,
        message: str,
        repair: Repair | None = None,
        alternative: Repair | None = None,
    ) -> Finding:
        """Make a finding of this line at a place that counts from 0."""
        column = None if start is None else start + 1
        return Finding(code, weight, self.block, self.position, column, message, repair, alternative)


def readable(query: str) -> bool:
    """Say whether a line can be read, inserted blocks taken for granted."""
    text = normalise(query)
    return _read(text).query is not None and not re.search(r"[{}]", INSERT.sub("", text))


def masked(text: str) -> str:
    """Put a word in parentheses of the same length in the place of every inserted block."""
    return INSERT.sub(lambda found: f"({'x'.ljust(len(found[0]) - 2)})", text)


@lru_cache(maxsize=4096)
def _read(text: str) -> _Text:
    stand_in = masked(text)
    try:
        query = parse(stand_in)
    except QuerySyntaxError as error:
        return _Text(None, error, (), None)
    inserts = {found.start(): found for found in INSERT.finditer(text)}
    leaves = {leaf.column - 1: leaf for leaf in terms(query) if leaf.column - 2 not in inserts}
    placed: list[Placed] = []
    level = _Layout(stand_in, text, leaves, {at: found[1] for at, found in inserts.items()}, placed).whole()
    return _Text(query, None, tuple(placed), level)


class _Layout:
    """Walks the tokens of a text that was parsed, and notes where each of its leaves and levels stands."""

    def __init__(
        self, stand_in: str, text: str, leaves: dict[int, Leaf], inserts: dict[int, str], placed: list[Placed]
    ) -> None:
        self.text = text
        self.tokens = list(tokens(stand_in))
        self.leaves = leaves
        self.inserts = inserts
        self.placed = placed
        self.at = 0

    def whole(self) -> Level:
        return self.level()

    def look(self) -> Token:
        return self.tokens[self.at]

    def level(self) -> Level:
        operands: list[Operand] = []
        operators: list[Operator] = []
        operator: Operator | None = None
        while self.look().kind not in {Kind.CLOSE, Kind.END}:
            token = self.look()
            start = token.column - 1
            if token.kind is Kind.OPERATOR:
                self.at += 1
                end = start + (1 if self.text[start] in "&|" else len(token.text))
                operator = Operator(token.text, start, end)
                continue
            operand = self.group(start) if token.kind is Kind.OPEN else self.term(start)
            if operand is None:
                continue
            if operands:
                operators.append(operator or Operator("AND", operands[-1].end, operands[-1].end))
            operands.append(operand)
            operator = None
        return Level(tuple(operands), tuple(operators))

    def group(self, start: int) -> Operand:
        self.at += 1
        level = self.level()
        end = self.look().column
        self.at += 1
        name = self.inserts.get(start)
        return Operand(start, end, block=name) if name is not None else Operand(start, end, level=level)

    def term(self, start: int) -> Operand | None:
        leaf = self.leaves.get(start)
        self.at += 1
        if leaf is None:
            return None
        tag: int | None = None
        while self.look().kind not in {Kind.CLOSE, Kind.END, Kind.OPEN, Kind.OPERATOR}:
            if self.look().column - 1 in self.leaves:
                break
            if self.look().kind is Kind.TAG:
                tag = self.look().column - 1
            self.at += 1
        end = start + len(self.text[start : self.look().column - 1].rstrip())
        if any(start < insert < end for insert in self.inserts):  # a block within a phrase: told apart, and not a term
            return Operand(start, end)
        placed = Placed(leaf, start, end if tag is None else tag, end)
        self.placed.append(placed)
        return Operand(start, end, placed)
