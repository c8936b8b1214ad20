"""A `PubmedArticle` as a `Citation`: one pass over the children of each element, in the order of the DTD."""

from __future__ import annotations

from typing import Any

from lxml.etree import _Element

from monitor.core.citation import (
    Abstract,
    AbstractSection,
    ArticleDate,
    Chemical,
    Citation,
    Correction,
    DataBank,
    GeneralNote,
    Grant,
    Issn,
    Journal,
    MeshHeading,
    MeshTerm,
    OtherAbstract,
    OtherId,
    Pagination,
    Parameter,
    PublicationType,
    PubmedObject,
    SupplementaryConcept,
    Unknown,
)
from monitor.pubmed.elements import (
    Oddities,
    article_ids,
    attributes,
    author_list,
    date_once,
    elocation,
    history,
    inline_once,
    investigator_list,
    keep,
    keep_attributes,
    keyword_list,
    number,
    once,
    partial_date,
    people,
    reference_list,
    text,
    text_with,
    texts,
    yes,
)
from monitor.pubmed.inline import Unreadable, inline

Parts = dict[str, Any]
"""Fields of `Citation` as they are found."""


def article(element: _Element) -> Citation:
    """Read a `PubmedArticle`, or a bare `MedlineCitation` of the older `MedlineCitationSet`."""
    odd: Oddities = []
    parts: Parts = {}
    if element.tag == "MedlineCitation":
        _medline_citation(element, parts, odd)
    else:
        if element.keys():
            keep_attributes(odd, "PubmedArticle", element)
        for child in element:
            if child.tag == "MedlineCitation" and "pmid" not in parts:
                _medline_citation(child, parts, odd)
            elif child.tag == "PubmedData":
                pubmed_data(child, parts, odd)
            else:
                keep(odd, "PubmedArticle", child)
    return finish(parts, odd)


def finish(parts: Parts, odd: Oddities) -> Citation:
    """Make the citation; a record without a usable PMID is unreadable."""
    if "pmid" not in parts:
        raise Unreadable("no PMID, or one that is not a number")
    if odd:
        parts["unknown"] = tuple(odd)
    return Citation(**parts)


def identity(element: _Element, path: str, parts: Parts, odd: Oddities) -> None:
    """Take PMID and Version from the record's own PMID element."""
    value, version = text_with(element, path, odd, "Version")
    pmid = number(value)
    if "pmid" in parts or not pmid:
        keep(odd, path, element)
        return
    parts["pmid"] = pmid
    if version is not None:
        parts["version"] = number(version) or 1
        if not number(version):
            odd.append(Unknown(f"{path}/PMID/@Version", version))


def pubmed_data(element: _Element, parts: Parts, odd: Oddities) -> None:
    """Read `PubmedData` or `PubmedBookData`."""
    path = str(element.tag)
    if element.keys():
        keep_attributes(odd, path, element)
    for child in element:
        tag = child.tag
        if tag == "History":
            parts["history"] = parts.get("history", ()) + history(child, path, odd)
        elif tag == "PublicationStatus":
            parts["publication_status"] = once(parts.get("publication_status"), child, path, odd)
        elif tag == "ArticleIdList":
            parts["article_ids"] = parts.get("article_ids", ()) + article_ids(child, path, odd)
        elif tag == "ReferenceList":
            parts["reference_lists"] = (*parts.get("reference_lists", ()), reference_list(child, path, odd))
        elif tag == "ObjectList":
            parts["objects"] = parts.get("objects", ()) + _objects(child, path, odd)
        else:
            keep(odd, path, child)


def _objects(element: _Element, path: str, odd: Oddities) -> tuple[PubmedObject, ...]:
    path = f"{path}/ObjectList"
    if element.keys():
        keep_attributes(odd, path, element)
    found = []
    for child in element:
        if child.tag != "Object":
            keep(odd, path, child)
            continue
        inner = f"{path}/Object"
        (kind,) = attributes(child, inner, odd, "Type")
        parameters = []
        for part in child:
            if part.tag != "Param":
                keep(odd, inner, part)
                continue
            (name,) = attributes(part, f"{inner}/Param", odd, "Name")
            parameters.append(Parameter(name, inline(part)))
        found.append(PubmedObject(kind, tuple(parameters)))
    return tuple(found)


