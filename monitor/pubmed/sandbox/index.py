"""Records as citations and searchable documents, and which of them each part of a query finds."""

from __future__ import annotations

from collections import OrderedDict
from datetime import date
from threading import RLock

from monitor.core.citation import Citation
from monitor.core.query.document import Document, document
from monitor.core.query.matching import ignored, matches
from monitor.core.query.mesh import MeshTree
from monitor.core.query.tree import And, Leaf, Not, Or, Query, Recent
from monitor.core.query.words import split_words
from monitor.pubmed.parse import Found, read_records
from monitor.pubmed.sandbox.corpus import Corpus, State, View


class Index:
    """Evaluates queries over every state of the corpus; each leaf is evaluated once for each state."""

    def __init__(self, corpus: Corpus, mesh: MeshTree, kept: int = 20_000) -> None:
        self.kept = kept
        self.corpus = corpus
        self.mesh = mesh
        self._documents: list[tuple[int, Document]] = []
        self._by_number: dict[int, Citation] = {}
        self._read_to = 0
        self._leaves: OrderedDict[tuple[Leaf, date | None], tuple[int, set[int]]] = OrderedDict()
        self._lock = RLock()

    def citation(self, state: State | None) -> Citation | None:
        """Return a state's record as a citation, None for one that cannot be read."""
        if state is None:
            return None
        with self._lock:
            self.update()
            return self._by_number.get(state.number)

    def citations(self, view: View) -> list[Citation]:
        """Return the readable records of a view, newest first."""
        found = (self.citation(view.states[pmid]) for pmid in view.newest)
        return [citation for citation in found if citation is not None]

    def update(self) -> None:
        """Read what was added to the corpus since; an unreadable record is served but never found."""
        with self._lock:
            if self._read_to == self.corpus.size:
                return
            new = self.corpus.states(self._read_to)
            found = self._read(new)
            for state, record in zip(new, found, strict=True):
                if isinstance(record, Citation):
                    self._by_number[state.number] = record
                    self._documents.append((state.number, document(record)))
                self._read_to = state.number + 1
            self._read_to = max(self._read_to, self.corpus.size)

    def _read(self, states: list[State]) -> list[Found]:
        opening = b" ".join([b"<PubmedArticleSet", *self.corpus.namespaces.values()]) + b">"
        source = (opening, *(state.raw or b"" for state in states), b"</PubmedArticleSet>")
        return list(read_records(source))

    def find(self, leaf: Leaf, today: date) -> set[int]:
        """Return the numbers of all states, seen or not, that fit a leaf."""
        with self._lock:
            self.update()
            key = (leaf, today if isinstance(leaf, Recent) else None)
            done, numbers = self._leaves.get(key, (0, set()))
            if done < len(self._documents):
                rest = self._documents[done:] if done else self._documents
                numbers = numbers | {number for number, each in rest if matches(leaf, each, self.mesh, today)}
                self._leaves[key] = (len(self._documents), numbers)
                self._leaves.move_to_end(key)
                while len(self._leaves) > self.kept:
                    self._leaves.popitem(last=False)
            return numbers

    def words(self) -> set[str]:
        """Return every word of every title and abstract, for spelling."""
        with self._lock:
            self.update()
            texts = (source.text for _, each in self._documents for source in each.index("tiab").sources)
            return {word for text in texts for word in split_words(text)[0]}

    def evaluate(self, query: Query, today: date, within: frozenset[int]) -> frozenset[int]:
        """Return which of the states match; a query of nothing but ignored words finds nothing."""
        return self._some(query, today, within) or frozenset()

    def _some(self, query: Query, today: date, within: frozenset[int]) -> frozenset[int] | None:
        """Evaluate a node; None means that PubMed ignores it."""
        if isinstance(query, And):
            known = [part for each in query.parts if (part := self._some(each, today, within)) is not None]
            return frozenset.intersection(*known) if known else None
        if isinstance(query, Or):
            known = [part for each in query.parts if (part := self._some(each, today, within)) is not None]
            return frozenset().union(*known) if known else None
        if isinstance(query, Not):
            base = self._some(query.base, today, within)
            known = [part for each in query.excluded if (part := self._some(each, today, within)) is not None]
            if base is None and not known:
                return None
            return (within if base is None else base).difference(*known)
        return None if ignored(query) else within & self.find(query, today)
