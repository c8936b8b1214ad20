"""Whether one search finds everything another finds, told from the searches alone.

`covers` is careful: True is certain, as far as phrases are words side by side; False may only mean "not seen".
"""

from __future__ import annotations

from typing import Final

from monitor.core.query import And, Flag, Leaf, MeshTree, Not, Or, Proximity, Query, Term, ignored, terms
from monitor.core.query.qualifiers import qualifier_keys
from monitor.core.query.words import heading_key, search_words

_TEXT: Final = {"ti": 0, "tiab": 1, "tw": 2}
"""Text fields, each within the next."""


def covers(wide: Query, narrow: Query, tree: MeshTree) -> bool:
    """Say whether every paper that `narrow` finds is also found by `wide`."""
    return not any(ignored(leaf) for leaf in terms(narrow)) and _Comparison(tree).covers(wide, narrow)


class _Comparison:
    """Compares two trees; each pair of nodes once, for deep ones meet again and again."""

    def __init__(self, tree: MeshTree) -> None:
        self.tree = tree
        self.known: dict[tuple[int, int], bool] = {}

    def covers(self, wide: Query, narrow: Query) -> bool:
        pair = id(wide), id(narrow)
        found = self.known.get(pair)
        if found is None:
            found = self.known[pair] = self.compare(wide, narrow)
        return found

    def compare(self, wide: Query, narrow: Query) -> bool:
        if wide == narrow:
            return True
        if isinstance(narrow, Or):
            return all(self.covers(wide, part) for part in narrow.parts)
        if isinstance(wide, And):
            return all(self.covers(part, narrow) for part in wide.parts)
        if isinstance(wide, Or) and any(self.covers(part, narrow) for part in wide.parts):
            return True
        if isinstance(narrow, And):
            return any(self.covers(wide, part) for part in narrow.parts)
        if isinstance(narrow, Not):
            return (isinstance(wide, Not) and self.excludes_less(wide, narrow)) or self.covers(wide, narrow.base)
        if isinstance(wide, Or | Not) or ignored(wide):
            return False
        return _leaf_covers(wide, narrow, self.tree)

    def excludes_less(self, wide: Not, narrow: Not) -> bool:
        """Say whether one search takes less away from more than another."""
        if any(ignored(leaf) for each in wide.excluded for leaf in terms(each)):
            return False
        return self.covers(wide.base, narrow.base) and all(
            any(self.covers(gone, each) for gone in narrow.excluded) for each in wide.excluded
        )


def _leaf_covers(wide: Leaf, narrow: Leaf, tree: MeshTree) -> bool:
    if isinstance(wide, Flag) or isinstance(narrow, Flag):
        return wide == narrow
    if isinstance(wide, Term) and wide.field in {"mh", "majr"}:
        return isinstance(narrow, Term) and _heading_covers(wide, narrow, tree)
    if not isinstance(wide, Term | Proximity) or not isinstance(narrow, Term | Proximity):
        return False
    if wide.field not in _TEXT or narrow.field not in _TEXT or _TEXT[narrow.field] > _TEXT[wide.field]:
        return False
    if isinstance(wide, Proximity):
        return _near_covers(wide, narrow)
    if isinstance(narrow, Proximity):
        words, truncated = search_words(wide.text)
        inside = search_words(narrow.text).words
        one = len(words) == 1 and "*" not in narrow.text
        return one and any(word == words[0] or (truncated and word.startswith(words[0])) for word in inside)
    return _phrase_covers(wide, narrow)


def _phrase_covers(wide: Term, narrow: Term) -> bool:
    """A phrase finds what a longer phrase with the same words side by side finds; its last word may be a stem."""
    words, truncated = search_words(wide.text)
    inside, open_end = search_words(narrow.text)
    for at in range(len(inside) - len(words) + 1):
        *first, last = inside[at : at + len(words)]
        if tuple(first) != words[:-1]:
            continue
        stem = open_end and at + len(words) == len(inside)
        if (truncated and last.startswith(words[-1])) or (last == words[-1] and not stem):
            return True
    return False


def _near_covers(wide: Proximity, narrow: Term | Proximity) -> bool:
    if "*" in wide.text or "*" in narrow.text:
        return False
    ours, theirs = sorted(search_words(wide.text).words), sorted(search_words(narrow.text).words)
    if ours != theirs:
        return False
    return isinstance(narrow, Term) or narrow.distance <= wide.distance


def _heading_covers(wide: Term, narrow: Term, tree: MeshTree) -> bool:
    if narrow.field != wide.field and (wide.field, narrow.field) != ("mh", "majr"):
        return False
    name, qualifier = _parted(wide)
    other, finer = _parted(narrow)
    if qualifier is None or finer is None or "*" in wide.text or "*" in narrow.text:
        return False
    if qualifier and not (finer and finer <= qualifier):
        return False
    heading, below = tree.find(name), tree.find(other)
    if heading is None or below is None:
        return heading_key(name) == heading_key(other) and wide.explode == narrow.explode
    reached = tree.explode(below.ui) if narrow.explode else {below.ui}
    return reached <= (tree.explode(heading.ui) if wide.explode else {heading.ui})


def _parted(term: Term) -> tuple[str, frozenset[tuple[str, ...]] | None]:
    """Take a heading and its subheadings apart; None for a subheading that is not known."""
    name, slash, qualifier = term.text.rpartition("/")
    if not slash:
        return term.text, frozenset()
    return name, qualifier_keys(qualifier, term.explode) or None
