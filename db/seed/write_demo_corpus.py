"""Turn `demo.yaml`, the invented papers of the demo, into PubMed XML with a timeline: `demo_corpus.xml`.

Run it after editing the papers: `python db/seed/write_demo_corpus.py`. A test holds the two files in step.
"""

from __future__ import annotations

import random
import sys
from datetime import date, timedelta
from html import unescape
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape, quoteattr

import yaml

HERE = Path(__file__).resolve().parent
MARK = "Invented for the demo of Evidence Monitor: not a real paper."
MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
JOURNALS = {
    "cell": ("Invented cell therapy", "Invented Cell Ther", "9900001"),
    "hepat": ("Invented journal of hepatology", "Invented Hepatol", "9900002"),
    "prex": ("Invented preprint server", "Invented Preprint Server", "9900003"),
    "immun": ("Frontiers of invented immunology", "Invented Front Immunol", "9900004"),
    "trans": ("Invented transplantation", "Invented Transplant", "9900005"),
    "oncol": ("Open oncology (invented)", "Invented Open Oncol", "9900006"),
    "stem": ("Invented stem cells", "Invented Stem Cells", "9900007"),
    "chin": ("Chinese journal of invented oncology", "Invented Zhonghua Zazhi", "9900008"),
    "engag": ("Engagers, an invented journal", "Invented Engagers", "9900009"),
    "letters": ("Letters in invented medicine", "Invented Lett", "9900010"),
}
TYPES = {
    "Journal Article": "D016428", "Review": "D016454", "Retracted Publication": "D016441", "Retraction Notice": "D016440",
    "Published Erratum": "D016425", "Expression of Concern": "D000075742", "Preprint": "D000076942", "Letter": "D016422",
    "Editorial": "D016421", "Comment": "D016420", "Randomized Controlled Trial": "D016449", "Meta-Analysis": "D017418",
    "Systematic Review": "D000078182", "Case Reports": "D002363", "Clinical Trial": "D016430",
    "Clinical Trial, Phase I": "D017426", "Clinical Trial, Phase II": "D017427", "Multicenter Study": "D016448",
    "Comparative Study": "D003160", "Observational Study": "D064888",
}  # fmt: skip
QUALIFIERS = {
    "transplantation": "Q000637",
    "pathology": "Q000473",
    "therapy": "Q000628",
    "immunology": "Q000276",
    "epidemiology": "Q000453",
}
CATEGORIES = {
    "BACKGROUND": "BACKGROUND",
    "OBJECTIVE": "OBJECTIVE",
    "METHODS": "METHODS",
    "RESULTS": "RESULTS",
    "CONCLUSIONS": "CONCLUSIONS",
}
SURNAMES = [
    "Exempla",
    "Sampson-Demo",
    "Fingida",
    "Invento",
    "Mockridge",
    "Placehold",
    "Fiktiv",
    "Kūsō",
    "Xunilin",
    "Zmyślona",
    "Imaginer",
    "Probewell",
]
FORENAMES = ["Ada", "Ben", "Clara", "Dmitri", "Eun-Ji", "Farid", "Grace", "Hana", "Ivo", "Jin", "Katya", "Lea"]
PLACES = [
    "Department of Invented Medicine, Example University",
    "Institute of Examples, Sample City",
    "Demo Hospital, Inventia",
]


def main() -> None:
    source = yaml.safe_load((HERE / "demo.yaml").read_text(encoding="utf-8"))
    (HERE / "demo_corpus.xml").write_text(corpus(source), encoding="utf-8")


def corpus(source: dict[str, Any]) -> str:
    """Return the whole file; every state of a record stands with the day from which PubMed would show it."""
    headings = _headings()
    states: list[tuple[str, int, str]] = []
    for paper in source["papers"]:
        current = dict(paper)
        later = current.pop("then", [])
        for change in [{"from": current["d"]}, *later]:
            current |= {key: value for key, value in change.items() if key != "from"}
            current["revised"] = change["from"]
            states.append((str(change["from"]), paper["n"], _record(current, headings)))
    states.sort(key=lambda state: state[:2])
    gone = {paper["n"]: str(paper["gone"]) for paper in source["papers"] if "gone" in paper}
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        '<!DOCTYPE PubmedArticleSet PUBLIC "-//NLM//DTD PubMedArticle, 1st January 2025//EN" '
        '"https://dtd.nlm.nih.gov/ncbi/pubmed/out/pubmed_250101.dtd">',
        f"<!-- {MARK} Every author, journal, trial, number and finding in this file is made up. -->",
        "<PubmedArticleSet>",
    ]
    for day, number, xml in states:
        until = f' gone="{gone[number]}"' if number in gone else ""
        lines += [f'<?sandbox visible="{day}"{until}?>', xml]
    deleted = "".join(f'<PMID Version="1">{pmid}</PMID>' for pmid in source["deleted"])
    lines += [f"<DeleteCitation>{deleted}</DeleteCitation>", "</PubmedArticleSet>", ""]
    return "\n".join(lines)


