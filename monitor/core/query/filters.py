"""Subsets and filters in [sb] and [filter] (User Guide, "Filters"; names as PubMed's own pages put into searches)."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from monitor.core.citation import Citation
from monitor.core.languages import is_language
from monitor.core.query.flags import flag_holds
from monitor.core.query.tree import Term
from monitor.core.query.words import split_words

_SUBSETS: dict[str, Callable[[Citation], bool]] = {
    "all": lambda _: True,
    "medline": lambda c: c.status == "MEDLINE",
    "oldmedline": lambda c: c.status == "OLDMEDLINE",
    "inprocess": lambda c: c.status in {"In-Process", "In-Data-Review"},
    "indatareview": lambda c: c.status == "In-Data-Review",
    "publisher": lambda c: c.status == "Publisher",
    "pubmednotmedline": lambda c: c.status == "PubMed-not-MEDLINE",
    "pubmedpmc": lambda c: c.pmcid is not None,
    "pubmedbooks": lambda c: c.book is not None,
    "fha": lambda c: flag_holds("hasabstract", c),
    "data": lambda c: bool(c.data_banks) or any(link.kind == "AssociatedDataset" for link in c.corrections),
}
_SEARCHES: dict[str, Term] = {
    "humans": Term("humans", "mh", explode=False),
    "human": Term("humans", "mh", explode=False),
    "animals": Term("animals", "mh", explode=False),
    "animal": Term("animals", "mh", explode=False),
    "otheranimals": Term("animals", "mh", explode=False),
    "male": Term("male", "mh", explode=False),
    "female": Term("female", "mh", explode=False),
    "allinfant": Term("infant", "mh"),
    "infant": Term("infant", "mh", explode=False),
    "newborn": Term("infant, newborn", "mh"),
    "preschoolchild": Term("child, preschool", "mh", explode=False),
    "child": Term("child", "mh", explode=False),
    "adolescent": Term("adolescent", "mh", explode=False),
    "alladult": Term("adult", "mh"),
    "adult": Term("adult", "mh", explode=False),
    "youngadult": Term("young adult", "mh", explode=False),
    "middleaged": Term("middle aged", "mh", explode=False),
    "aged": Term("aged", "mh"),
    "80andover": Term("aged, 80 and over", "mh", explode=False),
}
OUT_OF_REACH = frozenset({"fulltext", "freefulltext", "fft", "ffrft", "loall", "loprovider", "systematic"})
"""Filters PubMed computes from links or strategies that a record does not hold."""


def filter_key(text: str) -> str:
    """Squeeze a filter's name to letters and digits: `free full text` and `FreeFullText` are one."""
    return "".join(split_words(text)[0])


def subset_test(key: str) -> Callable[[Citation], bool] | None:
    """Return the test of a subset that a record's own fields decide; `jsubsetim` and the like included."""
    if test := _SUBSETS.get(key):
        return test
    if key.startswith("jsubset") and len(key) > len("jsubset"):
        code = key.removeprefix("jsubset").upper()
        return lambda c: code in c.citation_subsets
    return None


def subsets_of(citation: Citation) -> Iterator[str]:
    """Yield the keys of every subset that holds, but for those of journals, which the record lists itself."""
    return (key for key, test in _SUBSETS.items() if test(citation))


def filter_search(key: str) -> Term | None:
    """Return the search that a filter of PubMed's side bar stands for."""
    return _SEARCHES.get(key) or (Term(key, "la") if is_language(key) else None)
