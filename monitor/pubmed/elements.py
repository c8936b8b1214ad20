"""The parts that articles and books share: oddities, text, ids, keywords, references.

Every function takes an element and the list that collects oddities: nothing that PubMed sent is
dropped, what has no place in `Citation` goes to `Citation.unknown`. Children are taken as a slice, which lxml
makes in less than half the time of an iterator.
"""

from __future__ import annotations

from typing import Final

from monitor.core.citation import (
    ArticleId,
    ELocation,
    InlineXml,
    Keyword,
    KeywordList,
    Reference,
    ReferenceList,
    Unknown,
)
from monitor.pubmed.inline import Element, inline, too_deep, whole

Oddities = list[Unknown]

DEEPEST: Final = 100
"""Reference lists and book sections nest by the DTD without bound; real ones stop at three."""

new: Final = tuple.__new__
"""Makes a named tuple without the detour through its `__new__`; worth a tenth of the whole time."""

# ---- oddities


def place(element: Element) -> str:
    """Where an element stands in its record: `MedlineCitation/Article/Foo`."""
    names = [element.tag, *(each.tag for each in element.iterancestors())]
    names.pop()  # the set
    if len(names) > 1 and names[-1] in ("PubmedArticle", "PubmedBookArticle"):
        names.pop()
    return "/".join(reversed(names))


def keep(odd: Oddities, element: Element) -> None:
    """File an element that has no place in `Citation`, whole."""
    odd.append(Unknown(place(element), whole(element)))


def keep_attribute(odd: Oddities, element: Element, name: str, value: str) -> None:
    odd.append(Unknown(f"{place(element)}/@{name}", value))


def keep_attributes(odd: Oddities, element: Element) -> None:
    """File attributes of an element that should have none."""
    for name, value in element.items():
        keep_attribute(odd, element, name, value)


def attributes(element: Element, odd: Oddities, *known: str) -> list[str | None]:
    """Values of the known attributes in that order; the others are filed."""
    found: list[str | None] = [None] * len(known)
    for name, value in element.items():
        if name in known:
            found[known.index(name)] = value
        else:
            keep_attribute(odd, element, name, value)
    return found


def attribute(element: Element, odd: Oddities, known: str) -> str | None:
    """Value of the one known attribute; the others are filed."""
    found = None
    for name, value in element.items():
        if name == known:
            found = value
        else:
            keep_attribute(odd, element, name, value)
    return found


def yes(value: str | None, default: bool, element: Element, name: str, odd: Oddities) -> bool:
    """Read a `Y`/`N` attribute; anything else is filed and the DTD's default holds."""
    if value == "Y":
        return True
    if value == "N":
        return False
    if value is not None:
        keep_attribute(odd, element, name, value)
    return default


# ---- text


def text(element: Element, odd: Oddities) -> str | None:
    """Plain text of a leaf without white space at its ends, None when empty; inner elements are filed as well."""
    if element.keys():
        keep_attributes(odd, element)
    if len(element):
        return plain_text(element, odd)
    value = element.text
    return (value.strip() or None) if value else None


def plain_text(element: Element, odd: Oddities) -> str | None:
    if len(element):
        keep(odd, element)
        return "".join(element.itertext()).strip() or None
    value = element.text
    return (value.strip() or None) if value else None


def text_with(element: Element, odd: Oddities, known: str) -> tuple[str | None, str | None]:
    """Plain text of a leaf and its one attribute."""
    found = attribute(element, odd, known)
    if len(element):
        return plain_text(element, odd), found
    value = element.text
    return (value.strip() or None) if value else None, found


def once(held: str | None, element: Element, odd: Oddities) -> str | None:
    """Plain text of a leaf that may stand once; a repetition is filed and the first one holds."""
    if held is not None:
        keep(odd, element)
        return held
    if element.keys() or len(element):
        return text(element, odd)
    value = element.text
    return (value.strip() or None) if value else None


def inline_once(held: InlineXml | None, element: Element, odd: Oddities) -> InlineXml | None:
    """Inner XML of a mixed leaf that may stand once; None when empty."""
    if held is not None:
        keep(odd, element)
        return held
    if element.keys():
        keep_attributes(odd, element)
    found = inline(element)
    return found if found.strip() else None


def texts(parent: Element, tag: str, odd: Oddities) -> tuple[str, ...]:
    """Plain texts of the children of a list that holds only `tag`; empty ones say nothing and are left out."""
    found = []
    for child in parent[:]:
        if child.tag == tag:
            value = text(child, odd)
            if value:
                found.append(value)
        else:
            keep(odd, child)
    return tuple(found)


def number(value: str | None, largest: int = 2_147_483_647) -> int | None:
    """A whole number in ASCII digits, or None."""
    if value is None:
        return None
    value = value.strip()
    if not value.isascii() or not value.isdigit() or len(value) > 10:
        return None
    found = int(value)
    return found if found <= largest else None


# ---- ids


def elocation(element: Element, odd: Oddities) -> tuple[ELocation, ...]:
    kind, valid = attributes(element, odd, "EIdType", "ValidYN")
    value = plain_text(element, odd)
    if kind is None or value is None:
        keep(odd, element)
        return ()
    return (ELocation(value, kind, yes(valid, True, element, "ValidYN", odd)),)


def article_ids(element: Element, odd: Oddities) -> tuple[ArticleId, ...]:
    """Read one ArticleIdList; whose ids they are is for the caller to know."""
    if element.keys():
        keep_attributes(odd, element)
    found = []
    for child in element[:]:
        if child.tag != "ArticleId" or len(child):
            keep(odd, child)
            continue
        kind = "pubmed"
        for name, given in child.items():
            if name == "IdType":
                kind = given
            else:
                keep_attribute(odd, child, name, given)
        value = child.text
        if value:
            value = value.strip()
        if value:
            found.append(new(ArticleId, (value, kind)))
        elif child.keys():
            keep(odd, child)
    return tuple(found)


def keyword_list(element: Element, odd: Oddities) -> KeywordList:
    owner = attribute(element, odd, "Owner")
    found = []
    for child in element[:]:
        if child.tag != "Keyword":
            keep(odd, child)
            continue
        major = attribute(child, odd, "MajorTopicYN")
        value = inline(child)
        if value.strip():
            found.append(Keyword(value, yes(major, False, child, "MajorTopicYN", odd)))
    return KeywordList(tuple(found), owner or "NLM")


# ---- references


def reference_list(element: Element, odd: Oddities, depth: int = 0) -> ReferenceList:
    """Read a reference list, which may hold further ones."""
    if depth > DEEPEST:
        raise too_deep("reference lists")
    if element.keys():
        keep_attributes(odd, element)
    title = None
    references = []
    lists = []
    for child in element[:]:
        tag = child.tag
        if tag == "Reference":
            if child.keys():
                keep_attributes(odd, child)
            cited = None
            ids: tuple[ArticleId, ...] = ()
            for part in child[:]:
                tag = part.tag
                if tag == "Citation":
                    cited = inline_once(cited, part, odd)
                elif tag == "ArticleIdList":
                    ids += article_ids(part, odd)
                else:
                    keep(odd, part)
            references.append(new(Reference, (cited, ids)))
        elif tag == "ReferenceList":
            lists.append(reference_list(child, odd, depth + 1))
        elif tag == "Title":
            title = once(title, child, odd)
        else:
            keep(odd, child)
    return ReferenceList(tuple(references), title, tuple(lists))