def _medline_citation(element: _Element, parts: Parts, odd: Oddities) -> None:
    path = "MedlineCitation"
    parts["owner"] = "NLM"
    for name, value in element.items():
        if name == "Status":
            parts["status"] = str(value)
        elif name == "Owner":
            parts["owner"] = str(value)
        elif name == "IndexingMethod":
            parts["indexing_method"] = str(value)
        elif name == "VersionID":
            parts["version_id"] = str(value)
        elif name == "VersionDate":
            parts["version_date"] = str(value)
        else:
            odd.append(Unknown(f"{path}/@{name}", str(value)))
    journal: Parts = {}
    many: dict[str, list[Any]] = {}
    for child in element:
        tag = child.tag
        if tag == "PMID":
            identity(child, path, parts, odd)
        elif tag == "DateCompleted":
            parts["completed_on"] = date_once(parts.get("completed_on"), child, path, odd)
        elif tag == "DateRevised":
            parts["revised_on"] = date_once(parts.get("revised_on"), child, path, odd)
        elif tag == "Article":
            if "languages" in parts:
                keep(odd, path, child)
            else:
                _article(child, parts, journal, odd)
        elif tag == "MedlineJournalInfo":
            _journal_info(child, journal, odd)
        elif tag == "MeshHeadingList":
            many.setdefault("mesh_headings", []).extend(_mesh_headings(child, path, odd))
        elif tag == "CitationSubset":
            if subset := text(child, path, odd):
                many.setdefault("citation_subsets", []).append(subset)
        elif tag == "ChemicalList":
            many.setdefault("chemicals", []).extend(_chemicals(child, path, odd))
        elif tag == "KeywordList":
            many.setdefault("keyword_lists", []).append(keyword_list(child, path, odd))
        elif tag == "CommentsCorrectionsList":
            many.setdefault("corrections", []).extend(_corrections(child, path, odd))
        elif tag == "CoiStatement":
            parts["coi_statement"] = inline_once(parts.get("coi_statement"), child, path, odd)
        elif tag == "OtherAbstract":
            many.setdefault("other_abstracts", []).extend(_other_abstract(child, path, odd))
        elif tag == "SupplMeshList":
            many.setdefault("supplementary_concepts", []).extend(_supplementary_concepts(child, path, odd))
        elif tag == "NumberOfReferences":
            parts["number_of_references"] = once(parts.get("number_of_references"), child, path, odd)
        elif tag == "OtherID":
            value, source = text_with(child, path, odd, "Source")
            if value is None or source is None:
                keep(odd, path, child)
            else:
                many.setdefault("other_ids", []).append(OtherId(source, value))
        elif tag == "GeneralNote":
            value, owner = text_with(child, path, odd, "Owner")
            if value is not None:
                many.setdefault("general_notes", []).append(GeneralNote(value, owner or "NLM"))
            elif owner is not None:
                keep(odd, path, child)
        elif tag == "InvestigatorList":
            many.setdefault("investigator_lists", []).append(investigator_list(child, path, odd))
        elif tag == "SpaceFlightMission":
            if mission := text(child, path, odd):
                many.setdefault("space_flight_missions", []).append(mission)
        elif tag == "GeneSymbolList":
            if child.keys():
                keep_attributes(odd, f"{path}/{tag}", child)
            many.setdefault("gene_symbols", []).extend(texts(child, "GeneSymbol", f"{path}/{tag}", odd))
        elif tag == "PersonalNameSubjectList":
            inner = f"{path}/{tag}"
            if child.keys():
                keep_attributes(odd, inner, child)
            many.setdefault("personal_name_subjects", []).extend(people(child, "PersonalNameSubject", inner, odd))
        else:
            keep(odd, path, child)
    for field, values in many.items():
        parts[field] = tuple(values)
    if journal:
        parts["journal"] = Journal(**journal)


