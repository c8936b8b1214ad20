"""What we hold of one PubMed record, element by element, as plain immutable values.

The shape follows NLM's DTD (`pubmed_250101.dtd`). Leaves are named tuples, because a poll makes
hundreds of thousands of them; `Citation` is a frozen dataclass. Many values are a tuple in PubMed's
order; a missing value is `None`. Attribute defaults of the DTD are already supplied.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, NewType

InlineXml = NewType("InlineXml", str)
"""Well-formed inner XML of a mixed-content element: escaped text with `b i u sup sub`, MathML or `DispFormula`.

Never plain text: `&`, `<` and `>` stand escaped. `core.markup` turns it into text or safe HTML.
"""


class PartialDate(NamedTuple):
    """A date as precisely as PubMed states it; nobody invents a first of January.

    `text` keeps the source verbatim when it is a MedlineDate ("2020 Nov-Dec") or not a calendar date
    at all ("31 Feb"); year, month and day then hold what can be read from its beginning, if anything.
    """

    year: int | None = None
    month: int | None = None
    day: int | None = None
    season: str | None = None
    text: str | None = None


class Identifier(NamedTuple):
    """An author's or affiliation's identifier, verbatim: source is `ORCID`, `ROR`, `GRID`, `ISNI`, ..."""

    source: str
    value: str


class Affiliation(NamedTuple):
    text: InlineXml
    identifiers: tuple[Identifier, ...] = ()


class Author(NamedTuple):
    """A person or, when `collective_name` is set, a group. `valid=False` marks a superseded wrong form."""

    last_name: str | None = None
    fore_name: str | None = None
    initials: str | None = None
    suffix: InlineXml | None = None
    collective_name: InlineXml | None = None
    investigators: str | None = None
    valid: bool = True
    equal_contribution: bool | None = None
    identifiers: tuple[Identifier, ...] = ()
    affiliations: tuple[Affiliation, ...] = ()


class AuthorList(NamedTuple):
    """`kind` is `authors`, `editors` or None as PubMed states it; `complete=False` means "et al." is meant."""

    authors: tuple[Author, ...]
    complete: bool = True
    kind: str | None = None


class InvestigatorList(NamedTuple):
    """Collaborators of a group author, linked by `id` from `Author.investigators`."""

    investigators: tuple[Author, ...]
    id: str | None = None


class AbstractSection(NamedTuple):
    text: InlineXml
    label: str | None = None
    category: str | None = None


class Abstract(NamedTuple):
    sections: tuple[AbstractSection, ...]
    copyright: str | None = None


class OtherAbstract(NamedTuple):
    """A translation or lay summary; `kind` is `Publisher`, `plain-language-summary`, ...; language as in MARC."""

    sections: tuple[AbstractSection, ...]
    kind: str
    language: str = "eng"
    copyright: str | None = None


class Issn(NamedTuple):
    value: str
    kind: str


class Journal(NamedTuple):
    """`medline_ta` is the abbreviation NLM cites; `iso_abbreviation` may differ. `pub_date` is the issue's date."""

    title: str | None = None
    iso_abbreviation: str | None = None
    medline_ta: str | None = None
    nlm_unique_id: str | None = None
    issn: Issn | None = None
    issn_linking: str | None = None
    country: str | None = None
    volume: str | None = None
    issue: str | None = None
    cited_medium: str | None = None
    pub_date: PartialDate | None = None


class Pagination(NamedTuple):
    """`medline` is NLM's abbreviated form ("113-25"); start and end are full numbers where PubMed has them."""

    start: str | None = None
    end: str | None = None
    medline: str | None = None


class ELocation(NamedTuple):
    """`kind` is `doi` or `pii`; a `valid=False` value is known to be wrong and never used as an identifier."""

    value: str
    kind: str
    valid: bool = True


class ArticleDate(NamedTuple):
    date: PartialDate
    kind: str = "Electronic"


class PublicationType(NamedTuple):
    """Compare by UI; NLM renames types. Books may lack the UI."""

    ui: str | None
    name: str