def _record(paper: dict[str, Any], headings: dict[str, str]) -> str:
    return _book(paper) if "book" in paper else _article(paper, headings)


def _article(p: dict[str, Any], headings: dict[str, str]) -> str:
    number, pmid = p["n"], 90000000 + p["n"]
    raw = p.get("raw", {})
    entered = date.fromisoformat(str(p["d"]))
    revised = date.fromisoformat(str(p["revised"]))
    title, ta, nlm_id = JOURNALS[p.get("j", list(JOURNALS)[number % len(JOURNALS)])]
    model = p.get("model", "Print-Electronic" if number % 3 else "Print")
    volume = p.get("vol", str(1 + number % 40))
    issue = p.get("issue", None if number > 200 else str(1 + number % 12))
    pages = p.get("pages", None if number > 200 else f"{number * 3}-{number * 3 + 8}")
    published = str(p.get("pub", f"{entered:%Y} {MONTHS[entered.month - 1]}"))
    if p.get("ecollection"):
        published = str(p["ecollection"])
    epub = p.get("epub", entered if "Electronic" in model and "pub" not in p else None)
    if model.startswith("Electronic") and epub is None:
        epub = entered
    types = list(p.get("pt", ["Journal Article"]))
    if p.get("retracted"):
        types.append("Retracted Publication")
    mesh = p.get("mesh", [])
    status = p.get("status", "MEDLINE" if mesh else "Publisher")
    indexed = f"{' IndexingMethod=' + quoteattr(p['indexing']) if 'indexing' in p else ''}"
    extra = "".join(f" {k}={quoteattr(str(v))}" for k, v in p.get("attributes", {}).get("MedlineCitation", {}).items())
    yes = "" if p.get("bare") else ' ValidYN="Y"'
    out = [
        "<PubmedArticle>",
        f'<MedlineCitation Status="{status}"' + ("" if p.get("bare") else f' Owner="{p.get("owner", "NLM")}"') + f"{indexed}{extra}>",
        f'<PMID Version="{p.get("version", 1)}">{pmid}</PMID>',
        _dated("DateCompleted", revised) if status == "MEDLINE" else "",
        _dated("DateRevised", revised),
        f'<Article PubModel="{model}">',
        f'<Journal><ISSN IssnType="Electronic">9999-{number:04d}</ISSN><JournalIssue CitedMedium="Internet">'
        + _element("Volume", volume) + _element("Issue", issue) + _pub_date(published)
        + f"</JournalIssue><Title>{title}</Title><ISOAbbreviation>{ta}.</ISOAbbreviation></Journal>",
        f"<ArticleTitle>{_inline(p.get('title_prefix', '') + (p['t'] or ''), stop=True)}</ArticleTitle>",
        raw.get("pagination", f"<Pagination><MedlinePgn>{pages}</MedlinePgn></Pagination>" if pages else ""),
        raw.get("elocation", (f'<ELocationID EIdType="pii"{yes}>{p["elocation"]}</ELocationID>' if "elocation" in p else "")
        + f'<ELocationID EIdType="doi"{yes}>10.5555/demo.{pmid}</ELocationID>'),
        _abstract(p.get("a"), p.get("copyright")),
        _authors(p),
        "".join(f"<Language>{code}</Language>" for code in p.get("lang", ["eng"])),
        _data_banks(p.get("nct", [])),
        raw.get("grants", ""),
        "<PublicationTypeList>" + "".join(f'<PublicationType UI="{TYPES[name]}">{name}</PublicationType>' for name in types) + "</PublicationTypeList>",
        f"<VernacularTitle>{_inline(p['vernacular'])}</VernacularTitle>" if "vernacular" in p else "",
        _dated("ArticleDate", date.fromisoformat(str(epub)), "" if p.get("bare") else ' DateType="Electronic"') if epub else "",
        raw.get("article_end", ""),
        "</Article>",
        f"<MedlineJournalInfo><Country>Nowhere</Country><MedlineTA>{ta}</MedlineTA><NlmUniqueID>{nlm_id}</NlmUniqueID></MedlineJournalInfo>",
        raw.get("chemicals", ""),
        "<CitationSubset>IM</CitationSubset>" if status == "MEDLINE" else "",
        _corrections(p.get("corrections", [])),
        raw.get("gene", ""),
        _mesh(mesh, headings, bare=bool(p.get("bare"))),
        raw.get("refcount", ""),
        "".join(_other_abstract(each) for each in p.get("other", [])),
        _keywords(p.get("kw", []), "NOTNLM"),
        _keywords(p.get("kwother", []), "NASA"),
        raw.get("coi", ""),
        raw.get("medline_end", f'<GeneralNote Owner="NLM">{MARK}</GeneralNote>'),
        "</MedlineCitation>",
        "<PubmedData>",
        _history(p, entered, revised, bool(mesh), raw.get("history", "")),
        f"<PublicationStatus>{p.get('pubstatus', 'epublish' if model.startswith('Electronic') else 'ppublish')}</PublicationStatus>",
        f'<ArticleIdList><ArticleId{"" if p.get("bare") else " IdType=" + quoteattr("pubmed")}>{pmid}</ArticleId><ArticleId IdType="doi">10.5555/demo.{pmid}</ArticleId>'
        + (f'<ArticleId IdType="pmc">PMC{pmid}</ArticleId>' if number % 5 == 0 else "") + "</ArticleIdList>",
        raw.get("pubmed_end", ""),
        _references(p.get("refs", [])),
        "</PubmedData>",
        "</PubmedArticle>",
    ]  # fmt: skip
    return "\n".join(line for line in out if line)


