"""A `PubmedArticle` as a `Citation`: one pass over the children of each element, in the order of the DTD."""

from __future__ import annotations

from typing import Any

from monitor.core.citation import (
    Abstract,
    AbstractSection,
    ArticleDate,
    Citation,
    GeneralNote,
    InlineXml,
    Issn,
    Journal,
    OtherAbstract,
    OtherId,
    Pagination,
    Parameter,
    PublicationType,
    PubmedObject,
    Unknown,
)
from monitor.pubmed.dates import date_once, history, partial_date
from monitor.pubmed.elements import (
    Oddities,
    article_ids,
    attribute,
    attributes,
    elocation,
    inline_once,
    keep,
    keep_attribute,
    keep_attributes,
    keyword_list,
    number,
    once,
    place,
    reference_list,
    text,
    text_with,
    texts,
)
from monitor.pubmed.indexing import (
    chemicals,
    corrections,
    data_banks,
    grant_list,
    mesh_headings,
    supplementary_concepts,
)
from monitor.pubmed.inline import Element, Unreadable, inline
from monitor.pubmed.people import author_list, investigator_list, people

_JOURNAL_INFO = {
    "Country": "country",
    "MedlineTA": "medline_ta",
    "NlmUniqueID": "nlm_unique_id",
    "ISSNLinking": "issn_linking",
}

Parts = dict[str, Any]
"""Fields of `Citation` as they are found."""


def article(element: Element) -> Citation:
    """Read a `PubmedArticle`, or a bare `MedlineCitation` of the older `MedlineCitationSet`."""
    odd: Oddities = []
    parts: Parts = {}
    if element.tag == "MedlineCitation":
        _medline_citation(element, parts, odd)
    else:
        if element.keys():
            keep_attributes(odd, element)
        for child in element[:]:
            if child.tag == "MedlineCitation" and "pmid" not in parts:
                _medline_citation(child, parts, odd)
            elif child.tag == "PubmedData":
                pubmed_data(child, parts, odd)
            else:
                keep(odd, child)
    return finish(parts, odd)


def finish(parts: Parts, odd: Oddities) -> Citation:
    """Make the citation; a record without a usable PMID is unreadable."""
    if "pmid" not in parts:
        raise Unreadable("no PMID, or one that is not a number")
    if odd:
        parts["unknown"] = tuple(odd)
    return Citation(**parts)


def identity(element: Element, parts: Parts, odd: Oddities) -> None:
    """Take PMID and Version from the record's own PMID element."""
    value, version = text_with(element, odd, "Version")
    pmid = number(value)
    if "pmid" in parts or not pmid:
        keep(odd, element)
        return
    parts["pmid"] = pmid
    if version is not None:
        parts["version"] = number(version) or 1
        if not number(version):
            odd.append(Unknown(f"{place(element)}/@Version", version))


def pubmed_data(element: Element, parts: Parts, odd: Oddities) -> None:
    """Read `PubmedData` or `PubmedBookData`."""
    if element.keys():
        keep_attributes(odd, element)
    for child in element[:]:
        tag = child.tag
        if tag == "History":
            parts["history"] = parts.get("history", ()) + history(child, odd)
        elif tag == "PublicationStatus":
            parts["publication_status"] = once(parts.get("publication_status"), child, odd)
        elif tag == "ArticleIdList":
            parts["article_ids"] = parts.get("article_ids", ()) + article_ids(child, odd)
        elif tag == "ReferenceList":
            parts["reference_lists"] = (*parts.get("reference_lists", ()), reference_list(child, odd))
        elif tag == "ObjectList":
            parts["objects"] = parts.get("objects", ()) + _objects(child, odd)
        else:
            keep(odd, child)


def _objects(element: Element, odd: Oddities) -> tuple[PubmedObject, ...]:
    if element.keys():
        keep_attributes(odd, element)
    found = []
    for child in element[:]:
        if child.tag != "Object":
            keep(odd, child)
            continue
        kind = attribute(child, odd, "Type")
        parameters = []
        for part in child[:]:
            if part.tag != "Param":
                keep(odd, part)
                continue
            name = attribute(part, odd, "Name")
            parameters.append(Parameter(name, inline(part)))
        found.append(PubmedObject(kind, tuple(parameters)))
    return tuple(found)