def _article(element: _Element, parts: Parts, journal: Parts, odd: Oddities) -> None:
    path = "MedlineCitation/Article"
    (parts["pub_model"],) = attributes(element, path, odd, "PubModel")
    title = vernacular = None
    languages: list[str] = []
    for child in element:
        tag = child.tag
        if tag == "Journal":
            _journal(child, journal, odd)
        elif tag == "ArticleTitle":
            title = inline_once(title, child, path, odd)
        elif tag == "Pagination" and "pagination" not in parts:
            parts["pagination"] = pagination(child, path, odd)
        elif tag == "ELocationID":
            parts["elocations"] = parts.get("elocations", ()) + elocation(child, path, odd)
        elif tag == "Abstract" and "abstract" not in parts:
            parts["abstract"] = abstract(child, path, odd)
        elif tag == "AuthorList":
            parts["author_lists"] = (*parts.get("author_lists", ()), author_list(child, path, odd))
        elif tag == "Language":
            if language := text(child, path, odd):
                languages.append(language)
        elif tag == "PublicationTypeList":
            inner = f"{path}/{tag}"
            if child.keys():
                keep_attributes(odd, inner, child)
            found = parts.get("publication_types", ())
            for each in child:
                if each.tag == "PublicationType":
                    found += publication_type(each, inner, odd)
                else:
                    keep(odd, inner, each)
            parts["publication_types"] = found
        elif tag == "ArticleDate":
            parts["article_dates"] = parts.get("article_dates", ()) + _article_date(child, path, odd)
        elif tag == "VernacularTitle":
            vernacular = inline_once(vernacular, child, path, odd)
        elif tag == "DataBankList":
            _data_banks(child, path, parts, odd)
        elif tag == "GrantList":
            grant_list(child, path, parts, odd)
        else:
            keep(odd, path, child)
    parts["title"] = title
    parts["vernacular_title"] = vernacular
    parts["languages"] = tuple(languages)


def _journal(element: _Element, journal: Parts, odd: Oddities) -> None:
    path = "MedlineCitation/Article/Journal"
    if element.keys():
        keep_attributes(odd, path, element)
    for child in element:
        tag = child.tag
        if tag == "ISSN":
            value, kind = text_with(child, path, odd, "IssnType")
            if value is None or kind is None or "issn" in journal:
                keep(odd, path, child)
            else:
                journal["issn"] = Issn(value, kind)
        elif tag == "JournalIssue":
            _journal_issue(child, path, journal, odd)
        elif tag == "Title":
            journal["title"] = once(journal.get("title"), child, path, odd)
        elif tag == "ISOAbbreviation":
            journal["iso_abbreviation"] = once(journal.get("iso_abbreviation"), child, path, odd)
        else:
            keep(odd, path, child)


def _journal_issue(element: _Element, path: str, journal: Parts, odd: Oddities) -> None:
    path = f"{path}/JournalIssue"
    for name, value in element.items():
        if name == "CitedMedium" and "cited_medium" not in journal:
            journal["cited_medium"] = str(value)
        else:
            odd.append(Unknown(f"{path}/@{name}", str(value)))
    for child in element:
        tag = child.tag
        if tag == "Volume":
            journal["volume"] = once(journal.get("volume"), child, path, odd)
        elif tag == "Issue":
            journal["issue"] = once(journal.get("issue"), child, path, odd)
        elif tag == "PubDate":
            journal["pub_date"] = date_once(journal.get("pub_date"), child, path, odd)
        else:
            keep(odd, path, child)


def _journal_info(element: _Element, journal: Parts, odd: Oddities) -> None:
    path = "MedlineCitation/MedlineJournalInfo"
    if element.keys():
        keep_attributes(odd, path, element)
    for child in element:
        tag = child.tag
        if tag == "Country":
            journal["country"] = once(journal.get("country"), child, path, odd)
        elif tag == "MedlineTA":
            journal["medline_ta"] = once(journal.get("medline_ta"), child, path, odd)
        elif tag == "NlmUniqueID":
            journal["nlm_unique_id"] = once(journal.get("nlm_unique_id"), child, path, odd)
        elif tag == "ISSNLinking":
            journal["issn_linking"] = once(journal.get("issn_linking"), child, path, odd)
        else:
            keep(odd, path, child)


def pagination(element: _Element, path: str, odd: Oddities) -> Pagination | None:
    path = f"{path}/Pagination"
    if element.keys():
        keep_attributes(odd, path, element)
    start = end = medline = None
    for child in element:
        tag = child.tag
        if tag == "MedlinePgn":
            medline = once(medline, child, path, odd)
        elif tag == "StartPage":
            start = once(start, child, path, odd)
        elif tag == "EndPage":
            end = once(end, child, path, odd)
        else:
            keep(odd, path, child)
    if start is None and end is None and medline is None:
        return None
    return Pagination(start, end, medline)