def _book(p: dict[str, Any]) -> str:
    pmid = 90000000 + p["n"]
    day = date.fromisoformat(str(p["d"]))
    chapter = p["book"] == "chapter"
    title = f'<ArticleTitle book="inventedbook" part="ch1">{_inline(p["t"])}</ArticleTitle>' if chapter else ""
    return "\n".join(
        [
            "<PubmedBookArticle><BookDocument>",
            f'<PMID Version="1">{pmid}</PMID>',
            f'<ArticleIdList><ArticleId IdType="bookaccession">NBK{pmid}</ArticleId></ArticleIdList>',
            "<Book><Publisher><PublisherName>Invented Press</PublisherName><PublisherLocation>Sample City (XX)</PublisherLocation></Publisher>",
            '<BookTitle book="inventedbook">The invented book of NK cell infusions</BookTitle><PubDate><Year>2026</Year></PubDate>',
            "<BeginningDate><Year>2020</Year></BeginningDate>",
            '<AuthorList Type="editors" CompleteYN="Y"><Author ValidYN="Y"><LastName>Editora</LastName><ForeName>Eva</ForeName><Initials>E</Initials></Author></AuthorList>',
            "<Edition>2</Edition><Isbn>9780000000000</Isbn><Medium>Internet</Medium></Book>",
            f"{'<LocationLabel Type=' + quoteattr('chapter') + '>Chapter 1</LocationLabel>' if chapter else ''}{title}",
            "<Language>eng</Language>",
            '<AuthorList Type="authors" CompleteYN="Y"><Author ValidYN="Y"><LastName>Kapitel</LastName><ForeName>Karl</ForeName><Initials>K</Initials></Author></AuthorList>',
            '<PublicationType UI="D016454">Review</PublicationType>',
            _abstract(p["a"], None),
            '<Sections><Section><LocationLabel Type="section">1</LocationLabel><SectionTitle book="inventedbook" part="ch1" sec="s1">What is infused</SectionTitle></Section></Sections>',
            _dated("ContributionDate", day),
            _dated("DateRevised", day),
            f'<ItemList ListType="Synonyms"><Item>{MARK}</Item></ItemList>',
            "</BookDocument><PubmedBookData>",
            _history(p, day, day, False, ""),
            f'<PublicationStatus>ppublish</PublicationStatus><ArticleIdList><ArticleId IdType="pubmed">{pmid}</ArticleId></ArticleIdList>',
            "</PubmedBookData></PubmedBookArticle>",
        ]
    )


