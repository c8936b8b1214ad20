"""Write citations as BibTeX.

Keys are `pmid` and the PMID, so they stay the same when a paper moves from online to an issue or a name is corrected.
Unicode stays as it is (biber, and BibTeX with `inputenc`); LaTeX's special characters are escaped; braces are written
as commands, because BibTeX counts even an escaped brace.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from monitor.core.citation import Author, Citation, InlineXml
from monitor.core.markup import plain
from monitor.formats import notices, wording

_SPECIAL = str.maketrans(
    {
        "\\": r"\textbackslash{}",
        "{": r"\textbraceleft{}",
        "}": r"\textbraceright{}",
        "~": r"\textasciitilde{}",
        "^": r"\textasciicircum{}",
        "$": r"\$",
        "&": r"\&",
        "#": r"\#",
        "%": r"\%",
        "_": r"\_",
        "\xa0": "~",
    }
)
_COMMANDS = {"i": "textit", "b": "textbf", "u": "underline", "sup": "textsuperscript", "sub": "textsubscript"}
_TAG = re.compile(r"<(/?)([A-Za-z_][\w.:-]*)[^<>]*?(/?)>")
_VERBATIM = {"{": "%7B", "}": "%7D", "\\": "%5C", "%": "%25"}


def write(citations: Iterable[Citation]) -> Iterator[str]:
    """Yield one entry at a time, a blank line between two."""
    between = ""
    for citation in citations:
        yield between + entry(citation)
        between = "\n"


def entry(citation: Citation) -> str:
    """Write one entry; a field never leaves its braces or its line."""
    rows = [f"@{_kind(citation)}{{{key(citation)},"]
    rows += [f"  {name} = {value}," for name, value in fields(citation)]
    return "\n".join((*rows, "}", ""))


def key(citation: Citation) -> str:
    return f"pmid{citation.pmid}"


def fields(citation: Citation) -> Iterator[tuple[str, str]]:
    """Yield names and delimited values in order; what is missing is not there."""
    for field, value in _fields(citation):
        if value:
            yield field, f"{{{value}}}"
        if field == "year":
            yield from _month(citation)


def escape(text: str) -> str:
    """Escape what LaTeX would act on; braces stay balanced."""
    return text.translate(_SPECIAL)


def latex(xml: InlineXml | None) -> str:
    """Inline XML as LaTeX: `CO<sub>2</sub>` becomes `CO\\textsubscript{2}`; unknown tags are dropped."""
    if not xml:
        return ""
    out: list[str] = []
    stack: list[str] = []
    at = 0
    for tag in _TAG.finditer(xml):
        out.append(_text(xml[at : tag.start()]))
        at = tag.end()
        closing, called, empty = tag.groups()
        if called not in _COMMANDS or empty:
            continue
        if not closing:
            stack.append(called)
            out.append(f"\\{_COMMANDS[called]}{{")
        elif stack and stack[-1] == called:
            stack.pop()
            out.append("}")
    out.append(_text(xml[at:]))
    return wording.one_line("".join(out) + "}" * len(stack))


def _text(xml: str) -> str:
    """Escape text between tags, keeping a blank at either end, which joins it to its neighbours."""
    middle = escape(wording.one_line(plain(InlineXml(xml))))
    if not middle:
        return " " if xml else ""
    return (" " if xml[:1].isspace() else "") + middle + (" " if xml[-1:].isspace() else "")


def _kind(citation: Citation) -> str:
    if citation.book is not None:
        return "incollection" if wording.is_chapter(citation) else "book"
    return "misc" if notices.is_preprint(citation) else "article"


def _fields(citation: Citation) -> Iterator[tuple[str, str]]:
    book = citation.book
    own = citation.title if citation.title is not None else book.title.text if book is not None else None
    yield (
        "author",
        " and ".join(map(_name, wording.authors(citation))) + ("" if citation.authors_complete else " and others"),
    )
    yield "editor", " and ".join(map(_name, wording.editors(citation)))
    # A second pair of braces keeps capitals (NK, CAR) that bibliography styles would lower.
    title = wording.bare_title(latex(own))
    yield "title", f"{{{title}}}" if title else ""
    journal = citation.journal
    if journal is not None:
        name = escape(wording.one_line(journal.title or journal.medline_ta))
        yield ("howpublished" if notices.is_preprint(citation) else "journal"), name
        yield "shortjournal", escape(wording.one_line(journal.medline_ta))
        yield "volume", escape(wording.one_line(journal.volume))
        yield "number", escape(wording.one_line(journal.issue))
        yield "issn", escape(wording.one_line(journal.issn.value if journal.issn else journal.issn_linking))
    if book is not None:
        yield (
            ("booktitle" if wording.is_chapter(citation) else "series"),
            latex(
                book.title.text
                if wording.is_chapter(citation)
                else book.collection_title and book.collection_title.text
            ),
        )
        yield "publisher", latex(book.publisher)
        yield "address", escape(wording.one_line(book.publisher_location))
        yield "edition", escape(wording.one_line(book.edition))
        yield "isbn", escape(", ".join(map(wording.one_line, book.isbns)))
    date = wording.issued(citation)
    yield "year", str(date.year) if date is not None and date.year is not None else escape(wording.nlm_date(date))
    pages = wording.pages(citation) or wording.location(citation, "pii") or ""
    yield "pages", re.sub(r"(?<=\w)-(?=\w)", "--", escape(pages))
    yield "doi", verbatim(wording.doi(citation) or "")
    yield "url", verbatim(wording.pubmed_url(citation))
    yield "pmid", str(citation.pmid)
    yield "pmcid", escape(wording.one_line(citation.pmcid))
    yield "language", escape(", ".join(map(wording.one_line, citation.languages)))
    yield "keywords", escape(", ".join(wording.keywords(citation)))
    yield (
        "abstract",
        " ".join(
            (escape(wording.one_line(each.label)) + ": " if each.label else "") + latex(each.text)
            for each in (citation.abstract.sections if citation.abstract is not None else ())
        ).strip(),
    )
    yield "note", escape(" ".join(notices.remarks(citation)))


def _month(citation: Citation) -> Iterator[tuple[str, str]]:
    """The month as BibTeX's own macro, so that styles translate it."""
    date = wording.issued(citation)
    month = wording.month_name(date.month) if date is not None and date.year is not None else None
    if month is not None:
        yield "month", month.lower()


def verbatim(text: str) -> str:
    """A DOI or URL as it is, for fields that are not typeset; what would end the field is percent-encoded."""
    return "".join(_VERBATIM.get(c, c) for c in text)


def _name(person: Author) -> str:
    """`Last, Suffix, Fore`; a group, and any part with a comma or an "and" of its own, in braces.

    After a suffix the first name is written even when there is none: `Last, Jr` would be a person called Jr.
    """
    if person.collective_name:
        return f"{{{latex(person.collective_name)}}}"
    first = _guarded(wording.one_line(person.fore_name or person.initials))
    last, suffix = _guarded(wording.one_line(person.last_name)), _guarded(wording.line(person.suffix))
    if last and suffix:
        return f"{last}, {suffix}, {first or '{}'}"
    return ", ".join(part for part in (last or suffix, first) if part)


def _guarded(part: str) -> str:
    text = escape(part)
    return f"{{{text}}}" if "," in part or re.search(r"(?i)(^|\s)and(\s|$)", part) else text