def abstract(element: _Element, path: str, odd: Oddities) -> Abstract | None:
    """Read an abstract; one without any text or label is none."""
    path = f"{path}/Abstract"
    if element.keys():
        keep_attributes(odd, path, element)
    sections, rights = _sections(element, path, odd)
    return Abstract(sections, rights) if sections or rights else None


def _sections(element: _Element, path: str, odd: Oddities) -> tuple[tuple[AbstractSection, ...], str | None]:
    sections = []
    rights = None
    inner = f"{path}/AbstractText"
    for child in element:
        tag = child.tag
        if tag == "AbstractText":
            label = category = None
            for name, value in child.items():
                if name == "Label":
                    label = str(value) or None
                elif name == "NlmCategory":
                    category = str(value) or None
                else:
                    odd.append(Unknown(f"{inner}/@{name}", str(value)))
            words = inline(child)
            if words or label or category:
                sections.append(AbstractSection(words, label, category))
        elif tag == "CopyrightInformation":
            rights = once(rights, child, path, odd)
        else:
            keep(odd, path, child)
    return tuple(sections), rights


def _other_abstract(element: _Element, path: str, odd: Oddities) -> tuple[OtherAbstract, ...]:
    inner = f"{path}/OtherAbstract"
    kind, language = attributes(element, inner, odd, "Type", "Language")
    if kind is None:
        keep(odd, path, element)
        return ()
    sections, rights = _sections(element, inner, odd)
    return (OtherAbstract(sections, kind, language or "eng", rights),)


def publication_type(element: _Element, path: str, odd: Oddities) -> tuple[PublicationType, ...]:
    name, ui = text_with(element, path, odd, "UI")
    if name is None:
        keep(odd, path, element)
        return ()
    return (PublicationType(ui or None, name),)


def _article_date(element: _Element, path: str, odd: Oddities) -> tuple[ArticleDate, ...]:
    when = partial_date(element, path, odd, "DateType")
    kind = element.get("DateType")
    return (ArticleDate(when, str(kind) if kind else "Electronic"),) if when is not None else ()


def _data_banks(element: _Element, path: str, parts: Parts, odd: Oddities) -> None:
    path = f"{path}/DataBankList"
    (complete,) = attributes(element, path, odd, "CompleteYN")
    found = []
    for child in element:
        if child.tag != "DataBank":
            keep(odd, path, child)
            continue
        inner = f"{path}/DataBank"
        if child.keys():
            keep_attributes(odd, inner, child)
        name = None
        accessions: tuple[str, ...] = ()
        for part in child:
            if part.tag == "DataBankName":
                name = once(name, part, inner, odd)
            elif part.tag == "AccessionNumberList":
                if part.keys():
                    keep_attributes(odd, f"{inner}/AccessionNumberList", part)
                accessions += texts(part, "AccessionNumber", f"{inner}/AccessionNumberList", odd)
            else:
                keep(odd, inner, part)
        if name is None:
            keep(odd, path, child)
        else:
            found.append(DataBank(name, accessions))
    parts["data_banks"] = parts.get("data_banks", ()) + tuple(found)
    whole = yes(complete, True, f"{path}/@CompleteYN", odd)
    parts["data_banks_complete"] = whole and parts.get("data_banks_complete", True)


def grant_list(element: _Element, path: str, parts: Parts, odd: Oddities) -> None:
    path = f"{path}/GrantList"
    (complete,) = attributes(element, path, odd, "CompleteYN")
    found = []
    for child in element:
        if child.tag != "Grant":
            keep(odd, path, child)
            continue
        inner = f"{path}/Grant"
        if child.keys():
            keep_attributes(odd, inner, child)
        number_, acronym, agency, country = None, None, None, None
        for part in child:
            tag = part.tag
            if tag == "GrantID":
                number_ = once(number_, part, inner, odd)
            elif tag == "Acronym":
                acronym = once(acronym, part, inner, odd)
            elif tag == "Agency":
                agency = once(agency, part, inner, odd)
            elif tag == "Country":
                country = once(country, part, inner, odd)
            else:
                keep(odd, inner, part)
        found.append(Grant(number_, acronym, agency, country))
    parts["grants"] = parts.get("grants", ()) + tuple(found)
    whole = yes(complete, True, f"{path}/@CompleteYN", odd)
    parts["grants_complete"] = whole and parts.get("grants_complete", True)