def _inline(text: str, *, stop: bool = False) -> str:
    """Escape plain text; text with tags or entities is inline XML already. A title ends with its own full stop."""
    xml = text if "<" in text or "&" in text else escape(text)
    return xml if not (stop and xml) or xml[-1] in ".?!" else xml + "."


def _element(name: str, value: object) -> str:
    return "" if value is None else f"<{name}>{escape(unescape(str(value)))}</{name}>"


def _dated(name: str, day: date, attributes: str = "") -> str:
    return f"<{name}{attributes}><Year>{day:%Y}</Year><Month>{day:%m}</Month><Day>{day:%d}</Day></{name}>"


def _pub_date(text: str) -> str:
    words = text.split()
    if text.startswith("medline: "):
        inner = _element("MedlineDate", text.removeprefix("medline: "))
    elif len(words) > 1 and "-" in words[1]:
        inner = _element("MedlineDate", text)
    elif len(words) == 2 and words[1] not in MONTHS:
        inner = _element("Year", words[0]) + _element("Season", words[1])
    else:
        inner = "".join(_element(name, word) for name, word in zip(("Year", "Month", "Day"), words, strict=False))
    return f"<PubDate>{inner}</PubDate>"


def _abstract(value: object, notice: str | None) -> str:
    if value is None:
        return ""
    return f"<Abstract>{_sections(value)}{_element('CopyrightInformation', notice)}</Abstract>"


def _sections(value: Any) -> str:
    if isinstance(value, str):
        return f"<AbstractText>{_inline(value)}</AbstractText>"
    pairs = value.items() if isinstance(value, dict) else value
    out = ""
    for label, text in pairs:
        category = CATEGORIES.get(label, "UNASSIGNED")
        out += f"<AbstractText{f' Label={quoteattr(label)} NlmCategory={quoteattr(category)}' if label else ''}>{_inline(text)}</AbstractText>"
    return out


def _other_abstract(each: dict[str, str]) -> str:
    return f'<OtherAbstract Type="{each["kind"]}" Language="{each["lang"]}"><AbstractText>{_inline(each["a"])}</AbstractText></OtherAbstract>'


def _authors(p: dict[str, Any]) -> str:
    authors = p.get("authors")
    if authors == "none":
        return ""
    if authors is None:
        choose = random.Random(p["n"])
        names = choose.sample(SURNAMES, choose.choice([2, 3, 4, 5]))
        authors = [
            {
                "last": last,
                "fore": (fore := choose.choice(FORENAMES)),
                "initials": fore[0],
                "aff": [choose.choice(PLACES)],
            }
            for last in names
        ]
    complete = "" if p.get("bare") else f' CompleteYN="{p.get("complete", "Y")}"'
    return (
        f"<AuthorList{complete}>"
        + "".join(_author(each, bare=bool(p.get("bare"))) for each in authors)
        + "</AuthorList>"
    )


def _author(each: Any, *, bare: bool) -> str:
    if isinstance(each, str):
        last, _, fore = each.partition(", ")
        each = {"last": last, "fore": fore or None, "initials": fore[:1] or None}
    if "group" in each:
        link = f' Investigators="{each["investigators"]}"' if "investigators" in each else ""
        inner = f"<CollectiveName{link}>{_inline(each['group'])}</CollectiveName>"
    else:
        inner = (
            _element("LastName", each["last"])
            + _element("ForeName", each.get("fore"))
            + _element("Initials", each.get("initials"))
            + _element("Suffix", each.get("suffix"))
        )
    if "orcid" in each:
        inner += f'<Identifier Source="ORCID">{each["orcid"]}</Identifier>'
    inner += "".join(
        f"<AffiliationInfo><Affiliation>{_inline(place)}</Affiliation></AffiliationInfo>"
        for place in each.get("aff", [])
    )
    equal = f' EqualContrib="{each["equal"]}"' if "equal" in each else ""
    valid = "" if bare else f' ValidYN="{each.get("valid", "Y")}"'
    return f"<Author{valid}{equal}>{inner}</Author>"


def _data_banks(numbers: list[str]) -> str:
    if not numbers:
        return ""
    banks = "".join(
        f"<DataBank><DataBankName>{'ClinicalTrials.gov' if number.startswith('NCT') else 'ISRCTN'}</DataBankName>"
        f"<AccessionNumberList><AccessionNumber>{number}</AccessionNumber></AccessionNumberList></DataBank>"
        for number in numbers
    )
    return f'<DataBankList CompleteYN="Y">{banks}</DataBankList>'


