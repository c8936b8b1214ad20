"""Invented PubMed XML in the size and shape of real records, for benchmarks; nothing in it is real."""

from __future__ import annotations

import random
from collections.abc import Iterator
from html import escape

FIRST_PMID = 90_000_001

_PROLOG = (
    '<?xml version="1.0" encoding="utf-8"?>\n'
    '<!DOCTYPE PubmedArticleSet PUBLIC "-//NLM//DTD PubMedArticle, 1st January 2025//EN" '
    '"https://dtd.nlm.nih.gov/ncbi/pubmed/out/pubmed_250101.dtd">\n<PubmedArticleSet>\n'
)
_WORDS = (  # noqa: SIM905
    "natural killer cells induced pluripotent chimeric antigen receptor cytokine expansion patients tumour survival"
    " response dose cohort infusion median months toxicity persistence donor feeder culture lymphoma leukaemia"
    " myeloma solid relapsed refractory randomised controlled phase safety efficacy marker expression pathway gene"
    " protein mouse model in vitro assay measured significant increase decrease compared with baseline after before"
    " treatment group placebo complete partial remission progression free overall interval confidence hazard ratio"
    " the of and in to a for was were that by from we is are this between both among which not may"
).split()
_NAMES = "Invented Madeup Nosuch Fictive Imagined Pretend Mock Sample Dummy Notional Assumed Supposed".split()  # noqa: SIM905
_GIVEN = "Ada Bo Cai Dana Eli Fay Gus Hana Ivo Jun Kim Lea Mio Nia Oto Pia Quy Rae Sol Tam".split()  # noqa: SIM905
_JOURNALS = [(f"Invented journal of field {i}", f"Invented J Field {i}", f"{9_900_000 + i}") for i in range(60)]
_MESH = [(f"D99{i:04}", f"Invented Heading {i}") for i in range(400)]
_QUALIFIERS = [(f"Q99{i:04}", f"invented aspect {i}") for i in range(30)]
_LABELS = ("BACKGROUND", "METHODS", "RESULTS", "CONCLUSIONS")


def invented_xml(n: int, seed: int, modern: bool = True) -> Iterator[bytes]:
    """Yield a whole `PubmedArticleSet` of `n` invented records, one record a piece.

    Modern records are about 8 KB with structured abstracts, affiliations, keywords and references; the others
    have the shape of the 1970s: no affiliations, MeSH on all, an abstract on half. Equal seeds give equal bytes.
    PMIDs count up from `FIRST_PMID`.
    """
    dice = random.Random(f"{seed}-{modern}")
    yield _PROLOG.encode()
    for k in range(n):
        yield (_modern if modern else _old)(FIRST_PMID + k, dice).encode()
    yield b"</PubmedArticleSet>\n"


def _words(dice: random.Random, count: int) -> str:
    return " ".join(dice.choices(_WORDS, k=count))


def _sentences(dice: random.Random, count: int) -> str:
    out = [_words(dice, dice.randint(12, 26)).capitalize() + "." for _ in range(count)]
    if dice.random() < 0.3:
        out.append(f"CO<sub>2</sub> and <i>in vivo</i> counts differed (p &lt; 0.0{dice.randint(1, 5)}).")
    return " ".join(out)


def _date(tag: str, dice: random.Random, first: int, last: int, attributes: str = "") -> str:
    return (
        f"<{tag}{attributes}>\n<Year>{dice.randint(first, last)}</Year>\n<Month>{dice.randint(1, 12):02}</Month>\n"
        f"<Day>{dice.randint(1, 28):02}</Day>\n</{tag}>\n"
    )


def _history(dice: random.Random, statuses: tuple[str, ...], first: int, last: int) -> str:
    out = ["<History>\n"]
    for status in statuses:
        out.append(
            f'<PubMedPubDate PubStatus="{status}">\n<Year>{dice.randint(first, last)}</Year>\n'
            f"<Month>{dice.randint(1, 12)}</Month>\n<Day>{dice.randint(1, 28)}</Day>\n"
            + (f"<Hour>{dice.randint(0, 23)}</Hour>\n<Minute>0</Minute>\n" if status in ("pubmed", "entrez") else "")
            + "</PubMedPubDate>\n"
        )
    return "".join(out) + "</History>\n"


def _mesh(dice: random.Random, count: int) -> str:
    out = ["<MeshHeadingList>\n"]
    for ui, name in dice.sample(_MESH, count):
        out.append(
            f'<MeshHeading>\n<DescriptorName UI="{ui}" MajorTopicYN="{dice.choice("NNY")}">{name}</DescriptorName>\n'
        )
        for q_ui, q_name in dice.sample(_QUALIFIERS, dice.choice((0, 0, 0, 1, 1, 1))):
            out.append(f'<QualifierName UI="{q_ui}" MajorTopicYN="{dice.choice("NNY")}">{q_name}</QualifierName>\n')
        out.append("</MeshHeading>\n")
    return "".join(out) + "</MeshHeadingList>\n"


