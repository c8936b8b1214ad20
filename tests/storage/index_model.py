"""The search index as plain Python over what is written into it: what any database must find, by definition."""

from __future__ import annotations

from monitor.storage.fulltext import COLUMNS, Entry
from monitor.storage.lookup import AllOf, AnyOf, Near, Nothing, Phrase, Token, Wanted


class Words:
    """The words of one citation, column by column."""

    def __init__(self, entry: Entry) -> None:
        self._columns = {name: column.split() for name, column in zip(COLUMNS, entry, strict=True)}
        self._facets = set(self._columns["facets"])

    def have(self, wanted: Wanted) -> bool:
        if isinstance(wanted, Nothing):
            return False
        if isinstance(wanted, AnyOf):
            return any(map(self.have, wanted.parts))
        if isinstance(wanted, AllOf):
            return all(map(self.have, wanted.parts))
        if isinstance(wanted, Token):
            return wanted.text in self._facets or (
                wanted.prefix and any(token.startswith(wanted.text) for token in self._facets)
            )
        return any(_stands(wanted, self._columns[name]) for name in wanted.columns)


def _stands(wanted: Phrase | Near, words: list[str]) -> bool:
    if isinstance(wanted, Near):
        needed = set(wanted.words)
        assert len(needed) == len(wanted.words) > 1
        return any(
            needed <= set(words[at : at + len(needed) + wanted.distance])
            for at, word in enumerate(words)
            if word in needed
        )
    *before, last = wanted.words
    return any(
        words[at : at + len(before)] == before
        and (words[at + len(before)] == last or (wanted.prefix and words[at + len(before)].startswith(last)))
        for at in range(len(words) - len(before))
    )