def _medline_citation(element: Element, parts: Parts, odd: Oddities) -> None:
    parts["owner"] = "NLM"
    for name, value in element.items():
        if name == "Status":
            parts["status"] = value
        elif name == "Owner":
            parts["owner"] = value
        elif name == "IndexingMethod":
            parts["indexing_method"] = value
        elif name == "VersionID":
            parts["version_id"] = value
        elif name == "VersionDate":
            parts["version_date"] = value
        else:
            keep_attribute(odd, element, name, value)
    journal: Parts = {}
    many: dict[str, list[Any]] = {}
    for child in element[:]:
        tag = child.tag
        if tag == "PMID":
            identity(child, parts, odd)
        elif tag == "DateCompleted":
            parts["completed_on"] = date_once(parts.get("completed_on"), child, odd)
        elif tag == "DateRevised":
            parts["revised_on"] = date_once(parts.get("revised_on"), child, odd)
        elif tag == "Article":
            if "languages" in parts:
                keep(odd, child)
            else:
                _article(child, parts, journal, odd)
        elif tag == "MedlineJournalInfo":
            _journal_info(child, journal, odd)
        elif tag == "MeshHeadingList":
            many.setdefault("mesh_headings", []).extend(mesh_headings(child, odd))
        elif tag == "CitationSubset":
            if subset := text(child, odd):
                many.setdefault("citation_subsets", []).append(subset)
        elif tag == "ChemicalList":
            many.setdefault("chemicals", []).extend(chemicals(child, odd))
        elif tag == "KeywordList":
            many.setdefault("keyword_lists", []).append(keyword_list(child, odd))
        elif tag == "CommentsCorrectionsList":
            many.setdefault("corrections", []).extend(corrections(child, odd))
        elif tag == "CoiStatement":
            parts["coi_statement"] = inline_once(parts.get("coi_statement"), child, odd)
        elif tag == "OtherAbstract":
            many.setdefault("other_abstracts", []).extend(_other_abstract(child, odd))
        elif tag == "SupplMeshList":
            many.setdefault("supplementary_concepts", []).extend(supplementary_concepts(child, odd))
        elif tag == "NumberOfReferences":
            parts["number_of_references"] = once(parts.get("number_of_references"), child, odd)
        elif tag == "OtherID":
            other, source = text_with(child, odd, "Source")
            if other is None or source is None:
                keep(odd, child)
            else:
                many.setdefault("other_ids", []).append(OtherId(source, other))
        elif tag == "GeneralNote":
            note, owner = text_with(child, odd, "Owner")
            if note is not None:
                many.setdefault("general_notes", []).append(GeneralNote(note, owner or "NLM"))
            elif owner is not None:
                keep(odd, child)
        elif tag == "InvestigatorList":
            many.setdefault("investigator_lists", []).append(investigator_list(child, odd))
        elif tag == "SpaceFlightMission":
            if mission := text(child, odd):
                many.setdefault("space_flight_missions", []).append(mission)
        elif tag == "GeneSymbolList":
            if child.keys():
                keep_attributes(odd, child)
            many.setdefault("gene_symbols", []).extend(texts(child, "GeneSymbol", odd))
        elif tag == "PersonalNameSubjectList":
            if child.keys():
                keep_attributes(odd, child)
            many.setdefault("personal_name_subjects", []).extend(people(child, "PersonalNameSubject", odd))
        else:
            keep(odd, child)
    for field, values in many.items():
        parts[field] = tuple(values)
    if journal:
        parts["journal"] = Journal(**journal)


def _article(element: Element, parts: Parts, journal: Parts, odd: Oddities) -> None:
    parts["pub_model"] = attribute(element, odd, "PubModel")
    title = vernacular = None
    languages: list[str] = []
    for child in element[:]:
        tag = child.tag
        if tag == "Journal":
            _journal(child, journal, odd)
        elif tag == "ArticleTitle":
            title = inline_once(title, child, odd)
        elif tag == "Pagination" and "pagination" not in parts:
            parts["pagination"] = pagination(child, odd)
        elif tag == "ELocationID":
            parts["elocations"] = parts.get("elocations", ()) + elocation(child, odd)
        elif tag == "Abstract" and "abstract" not in parts:
            parts["abstract"] = abstract(child, odd)
        elif tag == "AuthorList":
            parts["author_lists"] = (*parts.get("author_lists", ()), author_list(child, odd))
        elif tag == "Language":
            if language := text(child, odd):
                languages.append(language)
        elif tag == "PublicationTypeList":
            if child.keys():
                keep_attributes(odd, child)
            found = parts.get("publication_types", ())
            for each in child[:]:
                if each.tag == "PublicationType":
                    found += publication_type(each, odd)
                else:
                    keep(odd, each)
            parts["publication_types"] = found
        elif tag == "ArticleDate":
            parts["article_dates"] = parts.get("article_dates", ()) + _article_date(child, odd)
        elif tag == "VernacularTitle":
            vernacular = inline_once(vernacular, child, odd)
        elif tag == "DataBankList":
            data_banks(child, parts, odd)
        elif tag == "GrantList":
            grant_list(child, parts, odd)
        else:
            keep(odd, child)
    parts["title"] = title
    parts["vernacular_title"] = vernacular
    parts["languages"] = tuple(languages)