def _author(dice: random.Random, affiliation: str = "") -> str:
    given = dice.choice(_GIVEN)
    return (
        f'<Author ValidYN="Y">\n<LastName>{dice.choice(_NAMES)}{dice.randint(1, 999)}</LastName>\n'
        f"<ForeName>{given} {dice.choice(_GIVEN)[0]}</ForeName>\n<Initials>{given[0]}</Initials>\n{affiliation}</Author>\n"
    )


def _modern(pmid: int, dice: random.Random) -> str:
    title, abbreviation, nlm_id = dice.choice(_JOURNALS)
    doi = f"10.99999/invented.{pmid}"
    indexed = dice.random() < 0.2
    status = "MEDLINE" if indexed else dice.choice(("Publisher", "In-Process", "PubMed-not-MEDLINE"))
    out = [
        f'<PubmedArticle>\n<MedlineCitation Status="{status}" Owner="NLM">\n<PMID Version="1">{pmid}</PMID>\n',
        _date("DateCompleted", dice, 2021, 2024) if indexed else "",
        _date("DateRevised", dice, 2021, 2024),
        '<Article PubModel="Print-Electronic">\n<Journal>\n<ISSN IssnType="Electronic">9999-9990</ISSN>\n'
        f'<JournalIssue CitedMedium="Internet">\n<Volume>{dice.randint(1, 90)}</Volume>\n<Issue>{dice.randint(1, 12)}</Issue>\n'
        f"<PubDate>\n<Year>{dice.randint(2021, 2024)}</Year>\n<Month>{dice.choice(('Jan', 'May', 'Sep'))}</Month>\n</PubDate>\n"
        f"</JournalIssue>\n<Title>{title}</Title>\n<ISOAbbreviation>{abbreviation}</ISOAbbreviation>\n</Journal>\n"
        f"<ArticleTitle>Invented study {pmid}: {_words(dice, 12)}.</ArticleTitle>\n"
        f"<Pagination>\n<StartPage>{dice.randint(1, 900)}</StartPage>\n<MedlinePgn>{dice.randint(1, 900)}</MedlinePgn>\n</Pagination>\n"
        f'<ELocationID EIdType="doi" ValidYN="Y">{doi}</ELocationID>\n',
    ]
    if dice.random() < 0.9:
        out.append("<Abstract>\n")
        if dice.random() < 0.4:
            out += [
                f'<AbstractText Label="{label}" NlmCategory="{label}">{_sentences(dice, 3)}</AbstractText>\n'
                for label in _LABELS
            ]
        else:
            out.append(f"<AbstractText>{_sentences(dice, 10)}</AbstractText>\n")
        out.append("</Abstract>\n")
    out.append('<AuthorList CompleteYN="Y">\n')
    for _ in range(dice.randint(2, 11)):
        place = f"Department of {_words(dice, 3)}, Invented University, Nowhere {dice.randint(1000, 99999)}, Atlantis."
        out.append(
            _author(dice, f"<AffiliationInfo>\n<Affiliation>{escape(place)}</Affiliation>\n</AffiliationInfo>\n")
        )
    out.append(
        "</AuthorList>\n<Language>eng</Language>\n<PublicationTypeList>\n"
        '<PublicationType UI="D016428">Journal Article</PublicationType>\n</PublicationTypeList>\n'
        + _date("ArticleDate", dice, 2021, 2024, ' DateType="Electronic"')
        + f"</Article>\n<MedlineJournalInfo>\n<Country>Atlantis</Country>\n<MedlineTA>{abbreviation}</MedlineTA>\n"
        f"<NlmUniqueID>{nlm_id}</NlmUniqueID>\n<ISSNLinking>9999-9991</ISSNLinking>\n</MedlineJournalInfo>\n"
    )
    if indexed:
        out.append(
            '<ChemicalList>\n<Chemical>\n<RegistryNumber>0</RegistryNumber>\n<NameOfSubstance UI="D990001">Inventin'
            "</NameOfSubstance>\n</Chemical>\n</ChemicalList>\n<CitationSubset>IM</CitationSubset>\n"
            + _mesh(dice, dice.randint(6, 14))
        )
    out.append('<KeywordList Owner="NOTNLM">\n')
    out += [f'<Keyword MajorTopicYN="N">{_words(dice, 2)}</Keyword>\n' for _ in range(dice.randint(3, 6))]
    out.append(
        "</KeywordList>\n<CoiStatement>The invented authors declare none.</CoiStatement>\n</MedlineCitation>\n<PubmedData>\n"
        + _history(dice, ("received", "revised", "accepted", "pubmed", "medline", "entrez"), 2020, 2024)
        + "<PublicationStatus>ppublish</PublicationStatus>\n<ArticleIdList>\n"
        f'<ArticleId IdType="pubmed">{pmid}</ArticleId>\n<ArticleId IdType="doi">{doi}</ArticleId>\n'
        f'<ArticleId IdType="pii">INV-{pmid}</ArticleId>\n</ArticleIdList>\n'
    )
    count = dice.choice((0, 0, 4, 10, 16, 30))
    if count:
        out.append("<ReferenceList>\n")
        for _ in range(count):
            cited = dice.randint(91_000_000, 98_000_000)
            known = f'<ArticleId IdType="pubmed">{cited}</ArticleId>\n'
            if dice.random() < 0.4:
                known = f'<ArticleId IdType="doi">10.99999/cited.{cited}</ArticleId>\n{known}'
            out.append(
                f"<Reference>\n<Citation>{dice.choice(_NAMES)} {dice.choice(_GIVEN)[0]}. {_words(dice, 7)}. {abbreviation}. "
                f"2019;{dice.randint(1, 99)}:{dice.randint(1, 999)}.</Citation>\n"
                f"<ArticleIdList>\n{known}</ArticleIdList>\n</Reference>\n"
            )
        out.append("</ReferenceList>\n")
    return _indented("".join(out) + "</PubmedData>\n</PubmedArticle>\n")


