"""Authors, investigators and people a paper is about."""

from __future__ import annotations

from monitor.core.citation import Affiliation, Author, AuthorList, Identifier, InlineXml, InvestigatorList
from monitor.pubmed.elements import (
    Oddities,
    attribute,
    attributes,
    inline_once,
    keep,
    keep_attribute,
    keep_attributes,
    new,
    text,
    text_with,
    yes,
)
from monitor.pubmed.inline import Element, inline


def author_list(element: Element, odd: Oddities) -> AuthorList:
    complete, kind = attributes(element, odd, "CompleteYN", "Type")
    return AuthorList(people(element, "Author", odd), yes(complete, True, element, "CompleteYN", odd), kind or None)


def investigator_list(element: Element, odd: Oddities) -> InvestigatorList:
    identity = attribute(element, odd, "ID")
    return InvestigatorList(people(element, "Investigator", odd), identity or None)


def people(parent: Element, tag: str, odd: Oddities) -> tuple[Author, ...]:
    """Read Authors, Investigators or PersonalNameSubjects."""
    found = []
    for child in parent[:]:
        if child.tag == tag:
            found.append(_person(child, odd))
        else:
            keep(odd, child)
    return tuple(found)


def _person(element: Element, odd: Oddities) -> Author:
    last = fore = initials = suffix = collective = investigators = None
    identifiers: tuple[Identifier, ...] = ()
    affiliations: tuple[Affiliation, ...] = ()
    valid = True
    equal = None
    for name, value in element.items():
        if name == "ValidYN":
            valid = value == "Y" or yes(value, True, element, "ValidYN", odd)
        elif name == "EqualContrib" and value in ("Y", "N"):
            equal = value == "Y"
        else:
            keep_attribute(odd, element, name, value)
    for child in element[:]:
        tag = child.tag
        if tag == "LastName" and last is None:
            last = text(child, odd)
        elif tag == "ForeName" and fore is None:
            fore = text(child, odd)
        elif tag == "Initials" and initials is None:
            initials = text(child, odd)
        elif tag == "AffiliationInfo":
            affiliations += (_affiliation(child, odd),)
        elif tag == "Identifier":
            identifiers += _identifier(child, odd)
        elif tag == "Suffix":
            suffix = inline_once(suffix, child, odd)
        elif tag == "CollectiveName" and collective is None:
            investigators = attribute(child, odd, "Investigators")
            name = inline(child)
            collective = name if name.strip() else None
        elif tag == "Affiliation":  # before the DTD of 2015 it stood here, without AffiliationInfo
            if child.keys():
                keep_attributes(odd, child)
            affiliations += (Affiliation(inline(child)),)
        else:
            keep(odd, child)
    return new(
        Author,
        (last, fore, initials, suffix, collective, investigators, valid, equal, identifiers, affiliations),
    )


def _affiliation(element: Element, odd: Oddities) -> Affiliation:
    if element.keys():
        keep_attributes(odd, element)
    name: InlineXml | None = None
    identifiers: tuple[Identifier, ...] = ()
    for child in element[:]:
        tag = child.tag
        if tag == "Affiliation":
            name = inline_once(name, child, odd)
        elif tag == "Identifier":
            identifiers += _identifier(child, odd)
        else:
            keep(odd, child)
    return new(Affiliation, (name or InlineXml(""), identifiers))


def _identifier(element: Element, odd: Oddities) -> tuple[Identifier, ...]:
    value, source = text_with(element, odd, "Source")
    if value is None or source is None:
        keep(odd, element)
        return ()
    return (Identifier(source, value),)
