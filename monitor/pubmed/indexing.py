"""What indexers, funders and NLM attach to a paper: MeSH, chemicals, data banks, grants, corrections."""

from __future__ import annotations

from typing import Any

from monitor.core.citation import Chemical, Correction, DataBank, Grant, MeshHeading, MeshTerm, SupplementaryConcept
from monitor.pubmed.elements import (
    Oddities,
    attribute,
    attributes,
    keep,
    keep_attribute,
    keep_attributes,
    new,
    number,
    once,
    text_with,
    texts,
    yes,
)
from monitor.pubmed.inline import Element


def data_banks(element: Element, parts: dict[str, Any], odd: Oddities) -> None:
    complete = attribute(element, odd, "CompleteYN")
    found = []
    for child in element[:]:
        if child.tag != "DataBank":
            keep(odd, child)
            continue
        if child.keys():
            keep_attributes(odd, child)
        name = None
        accessions: tuple[str, ...] = ()
        for part in child[:]:
            if part.tag == "DataBankName":
                name = once(name, part, odd)
            elif part.tag == "AccessionNumberList":
                if part.keys():
                    keep_attributes(odd, part)
                accessions += texts(part, "AccessionNumber", odd)
            else:
                keep(odd, part)
        if name is None:
            keep(odd, child)
        else:
            found.append(DataBank(name, accessions))
    parts["data_banks"] = parts.get("data_banks", ()) + tuple(found)
    whole = yes(complete, True, element, "CompleteYN", odd)
    parts["data_banks_complete"] = whole and parts.get("data_banks_complete", True)


def grant_list(element: Element, parts: dict[str, Any], odd: Oddities) -> None:
    complete = attribute(element, odd, "CompleteYN")
    found = []
    for child in element[:]:
        if child.tag != "Grant":
            keep(odd, child)
            continue
        if child.keys():
            keep_attributes(odd, child)
        number_, acronym, agency, country = None, None, None, None
        for part in child[:]:
            tag = part.tag
            if tag == "GrantID":
                number_ = once(number_, part, odd)
            elif tag == "Acronym":
                acronym = once(acronym, part, odd)
            elif tag == "Agency":
                agency = once(agency, part, odd)
            elif tag == "Country":
                country = once(country, part, odd)
            else:
                keep(odd, part)
        found.append(Grant(number_, acronym, agency, country))
    parts["grants"] = parts.get("grants", ()) + tuple(found)
    whole = yes(complete, True, element, "CompleteYN", odd)
    parts["grants_complete"] = whole and parts.get("grants_complete", True)


def chemicals(element: Element, odd: Oddities) -> list[Chemical]:
    if element.keys():
        keep_attributes(odd, element)
    found = []
    for child in element[:]:
        if child.tag != "Chemical":
            keep(odd, child)
            continue
        if child.keys():
            keep_attributes(odd, child)
        registry = ui = name = None
        for part in child[:]:
            if part.tag == "RegistryNumber":
                registry = once(registry, part, odd)
            elif part.tag == "NameOfSubstance" and name is None:
                name, ui = text_with(part, odd, "UI")
            else:
                keep(odd, part)
        if registry is None or name is None:
            keep(odd, child)
        else:
            found.append(Chemical(registry, ui or None, name))
    return found


def supplementary_concepts(element: Element, odd: Oddities) -> list[SupplementaryConcept]:
    if element.keys():
        keep_attributes(odd, element)
    found = []
    for child in element[:]:
        if child.tag != "SupplMeshName":
            keep(odd, child)
            continue
        kind, ui = attributes(child, odd, "Type", "UI")
        name = "".join(child.itertext()).strip()
        if not name or len(child):
            keep(odd, child)
        if name:
            found.append(SupplementaryConcept(kind or None, ui or None, name))
    return found


def mesh_headings(element: Element, odd: Oddities) -> list[MeshHeading]:
    if element.keys():
        keep_attributes(odd, element)
    found = []
    for child in element[:]:
        if child.tag != "MeshHeading":
            keep(odd, child)
            continue
        if child.keys():
            keep_attributes(odd, child)
        descriptor = None
        qualifiers = []
        for part in child[:]:
            tag = part.tag
            if tag == "QualifierName":
                if (qualifier := _mesh_term(part, odd)) is not None:
                    qualifiers.append(qualifier)
            elif tag == "DescriptorName" and descriptor is None:
                descriptor = _mesh_term(part, odd)
            else:
                keep(odd, part)
        if descriptor is None:
            keep(odd, child)
        else:
            found.append(new(MeshHeading, (descriptor, tuple(qualifiers))))
    return found


def _mesh_term(element: Element, odd: Oddities) -> MeshTerm | None:
    ui = kind = automatic = None
    major = False
    for name, value in element.items():
        if name == "UI":
            ui = value or None
        elif name == "MajorTopicYN":
            major = value == "Y" or yes(value, False, element, "MajorTopicYN", odd)
        elif name == "Type":
            kind = value or None
        elif name == "AutoHM":
            automatic = value or None
        else:
            keep_attribute(odd, element, name, value)
    said = element.text
    words = said.strip() if said else ""
    if not words or len(element):
        keep(odd, element)
        return None
    return new(MeshTerm, (ui, words, major, kind, automatic))


def corrections(element: Element, odd: Oddities) -> list[Correction]:
    if element.keys():
        keep_attributes(odd, element)
    found = []
    for child in element[:]:
        kind: str | None = None
        if child.tag == "CommentsCorrections":
            kind = attribute(child, odd, "RefType")
        if kind is None:
            keep(odd, child)
            continue
        source = note = None
        pmid = version = None
        for part in child[:]:
            tag = part.tag
            if tag == "RefSource":
                source = once(source, part, odd)
            elif tag == "PMID" and pmid is None:
                value, given = text_with(part, odd, "Version")
                pmid = number(value) or None
                version = number(given) or None
                if (value and not pmid) or (given and (not version or not pmid)):
                    keep(odd, part)
            elif tag == "Note":
                note = once(note, part, odd)
            else:
                keep(odd, part)
        found.append(Correction(kind, source, pmid, version if pmid else None, note))
    return found
