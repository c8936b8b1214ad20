"""Invented records in PubMed's XML, and a plain way to ask a sandbox."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from typing import Any, NamedTuple
from xml.sax.saxutils import escape

from lxml import etree

from monitor.pubmed.sandbox import Sandbox


def day(text: str, name: str = "", attributes: str = "") -> str:
    """`day("2024/03/05 06:42", "PubMedPubDate", ...)`: the date's parts in their elements."""
    date, _, clock = text.partition(" ")
    parts = dict(zip(("Year", "Month", "Day"), date.split("/"), strict=False))
    parts |= dict(zip(("Hour", "Minute"), clock.split(":"), strict=False)) if clock else {}
    inner = "".join(f"<{key}>{value}</{key}>" for key, value in parts.items())
    return f"<{name}{attributes}>{inner}</{name}>" if name else inner


def record(
    pmid: int,
    title: str = "Invented cells kill invented targets.",
    abstract: str | None = "Invented words.",
    crdt: str | None = "2024/01/16 03:12",
    edat: str | None = None,
    mhda: str | None = None,
    revised: str = "2024/03/20",
    version: int = 1,
    language: str = "eng",
    volume: str = "12",
    page: str = "101-109",
    year: str = "2024",
    journal: str = "Invented J Cell Ther",
    author: str = "Example",
    doi: str | None = None,
    pmc: str | None = None,
    mesh: tuple[str, ...] = (),
    cites: tuple[int, ...] = (),
) -> bytes:
    """Return one invented article as PubMed would write it."""
    history = "".join(
        day(when, "PubMedPubDate", f' PubStatus="{status}"')
        for status, when in (("pubmed", edat or crdt), ("medline", mhda or edat or crdt), ("entrez", crdt))
        if when
    )
    text = f"<Abstract><AbstractText>{escape(abstract)}</AbstractText></Abstract>" if abstract else ""
    headings = "".join(
        f'<MeshHeading><DescriptorName UI="{ui}" MajorTopicYN="N">{name}</DescriptorName></MeshHeading>'
        for ui, _, name in (each.partition(" ") for each in mesh)
    )
    ids = f'<ArticleId IdType="pubmed">{pmid}</ArticleId>'
    ids += f'<ArticleId IdType="doi">{doi}</ArticleId>' if doi else ""
    ids += f'<ArticleId IdType="pmc">{pmc}</ArticleId>' if pmc else ""
    cited = "".join(
        f'<Reference><Citation>Invented.</Citation><ArticleIdList><ArticleId IdType="pubmed">{each}</ArticleId>'
        "</ArticleIdList></Reference>"
        for each in cites
    )
    return f"""<PubmedArticle><MedlineCitation Status="{"MEDLINE" if mesh else "PubMed-not-MEDLINE"}" Owner="NLM">
<PMID Version="{version}">{pmid}</PMID>{day(revised, "DateRevised")}
<Article PubModel="Print"><Journal><ISSN IssnType="Electronic">9999-0001</ISSN><JournalIssue CitedMedium="Internet">
<Volume>{volume}</Volume><Issue>3</Issue><PubDate><Year>{year}</Year><Month>Mar</Month></PubDate></JournalIssue>
<Title>{journal} in full</Title><ISOAbbreviation>{journal}</ISOAbbreviation></Journal>
<ArticleTitle>{escape(title)}</ArticleTitle><Pagination><MedlinePgn>{page}</MedlinePgn></Pagination>{text}
<AuthorList CompleteYN="Y"><Author ValidYN="Y"><LastName>{author}</LastName><ForeName>Ada</ForeName>
<Initials>A</Initials></Author></AuthorList><Language>{language}</Language><PublicationTypeList>
<PublicationType UI="D016428">Journal Article</PublicationType></PublicationTypeList></Article>
<MedlineJournalInfo><Country>England</Country><MedlineTA>{journal}</MedlineTA><NlmUniqueID>999000001</NlmUniqueID>
</MedlineJournalInfo>{f"<MeshHeadingList>{headings}</MeshHeadingList>" if headings else ""}</MedlineCitation>
<PubmedData><History>{history}</History><PublicationStatus>ppublish</PublicationStatus>
<ArticleIdList>{ids}</ArticleIdList>{f"<ReferenceList>{cited}</ReferenceList>" if cited else ""}</PubmedData></PubmedArticle>""".encode()


def book(pmid: int, title: str = "Handbook of nothing") -> bytes:
    """Return one invented book."""
    return f"""<PubmedBookArticle><BookDocument><PMID Version="1">{pmid}</PMID><ArticleIdList>
<ArticleId IdType="bookaccession">NBK99{pmid}</ArticleId></ArticleIdList><Book><Publisher>
<PublisherName>Invented Press</PublisherName><PublisherLocation>Nowhere</PublisherLocation></Publisher>
<BookTitle book="invented">{title}</BookTitle><PubDate><Year>2023</Year></PubDate></Book><Language>eng</Language>
<PublicationType UI="D016454">Review</PublicationType></BookDocument><PubmedBookData><History>
{day("2023/05/01 10:00", "PubMedPubDate", ' PubStatus="entrez"')}</History><PublicationStatus>ppublish</PublicationStatus>
<ArticleIdList><ArticleId IdType="pubmed">{pmid}</ArticleId></ArticleIdList></PubmedBookData></PubmedBookArticle>""".encode()


class Reply(NamedTuple):
    """What came back."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def xml(self) -> Any:
        return etree.fromstring(self.body, etree.XMLParser(load_dtd=False, no_network=True))

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    def texts(self, path: str) -> list[str]:
        return [each.text or "" for each in self.xml.iterfind(f".//{path}")]

    @property
    def pmids(self) -> list[int]:
        return [int(each) for each in self.texts("IdList/Id")]

    @property
    def count(self) -> int:
        return int(self.texts("Count")[0])

    @property
    def fetched(self) -> list[int]:
        return [int(each.find(".//PMID").text) for each in self.xml]


def ask(
    sandbox: Sandbox, utility: str, get: bool = False, headers: dict[str, str] | None = None, **parameters: Any
) -> Reply:
    """POST (or GET) to a utility; status codes are answers too."""
    suffix = "cgi" if utility == "ecitmatch" else "fcgi"
    form = urllib.parse.urlencode(parameters, doseq=True)
    url = f"{sandbox.url}{utility}.{suffix}"
    request = urllib.request.Request(f"{url}?{form}" if get else url, None if get else form.encode(), headers or {})
    try:
        with urllib.request.urlopen(request, timeout=10) as reply:
            return Reply(reply.status, dict(reply.headers), reply.read())
    except urllib.error.HTTPError as error:
        with error:
            return Reply(error.code, dict(error.headers), error.read())


def until(true: Callable[[], bool]) -> None:
    """Wait for what another thread is about to do; ten seconds are a failure."""
    end = time.monotonic() + 10
    while not true():
        assert time.monotonic() < end
        time.sleep(0.02)
