"""The part of NLM's MeSH tree that searches need: names, entry terms and what explodes to what."""

from __future__ import annotations

import re
from collections.abc import Iterable
from difflib import get_close_matches
from typing import NamedTuple

from monitor.core.query.words import heading_key

MeshRow = tuple[str, str, tuple[str, ...], tuple[str, ...]]
"""UI, name, tree numbers, entry terms."""


_UI = re.compile("[A-Z][0-9]+")


def is_ui(value: str) -> bool:
    """Say whether this is a UI of NLM's: a letter and digits. What else a record has in its place names nothing."""
    return _UI.fullmatch(value) is not None


class Heading(NamedTuple):
    ui: str
    name: str
    tree_numbers: tuple[str, ...] = ()


class MeshTree:
    """Headings by UI, by name and entry term, and by place in the tree; publication types (V) included."""

    __slots__ = ("_above", "_below", "_by_key", "_by_ui", "_exploded", "_same_name", "_types")

    def __init__(self) -> None:
        self._by_ui: dict[str, Heading] = {}
        self._by_key: dict[tuple[str, ...], str] = {}
        self._below: dict[str, list[str]] = {}
        self._exploded: dict[str, frozenset[str]] = {}
        self._above: dict[str, set[str]] | None = None
        self._same_name: dict[tuple[str, ...], set[str]] = {}
        self._types: dict[str, str] = {}

    @classmethod
    def from_rows(cls, rows: Iterable[MeshRow]) -> MeshTree:
        """Build the tree; a name always wins over another heading's entry term."""
        tree = cls()
        kept = [*rows]
        for ui, name, numbers, _ in kept:
            tree._by_ui[ui] = Heading(ui, name, numbers)
            tree._by_key.setdefault(heading_key(name), ui)
            tree._same_name.setdefault(heading_key(name), set()).add(ui)
            for number in numbers:
                steps = number.split(".")
                for depth in range(1, len(steps) + 1):
                    tree._below.setdefault(".".join(steps[:depth]), []).append(ui)
            if any(number.startswith("V") for number in numbers):
                tree._types["".join(heading_key(name))] = name
        for ui, _, numbers, entry_terms in kept:
            for term in entry_terms:
                tree._by_key.setdefault(heading_key(term), ui)
                if any(number.startswith("V") for number in numbers):
                    tree._types.setdefault("".join(heading_key(term)), term)
        return tree

    def __len__(self) -> int:
        return len(self._by_ui)

    def find(self, text: str) -> Heading | None:
        """Find a heading by name, entry term or UI, whatever the case and punctuation."""
        ui = self._by_key.get(heading_key(text))
        if ui is None:
            ui = text.strip().upper()
        return self._by_ui.get(ui)

    def similar(self, text: str) -> Heading | None:
        """Find the heading whose name or entry term looks most like a misspelt one."""
        wanted = " ".join(heading_key(text))[:80]
        keys = {" ".join(key): ui for key, ui in self._by_key.items() if abs(len(" ".join(key)) - len(wanted)) <= 3}
        close = get_close_matches(wanted, keys, n=1, cutoff=0.8)
        return self._by_ui[keys[close[0]]] if close else None

    def explode(self, ui: str) -> frozenset[str]:
        """Return the heading's UI and those of everything narrower, in all its places; itself alone if unknown."""
        found = self._exploded.get(ui)
        if found is None:
            heading = self._by_ui.get(ui)
            numbers = heading.tree_numbers if heading else ()
            found = frozenset({ui}.union(*(self._below[number] for number in numbers)))
            self._exploded[ui] = found
        return found

    def broader(self, ui: str) -> Iterable[str]:
        """Return the UIs of all headings whose explosion holds this one: itself, if known, and its ancestors."""
        if self._above is None:
            self._above = {}
            for above in self._by_ui:
                for each in self.explode(above):
                    self._above.setdefault(each, set()).add(above)
        return self._above.get(ui, ())

    def named(self, key: tuple[str, ...]) -> Iterable[str]:
        """Return the UIs of the headings of exactly this name, by its `heading_key`; entry terms do not count."""
        return self._same_name.get(key, ())

    def name(self, ui: str) -> str | None:
        heading = self._by_ui.get(ui)
        return heading.name if heading else None

    def publication_type(self, squeezed: str) -> str | None:
        """Return the publication type that a filter such as `randomizedcontrolledtrial` names, as it names it."""
        return self._types.get(squeezed)
