"""A `PubmedBookArticle`, a book or a chapter of one, as a `Citation` with its `Book`."""

from __future__ import annotations

from typing import Any

from lxml.etree import _Element

from monitor.core.citation import Book, BookSection, BookTitle, Citation, ItemList, LocationLabel
from monitor.pubmed.articles import (
    Parts,
    abstract,
    finish,
    grant_list,
    identity,
    pagination,
    publication_type,
    pubmed_data,
)
from monitor.pubmed.elements import (
    DEEPEST,
    Oddities,
    article_ids,
    attributes,
    author_list,
    date_once,
    elocation,
    inline_once,
    investigator_list,
    keep,
    keep_attributes,
    keyword_list,
    once,
    reference_list,
    text,
    text_with,
    texts,
)
from monitor.pubmed.inline import InlineXml, inline, too_deep


def book_article(element: _Element) -> Citation:
    """Read a `PubmedBookArticle`, or a bare `BookDocument`."""
    odd: Oddities = []
    parts: Parts = {}
    if element.tag == "BookDocument":
        _book_document(element, parts, odd)
    else:
        if element.keys():
            keep_attributes(odd, "PubmedBookArticle", element)
        for child in element:
            if child.tag == "BookDocument" and "pmid" not in parts:
                _book_document(child, parts, odd)
            elif child.tag == "PubmedBookData":
                pubmed_data(child, parts, odd)
            else:
                keep(odd, "PubmedBookArticle", child)
    return finish(parts, odd)


def _book_document(element: _Element, parts: Parts, odd: Oddities) -> None:
    path = "BookDocument"
    if element.keys():
        keep_attributes(odd, path, element)
    book: Parts = {"title": BookTitle(InlineXml(""))}
    many: dict[str, list[Any]] = {}
    of_book: dict[str, list[Any]] = {}
    for child in element:
        tag = child.tag
        if tag == "PMID":
            identity(child, path, parts, odd)
        elif tag == "ArticleIdList":
            many.setdefault("article_ids", []).extend(article_ids(child, path, odd))
        elif tag == "Book":
            _book(child, book, odd)
        elif tag == "LocationLabel":
            of_book.setdefault("location_labels", []).extend(_location_label(child, path, odd))
        elif tag == "ArticleTitle" and "title" not in parts:
            title = _title(child, path, odd)
            parts["title"] = title.text or None
            if title.book or title.part or title.section:
                book["chapter_link"] = title
        elif tag == "VernacularTitle":
            parts["vernacular_title"] = inline_once(parts.get("vernacular_title"), child, path, odd)
        elif tag == "Pagination" and "pagination" not in parts:
            parts["pagination"] = pagination(child, path, odd)
        elif tag == "Language":
            if language := text(child, path, odd):
                many.setdefault("languages", []).append(language)
        elif tag == "AuthorList":
            many.setdefault("author_lists", []).append(author_list(child, path, odd))
        elif tag == "InvestigatorList":
            many.setdefault("investigator_lists", []).append(investigator_list(child, path, odd))
        elif tag == "PublicationType":
            many.setdefault("publication_types", []).extend(publication_type(child, path, odd))
        elif tag == "Abstract" and "abstract" not in parts:
            parts["abstract"] = abstract(child, path, odd)
        elif tag == "Sections":
            if child.keys():
                keep_attributes(odd, f"{path}/Sections", child)
            of_book.setdefault("sections", []).extend(_sections(child, f"{path}/Sections", odd, 0))
        elif tag == "KeywordList":
            many.setdefault("keyword_lists", []).append(keyword_list(child, path, odd))
        elif tag == "ContributionDate":
            book["contribution_date"] = date_once(book.get("contribution_date"), child, path, odd)
        elif tag == "DateRevised":
            parts["revised_on"] = date_once(parts.get("revised_on"), child, path, odd)
        elif tag == "GrantList":
            grant_list(child, path, parts, odd)
        elif tag == "ItemList":
            of_book.setdefault("item_lists", []).extend(_item_list(child, path, odd))
        elif tag == "ReferenceList":
            many.setdefault("reference_lists", []).append(reference_list(child, path, odd))
        else:
            keep(odd, path, child)
    for field, values in many.items():
        parts[field] = tuple(values)
    for field, values in of_book.items():
        book[field] = tuple(values)
    parts["book"] = Book(**book)


