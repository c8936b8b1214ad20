"""Terms to be put on papers and taken off: read from what people write, and applied."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from monitor.core.screening import READERS, Facet
from monitor.errors import UsageError
from monitor.services.screened import pairs, terms_told
from monitor.storage import screening
from monitor.storage.events import Deed
from monitor.storage.screening import Labelled, Terms

Term = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Labels:
    """Facets and terms to be put on and taken off; `no_level` takes off whatever level there is."""

    on: tuple[Term, ...] = ()
    off: tuple[Term, ...] = ()
    no_level: bool = False

    @classmethod
    def read(
        cls,
        *,
        tags: Iterable[str] = (),
        untag: Iterable[str] = (),
        level: str | None = None,
        no_level: bool = False,
        claims: Iterable[str] = (),
        unlink: Iterable[str] = (),
    ) -> Labels:
        """Return what people wrote; raises UsageError for what cannot be, or for both at once."""
        on = _read("tag", tags) + _read("claim", claims) + _read("level", [level] if level is not None else [])
        off = _read("tag", untag) + _read("claim", unlink)
        if both := set(on) & set(off):
            raise UsageError(f"{', '.join(sorted(term for _, term in both))}: to be put on and taken off at once")
        if level is not None and no_level:
            raise UsageError("a level is to be set and taken off at once")
        return cls(tuple(on), tuple(off), no_level)

    def __bool__(self) -> bool:
        return bool(self.on or self.off or self.no_level)

    @property
    def told(self) -> dict[str, dict[str, list[str]]]:
        """What a step tells of it."""
        return {"on": terms_told(self.on), "off": terms_told(self.off)}

    def on_paper(self, pmid: int, terms: Mapping[str, Sequence[str]]) -> tuple[list[Labelled], set[Term], set[Term]]:
        """Return what has to change on a paper with these terms, and how it stands before and after."""
        held = pairs(terms)
        sets_level = self.no_level or any(facet == "level" for facet, _ in self.on)
        gone = [each for each in sorted(held) if each[0] == "level"] if sets_level else []
        changed = [(each, False) for each in [*self.off, *gone] if each in held and each not in self.on]
        changed += [(each, True) for each in self.on if each not in held]
        after = held - {each for each, _ in changed} | {each for each, added in changed if added}
        return [Labelled(pmid, facet, term, added) for (facet, term), added in changed], held, after


def changes(session: Session, pmids: Iterable[int], labels: Labels) -> tuple[list[Labelled], list[Deed]]:
    """Return what has to change on these papers, and what to tell the log of each that does."""
    wanted = list(dict.fromkeys(pmids))
    before: Mapping[int, Terms] = screening.terms(session, wanted) if labels else {}
    fresh: list[Labelled] = []
    deeds = []
    for pmid in wanted:
        changed, held, after = labels.on_paper(pmid, before.get(pmid, {}))
        if changed:
            fresh += changed
            deeds.append(Deed(f"citation:{pmid}", terms_told(held), terms_told(after)))
    return fresh, deeds


def _read(facet: Facet, texts: Iterable[str]) -> list[Term]:
    return list(dict.fromkeys((facet, READERS[facet](text)) for text in texts))
