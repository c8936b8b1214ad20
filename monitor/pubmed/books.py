"""A `PubmedBookArticle`, a book or a chapter of one, as a `Citation` with its `Book`."""

from __future__ import annotations

from typing import Any

from monitor.core.citation import Book, BookSection, BookTitle, Citation, InlineXml, ItemList, LocationLabel
from monitor.pubmed.articles import (
    Parts,
    abstract,
    finish,
    identity,
    pagination,
    publication_type,
    pubmed_data,
)
from monitor.pubmed.dates import date_once
from monitor.pubmed.elements import (
    DEEPEST,
    Oddities,
    article_ids,
    attribute,
    attributes,
    elocation,
    inline_once,
    keep,
    keep_attributes,
    keyword_list,
    once,
    reference_list,
    text,
    text_with,
    texts,
)
from monitor.pubmed.indexing import grant_list
from monitor.pubmed.inline import Element, inline, too_deep
from monitor.pubmed.people import author_list, investigator_list


def book_article(element: Element) -> Citation:
    """Read a `PubmedBookArticle`, or a bare `BookDocument`."""
    odd: Oddities = []
    parts: Parts = {}
    if element.tag == "BookDocument":
        _book_document(element, parts, odd)
    else:
        if element.keys():
            keep_attributes(odd, element)
        for child in element:
            if child.tag == "BookDocument" and "pmid" not in parts:
                _book_document(child, parts, odd)
            elif child.tag == "PubmedBookData":
                pubmed_data(child, parts, odd)
            else:
                keep(odd, child)
    return finish(parts, odd)


def _book_document(element: Element, parts: Parts, odd: Oddities) -> None:
    if element.keys():
        keep_attributes(odd, element)
    book: Parts = {"title": BookTitle(InlineXml(""))}
    many: dict[str, list[Any]] = {}
    of_book: dict[str, list[Any]] = {}
    for child in element:
        tag = child.tag
        if tag == "PMID":
            identity(child, parts, odd)
        elif tag == "ArticleIdList":
            many.setdefault("article_ids", []).extend(article_ids(child, odd))
        elif tag == "Book":
            _book(child, book, odd)
        elif tag == "LocationLabel":
            of_book.setdefault("location_labels", []).extend(_location_label(child, odd))
        elif tag == "ArticleTitle" and "title" not in parts:
            title = _title(child, odd)
            parts["title"] = title.text if title.text.strip() else None
            if title.book or title.part or title.section:
                book["chapter_link"] = title
        elif tag == "VernacularTitle":
            parts["vernacular_title"] = inline_once(parts.get("vernacular_title"), child, odd)
        elif tag == "Pagination" and "pagination" not in parts:
            parts["pagination"] = pagination(child, odd)
        elif tag == "Language":
            if language := text(child, odd):
                many.setdefault("languages", []).append(language)
        elif tag == "AuthorList":
            many.setdefault("author_lists", []).append(author_list(child, odd))
        elif tag == "InvestigatorList":
            many.setdefault("investigator_lists", []).append(investigator_list(child, odd))
        elif tag == "PublicationType":
            many.setdefault("publication_types", []).extend(publication_type(child, odd))
        elif tag == "Abstract" and "abstract" not in parts:
            parts["abstract"] = abstract(child, odd)
        elif tag == "Sections":
            if child.keys():
                keep_attributes(odd, child)
            of_book.setdefault("sections", []).extend(_sections(child, odd, 0))
        elif tag == "KeywordList":
            many.setdefault("keyword_lists", []).append(keyword_list(child, odd))
        elif tag == "ContributionDate":
            book["contribution_date"] = date_once(book.get("contribution_date"), child, odd)
        elif tag == "DateRevised":
            parts["revised_on"] = date_once(parts.get("revised_on"), child, odd)
        elif tag == "GrantList":
            grant_list(child, parts, odd)
        elif tag == "ItemList":
            of_book.setdefault("item_lists", []).extend(_item_list(child, odd))
        elif tag == "ReferenceList":
            many.setdefault("reference_lists", []).append(reference_list(child, odd))
        else:
            keep(odd, child)
    for field, values in many.items():
        parts[field] = tuple(values)
    for field, values in of_book.items():
        book[field] = tuple(values)
    parts["book"] = Book(**book)