def _journal(element: Element, journal: Parts, odd: Oddities) -> None:
    if element.keys():
        keep_attributes(odd, element)
    for child in element[:]:
        tag = child.tag
        if tag == "ISSN":
            value, kind = text_with(child, odd, "IssnType")
            if value is None or kind is None or "issn" in journal:
                keep(odd, child)
            else:
                journal["issn"] = Issn(value, kind)
        elif tag == "JournalIssue":
            _journal_issue(child, journal, odd)
        elif tag == "Title":
            journal["title"] = once(journal.get("title"), child, odd)
        elif tag == "ISOAbbreviation":
            journal["iso_abbreviation"] = once(journal.get("iso_abbreviation"), child, odd)
        else:
            keep(odd, child)


def _journal_issue(element: Element, journal: Parts, odd: Oddities) -> None:
    for name, value in element.items():
        if name == "CitedMedium" and "cited_medium" not in journal:
            journal["cited_medium"] = value
        else:
            keep_attribute(odd, element, name, value)
    for child in element[:]:
        tag = child.tag
        if tag == "Volume":
            journal["volume"] = once(journal.get("volume"), child, odd)
        elif tag == "Issue":
            journal["issue"] = once(journal.get("issue"), child, odd)
        elif tag == "PubDate":
            journal["pub_date"] = date_once(journal.get("pub_date"), child, odd)
        else:
            keep(odd, child)


def _journal_info(element: Element, journal: Parts, odd: Oddities) -> None:
    if element.keys():
        keep_attributes(odd, element)
    for child in element[:]:
        field = _JOURNAL_INFO.get(child.tag)
        if field is None or field in journal:
            keep(odd, child)
        else:
            journal[field] = text(child, odd)


def pagination(element: Element, odd: Oddities) -> Pagination | None:
    if element.keys():
        keep_attributes(odd, element)
    start = end = medline = None
    for child in element[:]:
        tag = child.tag
        if tag == "MedlinePgn":
            medline = once(medline, child, odd)
        elif tag == "StartPage":
            start = once(start, child, odd)
        elif tag == "EndPage":
            end = once(end, child, odd)
        else:
            keep(odd, child)
    return None if start is None and end is None and medline is None else Pagination(start, end, medline)


def abstract(element: Element, odd: Oddities) -> Abstract | None:
    """Read an abstract; one without any text or label is none."""
    if element.keys():
        keep_attributes(odd, element)
    sections, rights = _sections(element, odd)
    return Abstract(sections, rights) if sections or rights else None


def _sections(element: Element, odd: Oddities) -> tuple[tuple[AbstractSection, ...], str | None]:
    sections = []
    rights = None
    for child in element[:]:
        tag = child.tag
        if tag == "AbstractText":
            label = category = None
            for name, value in child.items():
                if name == "Label":
                    label = value or None
                elif name == "NlmCategory":
                    category = value or None
                else:
                    keep_attribute(odd, child, name, value)
            words = inline(child)
            if words.isspace():
                words = InlineXml("")
            if words or label or category:
                sections.append(AbstractSection(words, label, category))
        elif tag == "CopyrightInformation":
            rights = once(rights, child, odd)
        else:
            keep(odd, child)
    return tuple(sections), rights


def _other_abstract(element: Element, odd: Oddities) -> tuple[OtherAbstract, ...]:
    kind, language = attributes(element, odd, "Type", "Language")
    if kind is None:
        keep(odd, element)
        return ()
    sections, rights = _sections(element, odd)
    return (OtherAbstract(sections, kind, language or "eng", rights),)


def publication_type(element: Element, odd: Oddities) -> tuple[PublicationType, ...]:
    name, ui = text_with(element, odd, "UI")
    if name is None:
        keep(odd, element)
        return ()
    return (PublicationType(ui or None, name),)


def _article_date(element: Element, odd: Oddities) -> tuple[ArticleDate, ...]:
    when = partial_date(element, odd, "DateType")
    kind = element.get("DateType")
    return (ArticleDate(when, str(kind) if kind else "Electronic"),) if when is not None else ()