def _chemicals(element: _Element, path: str, odd: Oddities) -> list[Chemical]:
    path = f"{path}/ChemicalList"
    if element.keys():
        keep_attributes(odd, path, element)
    inner = f"{path}/Chemical"
    found = []
    for child in element:
        if child.tag != "Chemical":
            keep(odd, path, child)
            continue
        if child.keys():
            keep_attributes(odd, inner, child)
        registry = ui = name = None
        for part in child:
            if part.tag == "RegistryNumber":
                registry = once(registry, part, inner, odd)
            elif part.tag == "NameOfSubstance" and name is None:
                name, ui = text_with(part, inner, odd, "UI")
            else:
                keep(odd, inner, part)
        if registry is None or name is None:
            keep(odd, path, child)
        else:
            found.append(Chemical(registry, ui or None, name))
    return found


def _supplementary_concepts(element: _Element, path: str, odd: Oddities) -> list[SupplementaryConcept]:
    path = f"{path}/SupplMeshList"
    if element.keys():
        keep_attributes(odd, path, element)
    found = []
    for child in element:
        if child.tag != "SupplMeshName":
            keep(odd, path, child)
            continue
        kind, ui = attributes(child, f"{path}/SupplMeshName", odd, "Type", "UI")
        name = "".join(str(part) for part in child.itertext()).strip()
        if not name or len(child):
            keep(odd, path, child)
        if name:
            found.append(SupplementaryConcept(kind or None, ui or None, name))
    return found


def _mesh_headings(element: _Element, path: str, odd: Oddities) -> list[MeshHeading]:
    path = f"{path}/MeshHeadingList"
    if element.keys():
        keep_attributes(odd, path, element)
    inner = f"{path}/MeshHeading"
    found = []
    for child in element:
        if child.tag != "MeshHeading":
            keep(odd, path, child)
            continue
        if child.keys():
            keep_attributes(odd, inner, child)
        descriptor = None
        qualifiers = []
        for part in child:
            tag = part.tag
            if tag == "QualifierName":
                if (qualifier := _mesh_term(part, inner, odd)) is not None:
                    qualifiers.append(qualifier)
            elif tag == "DescriptorName" and descriptor is None:
                descriptor = _mesh_term(part, inner, odd)
            else:
                keep(odd, inner, part)
        if descriptor is None:
            keep(odd, path, child)
        else:
            found.append(MeshHeading(descriptor, tuple(qualifiers)))
    return found


def _mesh_term(element: _Element, path: str, odd: Oddities) -> MeshTerm | None:
    ui = kind = automatic = None
    major = False
    for name, value in element.items():
        if name == "UI":
            ui = str(value) or None
        elif name == "MajorTopicYN":
            major = value == "Y" or yes(str(value), False, f"{path}/{element.tag}/@MajorTopicYN", odd)
        elif name == "Type":
            kind = str(value) or None
        elif name == "AutoHM":
            automatic = str(value) or None
        else:
            odd.append(Unknown(f"{path}/{element.tag}/@{name}", str(value)))
    value = element.text
    words = value.strip() if value else ""
    if not words or len(element):
        keep(odd, path, element)
        return None
    return MeshTerm(ui, words, major, kind, automatic)


def _corrections(element: _Element, path: str, odd: Oddities) -> list[Correction]:
    path = f"{path}/CommentsCorrectionsList"
    if element.keys():
        keep_attributes(odd, path, element)
    inner = f"{path}/CommentsCorrections"
    found = []
    for child in element:
        kind: str | None = None
        if child.tag == "CommentsCorrections":
            (kind,) = attributes(child, inner, odd, "RefType")
        if kind is None:
            keep(odd, path, child)
            continue
        source = note = None
        pmid = version = None
        for part in child:
            tag = part.tag
            if tag == "RefSource":
                source = once(source, part, inner, odd)
            elif tag == "PMID" and pmid is None:
                value, given = text_with(part, inner, odd, "Version")
                pmid = number(value) or None
                version = number(given) or None
                if (value and not pmid) or (given and (not version or not pmid)):
                    keep(odd, inner, part)
            elif tag == "Note":
                note = once(note, part, inner, odd)
            else:
                keep(odd, inner, part)
        found.append(Correction(kind, source, pmid, version if pmid else None, note))
    return found