def _old(pmid: int, dice: random.Random) -> str:
    title, abbreviation, nlm_id = dice.choice(_JOURNALS)
    year = dice.randint(1972, 1980)
    page = dice.randint(1, 900)
    out = [
        f'<PubmedArticle>\n<MedlineCitation Status="MEDLINE" Owner="NLM">\n<PMID Version="1">{pmid}</PMID>\n',
        _date("DateCompleted", dice, year, year + 1) + _date("DateRevised", dice, 2003, 2019),
        '<Article PubModel="Print">\n<Journal>\n<ISSN IssnType="Print">9999-9992</ISSN>\n'
        f'<JournalIssue CitedMedium="Print">\n<Volume>{dice.randint(1, 90)}</Volume>\n<Issue>{dice.randint(1, 12)}</Issue>\n'
        f"<PubDate>\n<Year>{year}</Year>\n<Month>Jun</Month>\n</PubDate>\n</JournalIssue>\n"
        f"<Title>{title}</Title>\n<ISOAbbreviation>{abbreviation}</ISOAbbreviation>\n</Journal>\n"
        f"<ArticleTitle>Invented report {pmid}: {_words(dice, 8)}.</ArticleTitle>\n"
        f"<Pagination>\n<MedlinePgn>{page}-{page % 90 + 9}</MedlinePgn>\n</Pagination>\n",
    ]
    if dice.random() < 0.5:
        out.append(f"<Abstract>\n<AbstractText>{_sentences(dice, 7)}</AbstractText>\n</Abstract>\n")
    out.append('<AuthorList CompleteYN="Y">\n')
    out += [_author(dice) for _ in range(dice.randint(1, 5))]
    out.append(
        "</AuthorList>\n<Language>eng</Language>\n<PublicationTypeList>\n"
        '<PublicationType UI="D016428">Journal Article</PublicationType>\n</PublicationTypeList>\n</Article>\n'
        f"<MedlineJournalInfo>\n<Country>Atlantis</Country>\n<MedlineTA>{abbreviation}</MedlineTA>\n"
        f"<NlmUniqueID>{nlm_id}</NlmUniqueID>\n<ISSNLinking>9999-9992</ISSNLinking>\n</MedlineJournalInfo>\n"
        '<ChemicalList>\n<Chemical>\n<RegistryNumber>0</RegistryNumber>\n<NameOfSubstance UI="D990001">Inventin'
        "</NameOfSubstance>\n</Chemical>\n</ChemicalList>\n<CitationSubset>IM</CitationSubset>\n"
        + _mesh(dice, dice.randint(6, 14))
        + "</MedlineCitation>\n<PubmedData>\n"
        + _history(dice, ("pubmed", "medline", "entrez"), year, year)
        + "<PublicationStatus>ppublish</PublicationStatus>\n<ArticleIdList>\n"
        f'<ArticleId IdType="pubmed">{pmid}</ArticleId>\n</ArticleIdList>\n'
    )
    return _indented("".join(out) + "</PubmedData>\n</PubmedArticle>\n")


def _indented(xml: str) -> str:
    """Indent as NLM's bulk files do; white space is a good part of what a parser reads."""
    out, depth = [], 1
    for line in xml.splitlines():
        closing = line.startswith("</")
        depth -= closing
        out.append("  " * depth + line)
        if line.startswith("<") and not closing and "</" not in line:
            depth += 1
    return "\n".join(out) + "\n"
