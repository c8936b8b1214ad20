"""Rulebooks as text: the YAML of vocabulary and levels, read with the place of whatever is wrong in it."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Final

import yaml

from monitor.core.faults import Fault, Faulty, Path
from monitor.core.grading import Rules, read_rules
from monitor.core.vocabulary import Vocabulary, read_vocabulary
from monitor.formats.topicfile import Loader

LARGEST: Final = 1_000_000
"""Characters of a rulebook at most; the starter vocabulary has 35 thousand."""


@lru_cache(maxsize=4)
def vocabulary_of(text: str) -> Vocabulary:
    """Read a vocabulary. Raises Faulty with all that is wrong, each with its line."""
    values = read(text)
    try:
        return read_vocabulary(values)
    except Faulty as error:
        raise Faulty(with_lines(text, error.faults)) from None


@lru_cache(maxsize=4)
def rules_of(text: str) -> Rules:
    """Read level rules. Raises Faulty with all that is wrong, each with its line."""
    values = read(text)
    try:
        return read_rules(values)
    except Faulty as error:
        raise Faulty(with_lines(text, error.faults)) from None


def read(text: str) -> object:
    """Return what the YAML says; raises Faulty for what is none. Anchors and names that stand twice are refused."""
    if len(text) > LARGEST:
        raise Faulty([Fault((), f"at most {LARGEST:,} characters; this text has {len(text):,}")])
    try:
        return yaml.load(text, Loader)  # noqa: S506  a SafeLoader
    except RecursionError:
        raise Faulty([Fault((), "nested too deeply")]) from None
    except yaml.MarkedYAMLError as error:
        at = error.problem_mark
        what = error.problem or str(error)
        raise Faulty([Fault((), what, at.line + 1 if at is not None else None)]) from None
    except (yaml.YAMLError, ValueError) as error:  # ValueError: dates and numbers that are none
        raise Faulty([Fault((), " ".join(str(error).split())[:300])]) from None


def with_lines(text: str, faults: Iterable[Fault]) -> list[Fault]:
    """Return faults with the lines they stand on, by line."""
    root = yaml.compose(text, Loader)
    found = [each._replace(line=_line(root, each.path)) for each in faults]
    return sorted(found, key=lambda each: each.line or 0)


def _line(root: yaml.Node | None, path: Path) -> int | None:
    """Return the line, from 1, of the value that a path leads to, or of the last one on the way that is there."""
    line: int | None = None
    node: yaml.Node | None = root
    for step in path:
        found: tuple[yaml.Node, yaml.Node] | None = None
        if isinstance(node, yaml.MappingNode):
            found = next((pair for pair in node.value if pair[0].value == str(step)), None)
        elif isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
            found = (node.value[step], node.value[step])
        if found is None:
            break
        line, node = found[0].start_mark.line + 1, found[1]
    return line
