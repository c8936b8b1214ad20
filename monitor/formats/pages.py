"""Reports as pages: sections of sentences, tables and quoted strings, written as text, Markdown, CSV or JSON."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from monitor.formats.table import safe

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>|#])")
_FENCE = re.compile(r"`{3,}")


@dataclass(frozen=True, slots=True)
class Table:
    """Cells as text; numbers stand right in a column whose head is in `right`. Cells of a column in `exact` are to be
    copied letter by letter."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    right: frozenset[str] = frozenset()
    exact: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Section:
    """A heading, sentences, a table, and strings to be copied exactly, each with a label."""

    title: str
    sentences: tuple[str, ...] = ()
    table: Table | None = None
    exact: tuple[tuple[str, str], ...] = ()
    level: int = 2


@dataclass(frozen=True, slots=True)
class Page:
    title: str
    sections: tuple[Section, ...]


def text(page: Page) -> str:
    """Write a page for a terminal."""
    out = [page.title, "=" * len(page.title)]
    for section in page.sections:
        out += ["", section.title, ("-" if section.level == 2 else ".") * len(section.title)]
        out += section.sentences
        if section.table is not None:
            out += _columns(section.table)
        for label, exact in section.exact:
            out += [f"{label}:", f"  {exact}"]
    return "\n".join(line.rstrip() for line in out) + "\n"


def markdown(page: Page) -> str:
    """Write a page in Markdown. Exact strings stand in fenced blocks, nothing in them changed."""
    out = [f"# {_escaped(page.title)}"]
    for section in page.sections:
        out += ["", f"{'#' * section.level} {_escaped(section.title)}", ""]
        for sentence in section.sentences:
            out += [_escaped(sentence), ""]
        if section.table is not None:
            table = section.table
            out.append(f"| {' | '.join(map(_escaped, table.head))} |")
            out.append("|" + "|".join("---:" if head in table.right else "---" for head in table.head) + "|")
            ways = [_code if head in table.exact else _escaped for head in table.head]
            out += [f"| {' | '.join(way(cell) for way, cell in zip(ways, row, strict=True))} |" for row in table.rows]
            out.append("")
        for label, exact in section.exact:
            # A fence must be longer than any run of backticks within.
            fence = "`" * max(3, *(len(run) + 1 for run in _FENCE.findall(exact)), 3)
            out += [f"{_escaped(label)}:", "", f"{fence}text", exact, fence, ""]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(out)).strip() + "\n"


def _code(cell: str) -> str:
    """Write a cell as code. A bar would end the cell even there, and is escaped as GitHub Flavored Markdown wants it."""
    if not cell.strip():
        return cell
    ticks = "`" * max((len(run) + 1 for run in re.findall("`+", cell)), default=1)
    pad = " " if "`" in cell else ""
    text = " ".join(cell.split()).replace("|", "\\|")
    return f"{ticks}{pad}{text}{pad}{ticks}"


def csv_text(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Write a table for spreadsheets, as citations are exported: byte order mark, CR LF, no cell that runs."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(head)
    for row in rows:
        writer.writerow([safe(cell) for cell in row])
    return "\ufeff" + out.getvalue()


def long_rows(page: Page) -> Iterator[tuple[str, str, str, str]]:
    """Yield section, item, measure and value of every cell: one shape for all tables of a page."""
    for section in page.sections:
        for number, sentence in enumerate(section.sentences, 1):
            yield section.title, "", f"sentence {number}", sentence
        if section.table is not None:
            item, *measures = section.table.head
            del item
            for first, *cells in section.table.rows:
                for measure, cell in zip(measures, cells, strict=True):
                    yield section.title, first, measure, cell


def plain(value: Any) -> Any:
    """Return a report as JSON values: dataclasses and named tuples as objects, days and moments in ISO 8601."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {each.name: plain(getattr(value, each.name)) for each in dataclasses.fields(value)}
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return {name: plain(getattr(value, name)) for name in value._fields}
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, dict):
        return {str(key): plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(each) for each in value]
    return value


def json_text(value: Any) -> str:
    return json.dumps(plain(value), ensure_ascii=False, indent=2) + "\n"


def count(number: int, one: str) -> str:
    """Write a number of things."""
    return f"{number:,} {one}{'' if number == 1 else 's'}"


def shown(value: int | None) -> str:
    """Write a number in a cell."""
    return "?" if value is None else f"{value:,}"


def _columns(table: Table) -> Iterator[str]:
    rows = (table.head, *table.rows)
    widths = [max(len(row[at]) for row in rows) for at in range(len(table.head))]
    for row in rows:
        cells = [
            cell.rjust(width) if head in table.right else cell.ljust(width)
            for cell, width, head in zip(row, widths, table.head, strict=True)
        ]
        yield "  " + "  ".join(cells)


def _escaped(value: str) -> str:
    return _SPECIAL.sub(r"\\\1", " ".join(value.split()))
