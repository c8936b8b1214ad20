"""What is wrong with a rulebook, every fault at its place: a path of names and numbers into what was read; pure."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any, NamedTuple

from monitor.errors import UsageError

Path = tuple[str | int, ...]
"""Names and positions, counted from 0, that lead to a value: `("facets", "therapy", "terms", 0, "rx", 1)`."""


class Fault(NamedTuple):
    """One thing that is wrong. `line` counts from 1 and is known once the text has been looked at."""

    path: Path
    what: str
    line: int | None = None

    @property
    def words(self) -> str:
        """The whole sentence: line, place, and what is wrong there."""
        line = f"line {self.line}: " if self.line is not None else ""
        where = place(self.path)
        return f"{line}{where}: {self.what}" if where else f"{line}{self.what}"


class Faulty(UsageError):
    """A rulebook cannot be used as it stands; `faults` are all that is wrong with it."""

    def __init__(self, faults: Collection[Fault]) -> None:
        super().__init__("\n".join(each.words for each in faults))
        self.faults = tuple(faults)


class Ledger:
    """Collects faults while something is read, so that all are told at once."""

    def __init__(self) -> None:
        self.faults: list[Fault] = []

    def add(self, path: Path, what: str) -> None:
        self.faults.append(Fault(path, what))

    def settle(self) -> None:
        """Raise Faulty if anything was wrong."""
        if self.faults:
            raise Faulty(self.faults)

    def mapping(self, value: object, path: Path, known: Collection[str]) -> Mapping[str, Any]:
        """Return names with values; those that are not known are faults and left out."""
        if not isinstance(value, Mapping):
            self.add(path, "names with values are wanted")
            return {}
        for name in value:
            if name not in known:
                self.add((*path, str(name)), f"unknown key; known are {', '.join(sorted(known))}")
        return {name: each for name, each in value.items() if name in known}

    def sequence(self, value: object, path: Path) -> list[object]:
        """Return a list."""
        if not isinstance(value, list):
            self.add(path, "a list is wanted")
            return []
        return value

    def words(self, value: object, path: Path, most: int = 200) -> str:
        """Return one line of text."""
        if not isinstance(value, str) or not value.strip():
            self.add(path, "a text is wanted")
            return ""
        text = " ".join(value.split())
        if len(text) > most or not text.isprintable():
            self.add(path, f"at most {most} characters on one line, without control characters")
            return ""
        return text

    def texts(self, value: object, path: Path, most: int = 200) -> tuple[str, ...]:
        """Return a list of texts."""
        found = (self.words(each, (*path, at), most) for at, each in enumerate(self.sequence(value, path)))
        return tuple(filter(None, found))

    def number(self, value: object, path: Path, low: float, high: float) -> float:
        """Return a number of a range."""
        if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
            self.add(path, f"a number from {low:g} to {high:g} is wanted")
            return low
        return value

    def flag(self, value: object, path: Path) -> bool:
        """Return true or false."""
        if not isinstance(value, bool):
            self.add(path, "true or false is wanted")
        return value is True

    def checked(self, path: Path, read: Callable[[], Any]) -> Any:
        """Return what reading gives; None, and a fault, where it raises UsageError."""
        try:
            return read()
        except UsageError as error:
            self.add(path, str(error))
            return None


def place(path: Path) -> str:
    """Write a path as people say it: `facets therapy, terms 1, rx 2`."""
    parts: list[str] = []
    for each in path:
        if isinstance(each, int) and parts:
            parts[-1] += f" {each + 1}"
        elif parts and parts[-1] == "facets":
            parts[-1] = f"facet {each}"
        else:
            parts.append(str(each))
    return ", ".join(parts)
