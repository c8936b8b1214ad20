"""A topic as a form: what was typed, kept exactly as typed, and read into a draft when it is asked for."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final, Self

from starlette.datastructures import FormData

from monitor.core.draft import LAB, Draft, one_line, read_block_name, read_topic_id, typed_line
from monitor.core.pmid import read_pmid
from monitor.core.strategy import LANES, Block, Joined, Line, Strategy, Topic, topic_of
from monitor.errors import UsageError

_FIELD: Final = re.compile(r"(core|wide|[A-Z][A-Z0-9_]*)\.(\d{1,4})\.(query|reason|owner|on|gone)\Z")
_BETWEEN: Final = re.compile(r"[\s,;]+")


@dataclass(frozen=True, slots=True)
class Row:
    """One line as typed. `gone` is one that will be left out, and can be put back until the topic is saved."""

    query: str = ""
    reason: str = ""
    owner: str = ""
    on: bool = True
    gone: bool = False

    @property
    def blank(self) -> bool:
        return not self.query.strip() and not self.reason.strip()

    @property
    def line(self) -> Line:
        """The line, whatever may be wrong with it."""
        return Line(" ".join(self.query.split()), " ".join(self.reason.split()), self.owner.strip() or LAB, self.on)


@dataclass(frozen=True, slots=True)
class Part:
    """The lines of a lane or of a block, by its name; `joined` and `reason` are a block's."""

    name: str
    rows: tuple[Row, ...] = ()
    joined: Joined = "any"
    reason: str = ""

    @property
    def is_block(self) -> bool:
        return self.name not in LANES

    def numbered(self) -> Iterator[tuple[int, int | None, Row]]:
        """Yield every row with its place and, where it is a line of the draft, the number it has there."""
        number = 0
        for place, row in enumerate(self.rows):
            counts = not row.gone and not row.blank
            number += counts
            yield place, number if counts else None, row

    @property
    def lines(self) -> tuple[Line, ...]:
        return tuple(row.line for _, number, row in self.numbered() if number is not None)

    def changed(self, verb: str, place: int) -> Part:
        """Return the part with one row moved, left out or put back; a place that there is not changes nothing."""
        rows = list(self.rows)
        if verb == "add":
            return replace(self, rows=(*rows, Row()))
        if not 0 <= place < len(rows):
            return self
        if verb in ("gone", "back"):
            rows[place] = replace(rows[place], gone=verb == "gone")
        elif verb in ("up", "down") and 0 <= (to := place + (1 if verb == "down" else -1)) < len(rows):
            rows[place], rows[to] = rows[to], rows[place]
        return replace(self, rows=tuple(rows))