def _book(element: _Element, book: Parts, odd: Oddities) -> None:
    path = "BookDocument/Book"
    if element.keys():
        keep_attributes(odd, path, element)
    for child in element:
        tag = child.tag
        if tag == "Publisher":
            _publisher(child, path, book, odd)
        elif tag == "BookTitle" and not book["title"].text:
            book["title"] = _title(child, path, odd)
        elif tag == "PubDate":
            book["pub_date"] = date_once(book.get("pub_date"), child, path, odd)
        elif tag == "BeginningDate":
            book["beginning_date"] = date_once(book.get("beginning_date"), child, path, odd)
        elif tag == "EndingDate":
            book["ending_date"] = date_once(book.get("ending_date"), child, path, odd)
        elif tag == "AuthorList":
            book["author_lists"] = (*book.get("author_lists", ()), author_list(child, path, odd))
        elif tag == "InvestigatorList" and "investigator_list" not in book:
            book["investigator_list"] = investigator_list(child, path, odd)
        elif tag == "Volume":
            book["volume"] = once(book.get("volume"), child, path, odd)
        elif tag == "VolumeTitle":
            book["volume_title"] = inline_once(book.get("volume_title"), child, path, odd)
        elif tag == "Edition":
            book["edition"] = once(book.get("edition"), child, path, odd)
        elif tag == "CollectionTitle" and "collection_title" not in book:
            book["collection_title"] = _title(child, path, odd)
        elif tag == "Isbn":
            if isbn := text(child, path, odd):
                book["isbns"] = (*book.get("isbns", ()), isbn)
        elif tag == "ELocationID":
            book["elocations"] = book.get("elocations", ()) + elocation(child, path, odd)
        elif tag == "Medium":
            book["medium"] = once(book.get("medium"), child, path, odd)
        elif tag == "ReportNumber":
            book["report_number"] = once(book.get("report_number"), child, path, odd)
        else:
            keep(odd, path, child)


def _publisher(element: _Element, path: str, book: Parts, odd: Oddities) -> None:
    path = f"{path}/Publisher"
    if element.keys():
        keep_attributes(odd, path, element)
    for child in element:
        if child.tag == "PublisherName":
            book["publisher"] = inline_once(book.get("publisher"), child, path, odd)
        elif child.tag == "PublisherLocation":
            book["publisher_location"] = once(book.get("publisher_location"), child, path, odd)
        else:
            keep(odd, path, child)


def _title(element: _Element, path: str, odd: Oddities) -> BookTitle:
    book, part, section = attributes(element, f"{path}/{element.tag}", odd, "book", "part", "sec")
    return BookTitle(inline(element), book, part, section)


def _location_label(element: _Element, path: str, odd: Oddities) -> tuple[LocationLabel, ...]:
    value, kind = text_with(element, path, odd, "Type")
    if value is None:
        if kind is not None:
            keep(odd, path, element)
        return ()
    return (LocationLabel(value, kind),)


def _sections(element: _Element, path: str, odd: Oddities, depth: int) -> list[BookSection]:
    if depth > DEEPEST:
        raise too_deep("book sections")
    found = []
    for child in element:
        if child.tag == "Section":
            found.append(_section(child, f"{path}/Section", odd, depth))
        elif depth == 0:
            keep(odd, path, child)
    return found


def _section(element: _Element, path: str, odd: Oddities, depth: int) -> BookSection:
    if element.keys():
        keep_attributes(odd, path, element)
    title = label = None
    for child in element:
        tag = child.tag
        if tag == "SectionTitle" and title is None:
            title = _title(child, path, odd)
        elif tag == "LocationLabel" and label is None:
            label = next(iter(_location_label(child, path, odd)), None)
        elif tag != "Section":
            keep(odd, path, child)
    return BookSection(title, label, tuple(_sections(element, path, odd, depth + 1)))


def _item_list(element: _Element, path: str, odd: Oddities) -> tuple[ItemList, ...]:
    inner = f"{path}/ItemList"
    (kind,) = attributes(element, inner, odd, "ListType")
    if kind is None:
        keep(odd, path, element)
        return ()
    return (ItemList(kind, texts(element, "Item", inner, odd)),)