def _corrections(items: list[dict[str, Any]]) -> str:
    if not items:
        return ""
    links = "".join(
        f'<CommentsCorrections RefType="{each["kind"]}"><RefSource>{escape(each["source"])}</RefSource>'
        + (f'<PMID Version="1">{90000000 + each["pmid"]}</PMID>' if "pmid" in each else "")
        + "</CommentsCorrections>"
        for each in items
    )
    return f"<CommentsCorrectionsList>{links}</CommentsCorrectionsList>"


def _mesh(items: list[str], headings: dict[str, str], *, bare: bool) -> str:
    if not items:
        return ""
    out = ""
    for item in items:
        name, _, rest = item.partition("/")
        name, geographic = name.removesuffix(":geo"), name.endswith(":geo")
        major = name.startswith("*")
        name = name.removeprefix("*")
        kind = ' Type="Geographic"' if geographic else ""
        flag = "" if bare else f' MajorTopicYN="{"Y" if major else "N"}"'
        out += f'<MeshHeading><DescriptorName UI="{headings[name]}"{kind}{flag}>{escape(name)}</DescriptorName>'
        for qualifier in rest.split("/") if rest else []:
            plain = qualifier.removeprefix("*")
            out += f'<QualifierName UI="{QUALIFIERS[plain]}" MajorTopicYN="{"Y" if qualifier != plain else "N"}">{plain}</QualifierName>'
        out += "</MeshHeading>"
    return f"<MeshHeadingList>{out}</MeshHeadingList>"


def _keywords(words: list[str], owner: str) -> str:
    if not words:
        return ""
    return (
        f'<KeywordList Owner="{owner}">'
        + "".join(f'<Keyword MajorTopicYN="N">{_inline(word)}</Keyword>' for word in words)
        + "</KeywordList>"
    )


def _references(items: list[dict[str, Any]]) -> str:
    if not items:
        return ""
    out = ""
    for each in items:
        ids = "".join(f'<ArticleId IdType="{kind}">{value}</ArticleId>' for kind, value in each.get("ids", {}).items())
        out += f"<Reference><Citation>{_inline(each['c'])}</Citation>{f'<ArticleIdList>{ids}</ArticleIdList>' if ids else ''}</Reference>"
    return f"<ReferenceList><Title>References</Title>{out}</ReferenceList>"


def _history(p: dict[str, Any], entered: date, revised: date, indexed: bool, more: str) -> str:
    entry = date.fromisoformat(str(p["edat"])) if "edat" in p else entered + timedelta(days=p["n"] % 2)
    medline = revised if indexed else entry
    dates = [("received", entered - timedelta(days=80)), ("medline", medline), ("pubmed", entry), ("entrez", entered)]
    inner = more
    for name, day in dates:
        clock = "<Hour>6</Hour><Minute>0</Minute>" if name != "received" else ""
        inner += f'<PubMedPubDate PubStatus="{name}"><Year>{day.year}</Year><Month>{day.month}</Month><Day>{day.day}</Day>{clock}</PubMedPubDate>'
    return f"<History>{inner}</History>"


def _headings() -> dict[str, str]:
    """MeSH heading -> UI: from the tree that ships with us, and from this short list for what it leaves out."""
    found = dict(ELSEWHERE)
    path = HERE / "mesh_tree.tsv"
    for line in path.read_text(encoding="utf-8").splitlines():
        if not line.startswith("#") and line.count("\t") >= 1:
            ui, name = line.split("\t")[:2]
            found[name] = ui
    return found


ELSEWHERE = {
    "Cold Temperature": "D003080", "Humans": "D006801", "Adult": "D000328", "Interleukin-2": "D007376", "Glycosylation": "D006031",
    "Macrophages": "D008264", "Receptors, Cytoplasmic and Nuclear": "D018160", "Length of Stay": "D007902",
    "Immunization, Passive": "D007116", "Mice": "D051379", "Bone Transplantation": "D016025", "Platelet Transfusion": "D017713",
    "Mesenchymal Stem Cells": "D059630", "Hepatectomy": "D006498", "Hepatocytes": "D022781", "Germany": "D005858",
}  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