@dataclass(frozen=True, slots=True)
class TopicForm:
    """The whole form. `based_on` and `held_…` say what it was made from, as a draft does; None and empty for a new topic.

    `renewed` names blocks of other topics that are to be taken as these are now.
    """

    topic_id: str
    title: str = ""
    sentinels: str = ""
    parts: tuple[Part, ...] = (Part("core"), Part("wide"))
    based_on: int | None = None
    held_title: str = ""
    held_sentinels: str = ""
    renewed: tuple[str, ...] = ()
    message: str = ""
    because: str = ""

    @classmethod
    def of(cls, draft: Draft) -> Self:
        """Fill the form with a draft."""
        sentinels = " ".join(map(str, draft.sentinels))
        held = draft.held
        return cls(
            draft.topic_id,
            draft.title,
            sentinels,
            _parts(draft.strategy),
            draft.based_on,
            held.title if held is not None else draft.title,
            " ".join(map(str, held.sentinels)) if held is not None else sentinels,
        )

    @classmethod
    def read(cls, topic_id: str | None, given: FormData) -> Self:
        """Take what a browser sent; raises UsageError for what no form of ours holds."""

        def text(name: str) -> str:
            found = given.get(name, "")
            return found.replace("\r\n", "\n") if isinstance(found, str) else ""

        names = [each for each in given.getlist("block") if isinstance(each, str)]
        blocks = list(dict.fromkeys(map(read_block_name, names)))
        rows: dict[str, dict[int, dict[str, str]]] = {}
        for name in given:
            found = _FIELD.match(name)
            if found is not None:
                rows.setdefault(found[1], {}).setdefault(int(found[2]), {})[found[3]] = text(name)
        parts = []
        for name in (*LANES, *blocks):
            held = rows.get(name, {})
            of = tuple(
                Row(
                    held[at].get("query", ""),
                    held[at].get("reason", ""),
                    held[at].get("owner", ""),
                    "on" in held[at],
                    held[at].get("gone") == "1",
                )
                for at in sorted(held)
            )
            joined: Joined = "all" if text(f"{name}.joined") == "all" else "any"
            parts.append(Part(name, of, joined, text(f"{name}.why")))
        based_on = text("based_on")
        return cls(
            topic_id if topic_id is not None else text("topic_id").strip(),
            text("title"),
            text("sentinels"),
            tuple(parts),
            int(based_on) if based_on.isascii() and based_on.isdigit() and len(based_on) < 10 else None,
            text("held_title"),
            text("held_sentinels"),
            tuple(each for each in given.getlist("renewed") if isinstance(each, str)),
            text("message"),
            text("because"),
        )

    def part(self, name: str) -> Part | None:
        return next((each for each in self.parts if each.name == name), None)

    def with_part(self, part: Part) -> TopicForm:
        """Return the form with a part in the place of the one of its name, or behind the others."""
        if self.part(part.name) is None:
            return replace(self, parts=(*self.parts, part))
        return replace(self, parts=tuple(part if each.name == part.name else each for each in self.parts))

    def with_line(self, name: str, line: Line) -> TopicForm:
        """Return the form with one more line at the end of a part."""
        part = self.part(name) or Part(name)
        kept = tuple(row for row in part.rows if not row.blank)
        return self.with_part(replace(part, rows=(*kept, Row(line.query, line.reason, line.owner, line.enabled))))

    def with_repair(self, name: str, position: int, query: str, *, enabled: bool) -> TopicForm:
        """Return the form with one line rewritten."""
        part = self.part(name)
        if part is None:
            return self
        rows = [
            replace(row, query=query, on=enabled) if number == position else row for _, number, row in part.numbered()
        ]
        return self.with_part(replace(part, rows=tuple(rows)))

    def rough(self, base: Strategy | None) -> Draft:
        """Return the draft as far as it is one, for the linter; what is no PMID is left out of the sentinels."""
        pmids = [read_pmid(each) for each in _BETWEEN.split(self.sentinels)]
        return self._draft(base, tuple(dict.fromkeys(each for each in pmids if each is not None)))

    def draft(self, base: Strategy | None) -> Draft:
        """Return the draft; raises UsageError naming everything that is missing or odd.

        `base` is the strategy that the form was made from: lines of other topics stay as it holds them.
        """
        wrong: list[str] = []
        try:
            read_topic_id(self.topic_id)
        except UsageError as error:
            wrong.append(str(error))
        try:
            one_line(self.title, "the title")
        except UsageError as error:
            wrong.append(str(error))
        for part in self.parts:
            for _, number, row in part.numbered():
                if number is not None:
                    try:
                        typed_line(row.query, row.reason, row.owner or LAB, row.on, f"{part.name}, line {number}")
                    except UsageError as error:
                        wrong.append(str(error))
        words = [each for each in _BETWEEN.split(self.sentinels) if each]
        wrong += [f"sentinels: {each[:40]!r} is no PMID" for each in words if read_pmid(each) is None]
        if wrong:
            raise UsageError("\n".join(wrong))
        return self.rough(base)

    def _draft(self, base: Strategy | None, sentinels: tuple[int, ...]) -> Draft:
        lanes = {each.name: each.lines for each in self.parts}
        blocks = [
            Block(each.name, each.lines, each.joined, " ".join(each.reason.split()) or None)
            for each in self.parts
            if each.is_block
        ]
        blocks += [
            each
            for each in (base.blocks if base is not None else ())
            if topic_of(each.name) is not None and each.name not in self.renewed
        ]
        strategy = Strategy(
            lanes.get("core", ()), lanes.get("wide", ()), tuple(sorted(blocks, key=lambda each: each.name))
        )
        held = None
        if self.based_on is not None:
            pmids = [read_pmid(each) for each in self.held_sentinels.split()]
            held = Topic(self.topic_id, self.held_title, Strategy(()), tuple(filter(None, pmids)))
        return Draft(self.topic_id, " ".join(self.title.split()), strategy, sentinels, self.based_on, held)


def with_blocks_of(form: TopicForm, strategy: Strategy) -> TopicForm:
    """Return the form with the blocks that its lines insert and that were taken from other topics."""
    for block in strategy.blocks:
        if topic_of(block.name) is None and form.part(block.name) is None:
            form = form.with_part(_block_part(block))
    return form


def _parts(strategy: Strategy) -> tuple[Part, ...]:
    lanes = (Part("core", _rows(strategy.core)), Part("wide", _rows(strategy.wide)))
    return (*lanes, *(_block_part(each) for each in strategy.blocks if topic_of(each.name) is None))


def _block_part(block: Block) -> Part:
    return Part(block.name, _rows(block.lines), block.joined, block.reason or "")


def _rows(lines: Sequence[Line]) -> tuple[Row, ...]:
    return tuple(Row(each.query, each.reason, each.owner, each.enabled) for each in lines)
