"""Author searches (User Guide, "Author"): last name with initials, or a full name either way round."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from monitor.core.citation import Author, Citation
from monitor.core.markup import bare
from monitor.core.query.document import FieldText
from monitor.core.query.words import SearchWords, words_of


def people(citation: Citation, field: str) -> tuple[str, list[tuple[int, Author]]]:
    """Return the place and the numbered people that an author field searches."""
    lists = citation.author_lists
    if field in {"ir", "fir"}:
        return "investigator", list(enumerate(a for each in citation.investigator_lists for a in each.investigators))
    if field == "ed":
        books = citation.book.author_lists if citation.book else ()
        return "editor", list(enumerate(a for each in (*lists, *books) if each.kind == "editors" for a in each.authors))
    authors = [a for each in lists if each.kind != "editors" for a in each.authors]
    numbered = [(number, author) for number, author in enumerate(authors) if author.last_name]
    if field == "1au":
        return "author", numbered[:1]
    if field == "lastau":
        return "author", numbered[-1:]
    return "author", numbered


def named(
    search: SearchWords, quoted: bool, full_only: bool, place: str, who: Iterable[tuple[int, Author]]
) -> Iterator[FieldText]:
    """Yield the people whose name fits; unquoted names are truncated, so `smith j` finds Smith JK."""
    for number, author in who:
        short, full, surname = names(author)
        forms = full if full_only else [*short, *full]
        if any(_fits(search, quoted, name, surname) for name in forms):
            text = " ".join(filter(None, (author.last_name, author.initials, bare(author.suffix))))
            yield FieldText(place, number, text)


def names(author: Author) -> tuple[list[list[str]], list[list[str]], int]:
    """Return the words of a name with initials, those of the full name either way round, and how many are surname."""
    last, initials, fore, suffix = name_words(author)
    short = [*last, *([initials] if initials else [])]
    full = [[*last, *fore, *suffix], [*fore, *last, *suffix]] if fore else []
    return [short, [*short, *suffix]], full, len(last)


def name_words(author: Author) -> tuple[list[str], str, list[str], list[str]]:
    """Return the words of surname, initials (one word at most), forenames and suffix."""
    return (
        words_of(author.last_name) if author.last_name else [],
        "".join(words_of(author.initials)) if author.initials else "",
        words_of(author.fore_name) if author.fore_name else [],
        words_of(bare(author.suffix)) if author.suffix else [],
    )


def _fits(search: SearchWords, quoted: bool, name: list[str], surname: int) -> bool:
    words, truncated = search
    if not words or len(words) > len(name):
        return False
    *before, last = words
    if list(before) != name[: len(before)]:
        return False
    there = name[len(before)]
    if truncated:
        return there.startswith(last)
    if quoted:
        return len(words) == len(name) and there == last
    return there.startswith(last) if len(before) >= surname else there == last
