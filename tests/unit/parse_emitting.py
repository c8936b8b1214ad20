"""A `Citation` written back as a tree of PubMed's elements, and a generic reader of such trees, for comparison.

Deliberately nothing here is shared with the parser: the standard library reads, and the mapping from fields
to elements is spelled out a second time, in the other direction.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import date
from typing import Any

from monitor.core.citation import Author, Citation, PartialDate

Node = ET.Element

MIXED = frozenset(
    [
        "ArticleTitle",
        "VernacularTitle",
        "BookTitle",
        "CollectionTitle",
        "Citation",
        "Keyword",
        "AbstractText",
        "Affiliation",
        "CoiStatement",
        "CollectiveName",
        "Suffix",
        "PublisherName",
        "SectionTitle",
        "VolumeTitle",
        "Param",
    ]
)
DEFAULTS = {
    "MedlineCitation": {"Owner": "NLM"},
    "AuthorList": {"CompleteYN": "Y"},
    "Author": {"ValidYN": "Y"},
    "Investigator": {"ValidYN": "Y"},
    "ELocationID": {"ValidYN": "Y"},
    "GrantList": {"CompleteYN": "Y"},
    "DataBankList": {"CompleteYN": "Y"},
    "ArticleDate": {"DateType": "Electronic"},
    "KeywordList": {"Owner": "NLM"},
    "Keyword": {"MajorTopicYN": "N"},
    "DescriptorName": {"MajorTopicYN": "N"},
    "QualifierName": {"MajorTopicYN": "N"},
    "OtherAbstract": {"Language": "eng"},
    "ArticleId": {"IdType": "pubmed"},
    "GeneralNote": {"Owner": "NLM"},
}
DATES = frozenset(
    [
        "DateCompleted",
        "DateRevised",
        "PubDate",
        "ArticleDate",
        "PubMedPubDate",
        "BeginningDate",
        "EndingDate",
        "ContributionDate",
    ]
)
MONTHS = {
    name: n
    for n, name in enumerate(["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"], 1)
}


def facts(node: Node) -> Counter[tuple[str, str]]:
    """Every text and attribute of a tree with its exact place, siblings numbered."""
    return Counter(_facts(node, node.tag))


def _facts(node: Node, path: str) -> Iterator[tuple[str, str]]:
    for name, value in node.attrib.items():
        yield f"{path}/@{name}", value
    if node.tag in MIXED:
        shape = _shape(node)
        if shape:
            yield path, shape
        return
    text = (node.text or "").strip() + "".join((child.tail or "").strip() for child in node)
    if text:
        yield path, text
    seen: Counter[str] = Counter()
    for child in node:
        seen[child.tag] += 1
        yield from _facts(child, f"{path}/{child.tag}[{seen[child.tag]}]")


def _shape(node: Node) -> str:
    """Mixed content as one string that is equal exactly when text, tags and attributes are."""
    out = [node.text or ""]
    for child in node:
        attributes = "".join(f" {name}={value!r}" for name, value in sorted(child.attrib.items()))
        out.append(f"\x02{child.tag}{attributes}\x03{_shape(child)}\x04{child.tail or ''}")
    return "".join(out)


# ---- what is known to differ, each class by its name


def normalise(record: Node, explained: Counter[str]) -> None:
    """Bring a record as sent into the one form that a `Citation` can state; count each kind of change."""
    _supply_defaults(record, explained)
    _join_pages_of_dates(record, explained)
    _drop_empty(record, explained)
    _split_old_lists(record, explained)


def _supply_defaults(record: Node, explained: Counter[str]) -> None:
    for node in record.iter():
        for name, value in DEFAULTS.get(node.tag, {}).items():
            if name not in node.attrib:
                node.set(name, value)
                explained["attribute default of the DTD supplied"] += 1
    for node in record.iter("PMID"):
        if "Version" not in node.attrib:
            node.set("Version", "1")
            explained["PMID without Version, before 2011"] += 1


def _join_pages_of_dates(record: Node, explained: Counter[str]) -> None:
    for node in record.iter():
        if node.tag not in DATES:
            continue
        parts = {child.tag: (child.text or "").strip() for child in node}
        for child in node:
            value = parts[child.tag]
            plain = str(MONTHS.get(value[:3].title(), value) if child.tag == "Month" else value)
            if child.tag in ("Year", "Month", "Day", "Hour", "Minute", "Second") and plain.isdigit():
                plain = str(int(plain))
                if plain != value:
                    explained["month by name or number with leading zero"] += 1
                child.text = plain
        if "Day" in parts and not _is_calendar(node):
            text = " ".join(parts[tag] for tag in ("Year", "Month", "Day") if tag in parts)
            for tag in ("Year", "Month", "Day"):
                for child in node.findall(tag):
                    node.remove(child)
            ET.SubElement(node, "MedlineDate").text = text
            explained["day that no calendar has, kept as text"] += 1


def _is_calendar(node: Node) -> bool:
    try:
        date(*(int(node.findtext(tag) or "") for tag in ("Year", "Month", "Day")))
    except ValueError:
        return False
    return True


def _drop_empty(record: Node, explained: Counter[str]) -> None:
    for parent in list(record.iter()):
        for child in list(parent) if parent.tag not in MIXED and not parent.tag.startswith("{") else ():
            attributes = set(child.attrib) - set(DEFAULTS.get(child.tag, {}))
            silent = not len(child) and not (child.text or "").strip() and not attributes
            if silent and child.tag not in ("Affiliation", "Reference") and not child.tag.endswith("List"):
                parent.remove(child)
                explained["empty element, which says nothing"] += 1


def _split_old_lists(record: Node, explained: Counter[str]) -> None:
    for author in list(record.iter("Author")):
        for old in author.findall("Affiliation"):
            author.remove(old)
            ET.SubElement(author, "AffiliationInfo").append(old)
            explained["affiliation without AffiliationInfo, before 2015"] += 1


# ---- the way back


def emit(c: Citation) -> Node:
    return _book(c) if c.book is not None else _article(c)


def _node(tag: str, *children: Node | str | None, **attributes: str | None) -> Node:
    node = ET.Element(tag, {name: value for name, value in attributes.items() if value is not None})
    for child in children:
        if isinstance(child, str):
            node.text = child
        elif child is not None:
            node.append(child)
    return node


def _leaf(tag: str, value: object, **attributes: str | None) -> Iterator[Node]:
    if value is not None:
        yield _node(tag, str(value), **attributes)


def _mixed(tag: str, xml: str | None, **attributes: str | None) -> Iterator[Node]:
    if xml is not None:
        node = ET.fromstring(f"<{tag}>{xml}</{tag}>")
        for name, value in attributes.items():
            if value is not None:
                node.set(name, value)
        yield node


def _list(tag: str, children: Iterable[Node], **attributes: str | None) -> Iterator[Node]:
    held = list(children)
    if held:
        yield _node(tag, *held, **attributes)


def _yn(value: bool | None) -> str | None:
    return None if value is None else "Y" if value else "N"


def _date(tag: str, when: PartialDate | None, *more: Node, **attributes: str | None) -> Iterator[Node]:
    if when is None:
        return
    node = _node(tag, **attributes)
    if when.text is not None:
        node.extend(_leaf("MedlineDate", when.text))
    else:
        for name, value in (("Year", when.year), ("Month", when.month), ("Day", when.day), ("Season", when.season)):
            node.extend(_leaf(name, value))
    node.extend(more)
    yield node


def _article(c: Citation) -> Node:
    citation = _node(
        "MedlineCitation",
        Status=c.status,
        Owner=c.owner,
        VersionID=c.version_id,
        VersionDate=c.version_date,
        IndexingMethod=c.indexing_method,
    )
    citation.append(_node("PMID", str(c.pmid), Version=str(c.version)))
    citation.extend(_date("DateCompleted", c.completed_on))
    citation.extend(_date("DateRevised", c.revised_on))
    article = ET.SubElement(citation, "Article")
    if c.pub_model is not None:
        article.set("PubModel", c.pub_model)
    j = c.journal
    if j is not None:
        journal = ET.SubElement(article, "Journal")
        if j.issn is not None:
            journal.extend(_leaf("ISSN", j.issn.value, IssnType=j.issn.kind))
        issue = _node("JournalIssue", *_leaf("Volume", j.volume), *_leaf("Issue", j.issue), CitedMedium=j.cited_medium)
        issue.extend(_date("PubDate", j.pub_date))
        journal.append(issue)
        journal.extend(_leaf("Title", j.title))
        journal.extend(_leaf("ISOAbbreviation", j.iso_abbreviation))
        citation.append(
            _node(
                "MedlineJournalInfo",
                *_leaf("Country", j.country),
                *_leaf("MedlineTA", j.medline_ta),
                *_leaf("NlmUniqueID", j.nlm_unique_id),
                *_leaf("ISSNLinking", j.issn_linking),
            )
        )
    article.extend(_mixed("ArticleTitle", c.title))
    article.extend(_pages(c))
    for e in c.elocations:
        article.extend(_leaf("ELocationID", e.value, EIdType=e.kind, ValidYN=_yn(e.valid)))
    article.extend(_abstract(c))
    article.extend(_authors(c.author_lists))
    for language in c.languages:
        article.extend(_leaf("Language", language))
    if c.data_banks_complete is not None:
        banks = ET.SubElement(article, "DataBankList", CompleteYN=str(_yn(c.data_banks_complete)))
        for bank in c.data_banks:
            numbers = (_node("AccessionNumber", each) for each in bank.accessions)
            banks.append(_node("DataBank", *_leaf("DataBankName", bank.name), *_list("AccessionNumberList", numbers)))
    article.extend(_grants(c))
    article.extend(_list("PublicationTypeList", _types(c)))
    article.extend(_mixed("VernacularTitle", c.vernacular_title))
    for when in c.article_dates:
        article.extend(_date("ArticleDate", when.date, DateType=when.kind))
    citation.extend(
        _list(
            "ChemicalList",
            (
                _node(
                    "Chemical", *_leaf("RegistryNumber", x.registry_number), *_leaf("NameOfSubstance", x.name, UI=x.ui)
                )
                for x in c.chemicals
            ),
        )
    )
    concepts = (_node("SupplMeshName", x.name, Type=x.kind, UI=x.ui) for x in c.supplementary_concepts)
    citation.extend(_list("SupplMeshList", concepts))
    for subset in c.citation_subsets:
        citation.extend(_leaf("CitationSubset", subset))
    citation.extend(_list("CommentsCorrectionsList", map(_correction, c.corrections)))
    citation.extend(_list("GeneSymbolList", (_node("GeneSymbol", each) for each in c.gene_symbols)))
    citation.extend(_list("MeshHeadingList", map(_heading, c.mesh_headings)))
    citation.extend(_leaf("NumberOfReferences", c.number_of_references))
    citation.extend(
        _list("PersonalNameSubjectList", (_person("PersonalNameSubject", each) for each in c.personal_name_subjects))
    )
    for other in c.other_ids:
        citation.extend(_leaf("OtherID", other.value, Source=other.source))
    for o in c.other_abstracts:
        node = _node("OtherAbstract", *_sections(o), Type=o.kind, Language=o.language)
        citation.append(node)
    citation.extend(_keywords(c))
    citation.extend(_mixed("CoiStatement", c.coi_statement))
    for mission in c.space_flight_missions:
        citation.extend(_leaf("SpaceFlightMission", mission))
    citation.extend(_investigators(c.investigator_lists))
    for note in c.general_notes:
        citation.extend(_leaf("GeneralNote", note.text, Owner=note.owner))
    data = _data("PubmedData", c)
    for reference_list in c.reference_lists:
        data.append(_references(reference_list))
    return _node("PubmedArticle", citation, data if len(data) else None)


def _data(tag: str, c: Citation) -> Node:
    data = _node(tag)
    entries: list[Node] = []
    for h in c.history:
        clock = [*_leaf("Hour", h.hour), *_leaf("Minute", h.minute), *_leaf("Second", h.second)]
        entries.extend(_date("PubMedPubDate", h.date, *clock, PubStatus=h.status))
    data.extend(_list("History", entries))
    data.extend(_leaf("PublicationStatus", c.publication_status))
    if c.book is None:
        data.extend(_ids(c.article_ids))
    objects = []
    for thing in c.objects:
        node = _node("Object", Type=thing.kind)
        for each in thing.parameters:
            node.extend(_mixed("Param", each.value, Name=each.name))
        objects.append(node)
    data.extend(_list("ObjectList", objects))
    return data


def _ids(ids: Iterable[Any]) -> Iterator[Node]:
    return _list("ArticleIdList", (_node("ArticleId", each.value, IdType=each.kind) for each in ids))


def _pages(c: Citation) -> Iterator[Node]:
    p = c.pagination
    if p is not None:
        yield _node(
            "Pagination", *_leaf("StartPage", p.start), *_leaf("EndPage", p.end), *_leaf("MedlinePgn", p.medline)
        )


def _sections(held: Any) -> Iterator[Node]:
    for section in held.sections:
        yield from _mixed("AbstractText", section.text, Label=section.label, NlmCategory=section.category)
    yield from _leaf("CopyrightInformation", held.copyright)


def _abstract(c: Citation) -> Iterator[Node]:
    if c.abstract is not None:
        yield _node("Abstract", *_sections(c.abstract))


def _authors(lists: Iterable[Any]) -> Iterator[Node]:
    for each in lists:
        people = (_person("Author", author, _yn(author.valid)) for author in each.authors)
        yield _node("AuthorList", *people, CompleteYN=_yn(each.complete), Type=each.kind)


def _investigators(lists: Iterable[Any]) -> Iterator[Node]:
    for each in lists:
        people = (_person("Investigator", one, _yn(one.valid)) for one in each.investigators)
        yield _node("InvestigatorList", *people, ID=each.id)


def _person(tag: str, a: Author, valid: str | None = None) -> Node:
    node = _node(
        tag,
        *_leaf("LastName", a.last_name),
        *_leaf("ForeName", a.fore_name),
        *_leaf("Initials", a.initials),
        *_mixed("Suffix", a.suffix),
        *_mixed("CollectiveName", a.collective_name, Investigators=a.investigators),
        ValidYN=valid,
        EqualContrib=_yn(a.equal_contribution),
    )
    for each in a.identifiers:
        node.extend(_leaf("Identifier", each.value, Source=each.source))
    for place in a.affiliations:
        ids = [_node("Identifier", each.value, Source=each.source) for each in place.identifiers]
        node.append(_node("AffiliationInfo", *_mixed("Affiliation", place.text), *ids))
    return node


def _grants(c: Citation) -> Iterator[Node]:
    if c.grants_complete is not None:
        node = _node("GrantList", CompleteYN=_yn(c.grants_complete))
        for g in c.grants:
            parts = (("GrantID", g.id), ("Acronym", g.acronym), ("Agency", g.agency), ("Country", g.country))
            node.append(_node("Grant", *(leaf for tag, value in parts for leaf in _leaf(tag, value))))
        yield node


def _types(c: Citation) -> Iterator[Node]:
    for each in c.publication_types:
        yield _node("PublicationType", each.name, UI=each.ui)


def _correction(x: Any) -> Node:
    pmid = _leaf("PMID", x.pmid, Version=str(x.pmid_version) if x.pmid_version else "1")
    return _node("CommentsCorrections", *_leaf("RefSource", x.source), *pmid, *_leaf("Note", x.note), RefType=x.kind)


def _heading(x: Any) -> Node:
    def term(tag: str, t: Any) -> Node:
        return _node(tag, t.name, UI=t.ui, MajorTopicYN=_yn(t.major), Type=t.kind, AutoHM=t.automatic)

    return _node("MeshHeading", term("DescriptorName", x.descriptor), *(term("QualifierName", q) for q in x.qualifiers))


def _keywords(c: Citation) -> Iterator[Node]:
    for each in c.keyword_lists:
        words = (node for k in each.keywords for node in _mixed("Keyword", k.text, MajorTopicYN=_yn(k.major)))
        yield _node("KeywordList", *words, Owner=each.owner)


def _references(held: Any) -> Node:
    node = _node("ReferenceList", *_leaf("Title", held.title))
    for each in held.references:
        node.append(_node("Reference", *_mixed("Citation", each.citation), *_ids(each.ids)))
    node.extend(map(_references, held.lists))
    return node


def _book(c: Citation) -> Node:
    b = c.book
    assert b is not None
    document = _node("BookDocument", _node("PMID", str(c.pmid), Version=str(c.version)))
    book = ET.SubElement(document, "Book")
    publisher = [*_mixed("PublisherName", b.publisher), *_leaf("PublisherLocation", b.publisher_location)]
    book.extend(_list("Publisher", publisher))
    book.extend(_title("BookTitle", b.title))
    book.extend(_date("PubDate", b.pub_date))
    book.extend(_date("BeginningDate", b.beginning_date))
    book.extend(_date("EndingDate", b.ending_date))
    book.extend(_authors(b.author_lists))
    if b.investigator_list is not None:
        book.extend(_investigators([b.investigator_list]))
    book.extend(_leaf("Volume", b.volume))
    book.extend(_mixed("VolumeTitle", b.volume_title))
    book.extend(_leaf("Edition", b.edition))
    book.extend(_title("CollectionTitle", b.collection_title))
    for isbn in b.isbns:
        book.extend(_leaf("Isbn", isbn))
    for e in b.elocations:
        book.extend(_leaf("ELocationID", e.value, EIdType=e.kind, ValidYN=_yn(e.valid)))
    book.extend(_leaf("Medium", b.medium))
    book.extend(_leaf("ReportNumber", b.report_number))
    for label in b.location_labels:
        document.extend(_leaf("LocationLabel", label.text, Type=label.kind))
    link = b.chapter_link
    attributes = {} if link is None else {"book": link.book, "part": link.part, "sec": link.section}
    document.extend(_mixed("ArticleTitle", c.title, **attributes))
    document.extend(_mixed("VernacularTitle", c.vernacular_title))
    document.extend(_pages(c))
    for language in c.languages:
        document.extend(_leaf("Language", language))
    document.extend(_authors(c.author_lists))
    document.extend(_investigators(c.investigator_lists))
    document.extend(_types(c))
    document.extend(_abstract(c))
    document.extend(_list("Sections", map(_section, b.sections)))
    document.extend(_keywords(c))
    document.extend(_date("ContributionDate", b.contribution_date))
    document.extend(_date("DateRevised", c.revised_on))
    document.extend(_grants(c))
    for items in b.item_lists:
        document.append(_node("ItemList", *(_node("Item", each) for each in items.items), ListType=items.kind))
    document.extend(map(_references, c.reference_lists))
    # BookDocument and PubmedBookData each have an ArticleIdList; a citation holds both as one.
    document.extend(_ids(c.article_ids))
    return _node("PubmedBookArticle", document, _data("PubmedBookData", c))


def _title(tag: str, title: Any) -> Iterator[Node]:
    if title is not None:
        yield from _mixed(tag, title.text, book=title.book, part=title.part, sec=title.section)


def _section(s: Any) -> Node:
    labels = _leaf("LocationLabel", s.label.text, Type=s.label.kind) if s.label is not None else ()
    return _node("Section", *labels, *_title("SectionTitle", s.title), *map(_section, s.sections))