def _book(element: Element, book: Parts, odd: Oddities) -> None:
    if element.keys():
        keep_attributes(odd, element)
    for child in element:
        tag = child.tag
        if tag == "Publisher":
            _publisher(child, book, odd)
        elif tag == "BookTitle" and not book["title"].text:
            book["title"] = _title(child, odd)
        elif tag == "PubDate":
            book["pub_date"] = date_once(book.get("pub_date"), child, odd)
        elif tag == "BeginningDate":
            book["beginning_date"] = date_once(book.get("beginning_date"), child, odd)
        elif tag == "EndingDate":
            book["ending_date"] = date_once(book.get("ending_date"), child, odd)
        elif tag == "AuthorList":
            book["author_lists"] = (*book.get("author_lists", ()), author_list(child, odd))
        elif tag == "InvestigatorList" and "investigator_list" not in book:
            book["investigator_list"] = investigator_list(child, odd)
        elif tag == "Volume":
            book["volume"] = once(book.get("volume"), child, odd)
        elif tag == "VolumeTitle":
            book["volume_title"] = inline_once(book.get("volume_title"), child, odd)
        elif tag == "Edition":
            book["edition"] = once(book.get("edition"), child, odd)
        elif tag == "CollectionTitle" and "collection_title" not in book:
            book["collection_title"] = _title(child, odd)
        elif tag == "Isbn":
            if isbn := text(child, odd):
                book["isbns"] = (*book.get("isbns", ()), isbn)
        elif tag == "ELocationID":
            book["elocations"] = book.get("elocations", ()) + elocation(child, odd)
        elif tag == "Medium":
            book["medium"] = once(book.get("medium"), child, odd)
        elif tag == "ReportNumber":
            book["report_number"] = once(book.get("report_number"), child, odd)
        else:
            keep(odd, child)


def _publisher(element: Element, book: Parts, odd: Oddities) -> None:
    if element.keys():
        keep_attributes(odd, element)
    for child in element:
        if child.tag == "PublisherName":
            book["publisher"] = inline_once(book.get("publisher"), child, odd)
        elif child.tag == "PublisherLocation":
            book["publisher_location"] = once(book.get("publisher_location"), child, odd)
        else:
            keep(odd, child)


def _title(element: Element, odd: Oddities) -> BookTitle:
    book, part, section = attributes(element, odd, "book", "part", "sec")
    return BookTitle(inline(element), book, part, section)


def _location_label(element: Element, odd: Oddities) -> tuple[LocationLabel, ...]:
    value, kind = text_with(element, odd, "Type")
    if value is None:
        if kind is not None:
            keep(odd, element)
        return ()
    return (LocationLabel(value, kind),)


def _sections(element: Element, odd: Oddities, depth: int) -> list[BookSection]:
    if depth > DEEPEST:
        raise too_deep("book sections")
    found = []
    for child in element:
        if child.tag == "Section":
            found.append(_section(child, odd, depth))
        elif depth == 0:
            keep(odd, child)
    return found


def _section(element: Element, odd: Oddities, depth: int) -> BookSection:
    if element.keys():
        keep_attributes(odd, element)
    title = label = None
    for child in element:
        tag = child.tag
        if tag == "SectionTitle" and title is None:
            title = _title(child, odd)
        elif tag == "LocationLabel" and label is None:
            label = next(iter(_location_label(child, odd)), None)
        elif tag != "Section":
            keep(odd, child)
    return BookSection(title, label, tuple(_sections(element, odd, depth + 1)))


def _item_list(element: Element, odd: Oddities) -> tuple[ItemList, ...]:
    kind = attribute(element, odd, "ListType")
    if kind is None:
        keep(odd, element)
        return ()
    return (ItemList(kind, texts(element, "Item", odd)),)