class MeshTerm(NamedTuple):
    """A descriptor or qualifier; records exported before 2013 lack the UI."""

    ui: str | None
    name: str
    major: bool = False
    kind: str | None = None
    automatic: str | None = None


class MeshHeading(NamedTuple):
    descriptor: MeshTerm
    qualifiers: tuple[MeshTerm, ...] = ()

    @property
    def major(self) -> bool:
        """A heading is major when the descriptor or any qualifier is."""
        return self.descriptor.major or any(q.major for q in self.qualifiers)


class Chemical(NamedTuple):
    registry_number: str
    ui: str | None
    name: str


class SupplementaryConcept(NamedTuple):
    kind: str | None
    ui: str | None
    name: str


class DataBank(NamedTuple):
    name: str
    accessions: tuple[str, ...] = ()


class Grant(NamedTuple):
    id: str | None = None
    acronym: str | None = None
    agency: str | None = None
    country: str | None = None


class Keyword(NamedTuple):
    text: InlineXml
    major: bool = False


class KeywordList(NamedTuple):
    keywords: tuple[Keyword, ...]
    owner: str = "NLM"


class Correction(NamedTuple):
    """One `CommentsCorrections` link; `kind` is the RefType (`RetractionIn`, `ErratumFor`, `UpdateOf`, ...)."""

    kind: str
    source: str | None = None
    pmid: int | None = None
    pmid_version: int | None = None
    note: str | None = None


class OtherId(NamedTuple):
    source: str
    value: str


class GeneralNote(NamedTuple):
    text: str
    owner: str = "NLM"


class HistoryDate(NamedTuple):
    """`status` `entrez` is the Create Date [crdt], `pubmed` the Entry Date [edat], `medline` [mhda]."""

    status: str
    date: PartialDate
    hour: int | None = None
    minute: int | None = None
    second: int | None = None


class ArticleId(NamedTuple):
    value: str
    kind: str = "pubmed"


class Parameter(NamedTuple):
    name: str | None
    value: InlineXml


class PubmedObject(NamedTuple):
    kind: str | None
    parameters: tuple[Parameter, ...] = ()


class Reference(NamedTuple):
    """A cited work. `citation` may be None for a few damaged records."""

    citation: InlineXml | None
    ids: tuple[ArticleId, ...] = ()


class ReferenceList(NamedTuple):
    references: tuple[Reference, ...]
    title: str | None = None
    lists: tuple[ReferenceList, ...] = ()


class BookTitle(NamedTuple):
    """Title of a book or one of its parts with NCBI's link attributes."""

    text: InlineXml
    book: str | None = None
    part: str | None = None
    section: str | None = None


class LocationLabel(NamedTuple):
    text: str
    kind: str | None = None


class BookSection(NamedTuple):
    title: BookTitle | None
    label: LocationLabel | None = None
    sections: tuple[BookSection, ...] = ()


class ItemList(NamedTuple):
    kind: str
    items: tuple[str, ...]


class Book(NamedTuple):
    """The book that a `PubmedBookArticle` is, or is a chapter of. `title` of the chapter is `Citation.title`."""

    title: BookTitle
    publisher: InlineXml | None = None
    publisher_location: str | None = None
    pub_date: PartialDate | None = None
    beginning_date: PartialDate | None = None
    ending_date: PartialDate | None = None
    author_lists: tuple[AuthorList, ...] = ()
    investigator_list: InvestigatorList | None = None
    volume: str | None = None
    volume_title: InlineXml | None = None
    edition: str | None = None
    collection_title: BookTitle | None = None
    isbns: tuple[str, ...] = ()
    elocations: tuple[ELocation, ...] = ()
    medium: str | None = None
    report_number: str | None = None
    location_labels: tuple[LocationLabel, ...] = ()
    chapter_link: BookTitle | None = None
    contribution_date: PartialDate | None = None
    sections: tuple[BookSection, ...] = ()
    item_lists: tuple[ItemList, ...] = ()


class Unknown(NamedTuple):
    """What the DTD we know does not name: where it stood (`MedlineCitation/Article/Foo`, `.../@bar`) and its XML or value."""

    path: str
    xml: str


class Deleted(NamedTuple):
    """A record that NLM took out of PubMed, as an update file says."""

    pmid: int
    version: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Citation:
    """What we hold of one PubMed record; equal values mean equal records.

    `data_banks_complete`, `grants_complete` are None where PubMed sent no list. `number_of_references` is
    text as sent. `article_ids` are the article's own, never those of its references.
    """

    pmid: int
    version: int = 1
    version_id: str | None = None
    version_date: str | None = None
    status: str | None = None
    owner: str | None = None
    indexing_method: str | None = None
    completed_on: PartialDate | None = None
    revised_on: PartialDate | None = None
    pub_model: str | None = None
    journal: Journal | None = None
    title: InlineXml | None = None
    vernacular_title: InlineXml | None = None
    pagination: Pagination | None = None
    elocations: tuple[ELocation, ...] = ()
    abstract: Abstract | None = None
    author_lists: tuple[AuthorList, ...] = ()
    languages: tuple[str, ...] = ()
    data_banks: tuple[DataBank, ...] = ()
    data_banks_complete: bool | None = None
    grants: tuple[Grant, ...] = ()
    grants_complete: bool | None = None
    publication_types: tuple[PublicationType, ...] = ()
    article_dates: tuple[ArticleDate, ...] = ()
    chemicals: tuple[Chemical, ...] = ()
    supplementary_concepts: tuple[SupplementaryConcept, ...] = ()
    citation_subsets: tuple[str, ...] = ()
    corrections: tuple[Correction, ...] = ()
    gene_symbols: tuple[str, ...] = ()
    mesh_headings: tuple[MeshHeading, ...] = ()
    number_of_references: str | None = None
    personal_name_subjects: tuple[Author, ...] = ()
    other_ids: tuple[OtherId, ...] = ()
    other_abstracts: tuple[OtherAbstract, ...] = ()
    keyword_lists: tuple[KeywordList, ...] = ()
    coi_statement: InlineXml | None = None
    space_flight_missions: tuple[str, ...] = ()
    investigator_lists: tuple[InvestigatorList, ...] = ()
    general_notes: tuple[GeneralNote, ...] = ()
    history: tuple[HistoryDate, ...] = ()
    publication_status: str | None = None
    article_ids: tuple[ArticleId, ...] = ()
    objects: tuple[PubmedObject, ...] = ()
    reference_lists: tuple[ReferenceList, ...] = ()
    book: Book | None = None
    unknown: tuple[Unknown, ...] = ()

    @property
    def authors(self) -> tuple[Author, ...]:
        """Valid authors in order, editors left out; collective names stand where PubMed put them."""
        return tuple(a for each in self.author_lists if each.kind != "editors" for a in each.authors if a.valid)

    @property
    def authors_complete(self) -> bool:
        return all(each.complete for each in self.author_lists)

    @property
    def doi(self) -> str | None:
        """The article's own DOI: a valid ELocationID first, then its ArticleIdList; None if neither."""
        for location in self.elocations:
            if location.kind == "doi" and location.valid:
                return location.value
        return self.article_id("doi")

    @property
    def pmcid(self) -> str | None:
        """`PMC1234567`, or None."""
        return self.article_id("pmc")

    def article_id(self, kind: str) -> str | None:
        return next((each.value for each in self.article_ids if each.kind == kind), None)

    def history_date(self, status: str) -> PartialDate | None:
        """The first History date of that PubStatus: `entrez` [crdt], `pubmed` [edat], `medline` [mhda]."""
        return next((each.date for each in self.history if each.status == status), None)

    @property
    def pub_date(self) -> PartialDate | None:
        """Date of the journal issue or book, as precise as PubMed has it."""
        if self.journal is not None:
            return self.journal.pub_date
        return self.book.pub_date if self.book is not None else None

    @property
    def electronic_date(self) -> PartialDate | None:
        return self.article_dates[0].date if self.article_dates else None
