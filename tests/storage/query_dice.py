"""Throws dice for citations and for searches that ask for what stands in them, and for what does not."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from datetime import date, timedelta

from monitor.core.citation import (
    Abstract,
    AbstractSection,
    Affiliation,
    ArticleDate,
    ArticleId,
    Author,
    AuthorList,
    Chemical,
    Citation,
    Correction,
    DataBank,
    ELocation,
    Grant,
    HistoryDate,
    Identifier,
    InlineXml,
    Issn,
    Journal,
    Keyword,
    KeywordList,
    MeshHeading,
    MeshTerm,
    OtherAbstract,
    Pagination,
    PartialDate,
    PublicationType,
    SupplementaryConcept,
)
from monitor.core.query import MeshTree, Own, Query, document, parse
from monitor.core.query.dates import citation_days
from monitor.core.query.document import TEXT_FIELDS
from monitor.core.query.fields import DATE_FIELDS, OWN_FIELDS
from monitor.core.query.people import people
from monitor.core.query.words import split_words
from monitor.errors import QuerySyntaxError
from tests.factories import FIRST_PMID

TODAY = date(2026, 11, 22)
TOPICS = ("car-nk", "ipsc-nk", "cik")
TAGS = ("first in human", "solid tumour", "car-nk", "早期", "safety & dose", "crs", "crs/absent", "crs/reported")
LEVELS = ("A", "B1", "B2", "none")
CLAIMS = ("C01", "C02", "C12")

_WORDS = (  # noqa: SIM905
    "natural killer cells cell CAR-NK NK-92 anti-PD-1 PD-1 IL-2 IL-15 the of and in with not cytotoxicity cytotoxic therapy"
    " therapies receptor receptors patients patient immune immunity immunotherapy tumour naïve β-cell IFN-γ Ångström"
    " expansion expanded donor donors CD3+CD56+ T-cell feeder-free Sørensen 10.99999/x 92 2024 co-culture its ability"
).split()
_OFTEN = ("tiab",) * 16 + ("ti",) * 8 + ("tw",) * 6 + ("all",) * 4
_CHINESE = ("自然杀伤细胞", "免疫治疗", "肿瘤", "细胞治疗", "杀伤", "γδT细胞")
_SURNAMES = ("Invented", "García Sánchez", "de la Madeup", "Nosuch", "O'Fictive", "Müller-Example", "Li", "Ångström")
_FORENAMES = (("Ada B", "AB"), ("Bo", "B"), ("Li-Na", "LN"), ("A", "A"), ("Jörg", "J"), (None, None))
_JOURNALS = (
    ("Invented journal of cell therapy", "Invent. J. Cell Ther.", "Invented J Cell Ther", "999000001", "9999-0001"),
    ("Cells & nonsense", "Cells Nonsense", "Cells Nonsense", "999000002", "9999-0002"),
    ("Blood of nowhere", "Blood Nowhere", "Blood", "999000003", "9999-000X"),
)
_TYPES = (
    ("D016428", "Journal Article"), ("D016454", "Review"), ("D016449", "Randomized Controlled Trial"), ("D016430", "Clinical Trial"),
    (None, "Clinical Trial, Phase I"), ("D016441", "Retracted Publication"), ("D016440", "Retraction of Publication"), (None, "Fable"),
    ("D000076942", "Preprint"),
)  # fmt: skip
_QUALIFIERS = (
    ("Q000628", "therapy"),
    ("Q000188", "drug therapy"),
    ("Q000276", "immunology"),
    ("Q000637", "transplantation"),
)
_STATUSES = ("MEDLINE", "Publisher", "In-Process", "PubMed-not-MEDLINE", "In-Data-Review", "OLDMEDLINE")
_LINKS = ("ErratumIn", "RetractionIn", "ExpressionOfConcernIn", "CommentOn", "UpdateOf", "AssociatedDataset")
_HEADINGS = (
    "D007694",
    "D015979",
    "D006801",
    "D000818",
    "D008175",
    "D001943",
    "D009369",
    "D019264",
    "D016219",
    "D007155",
)


def invented(count: int, tree: MeshTree, seed: int = 1) -> list[Citation]:
    """Citations with few different words, so that searches of several find some; PMIDs leave gaps."""
    dice = random.Random(seed)
    pmids = sorted(dice.sample(range(FIRST_PMID, FIRST_PMID + 3 * count), count))
    return [_citation(dice, pmid, tree) for pmid in pmids]


def known_of(citations: Sequence[Citation], seed: int = 1) -> dict[int, Own]:
    """What a lab might know of each of them."""
    dice = random.Random(seed)

    def few(values: Sequence[str], most: int) -> frozenset[str]:
        return frozenset(dice.sample(values, dice.randint(0, most)))

    return {
        each.pmid: Own(
            few(TOPICS, 2), few(TOPICS, 1), few(TAGS, 2), few(LEVELS, 1), few(CLAIMS, 2),
            dice.choice(("open", "open", "keep", "maybe", "dismiss")), TODAY - timedelta(days=20 * dice.randint(0, 40)),
        )
        for each in citations
    }  # fmt: skip


def _citation(dice: random.Random, pmid: int, tree: MeshTree) -> Citation:
    def some(most: int, least: int = 0) -> int:
        return dice.randint(least, most)

    def words(most: int, least: int = 1) -> InlineXml:
        chosen = dice.choices(_WORDS, k=some(most, least))
        if dice.random() < 0.1:
            chosen.insert(0, "<i>in vivo</i>")
        return InlineXml(dice.choice((" ", " ", ", ")).join(chosen))

    def partial(low: int = 2019, high: int = 2026) -> PartialDate:
        grain = dice.random()
        year = some(high, low)
        if grain < 0.1:
            return PartialDate(text=f"{year} Nov-Dec")
        if grain < 0.2:
            return PartialDate(year, season=dice.choice(("Spring", "Fall", "Winter")))
        return PartialDate(
            year, *((some(12, 1),) if grain < 0.9 else ()), *((some(28, 1),) if 0.3 < grain < 0.9 else ())
        )

    def person() -> Author:
        fore, initials = dice.choice(_FORENAMES)
        return Author(
            dice.choice(_SURNAMES), fore, initials, suffix=InlineXml("Jr") if dice.random() < 0.1 else None,
            affiliations=tuple(Affiliation(InlineXml(f"Institute of {words(3)}, Nowhere")) for _ in range(some(2))),
            identifiers=(Identifier("ORCID", f"https://orcid.org/0000-0001-9999-000{some(9)}"),) if dice.random() < 0.3 else (),
        )  # fmt: skip

    title, iso, medline_ta, number, issn = dice.choice(_JOURNALS)
    doi = f"10.99999/invented.{pmid}"
    headings = []
    for ui in dice.sample(_HEADINGS, some(4)):
        found = tree.find(ui)
        name = found.name if found else f"Invented heading {ui}"
        qualifiers = tuple(MeshTerm(*each, dice.random() < 0.4) for each in dice.sample(_QUALIFIERS, some(2)))
        headings.append(
            MeshHeading(MeshTerm(ui if dice.random() < 0.95 else None, name, dice.random() < 0.3), qualifiers)
        )
    people = tuple(person() for _ in range(some(3)))
    if dice.random() < 0.2:
        people = (*people, Author(collective_name=InlineXml("Invented Study Group")))
    days = [partial() for _ in range(3)]
    return Citation(
        pmid=pmid,
        status=dice.choice(_STATUSES),
        owner=dice.choice(("NLM", "NLM", "NASA")),
        indexing_method=dice.choice((None, "Automated", "Curated")),
        completed_on=partial() if dice.random() < 0.7 else None,
        revised_on=partial(),
        pub_model=dice.choice(("Print", "Print-Electronic", "Electronic", "Electronic-eCollection")),
        journal=Journal(
            title=title, iso_abbreviation=iso, medline_ta=medline_ta if dice.random() < 0.9 else None, nlm_unique_id=number,
            issn=Issn(issn, "Print"), issn_linking=issn, country=dice.choice(("Utopia", "United States")), volume=str(some(12, 1)),
            issue=str(some(4, 1)), pub_date=partial(),
        ),
        title=words(9),
        vernacular_title=words(4) if dice.random() < 0.1 else None,
        pagination=Pagination(str(some(200, 1)), None, f"{some(200, 1)}-9") if dice.random() < 0.7 else None,
        elocations=(ELocation(doi, "doi"),) if dice.random() < 0.5 else (),
        abstract=Abstract(tuple(
            AbstractSection(words(14), dice.choice((None, "METHODS", "Results")), None) for _ in range(some(3, 1))
        )) if dice.random() < 0.8 else None,
        other_abstracts=(OtherAbstract((AbstractSection(InlineXml("".join(dice.sample(_CHINESE, 3)))),), "Publisher", "chi"),)
        if dice.random() < 0.3 else (),
        author_lists=(AuthorList(people, kind="authors"),) if people else (),
        languages=tuple(dice.sample(("eng", "chi", "ger"), some(2, 1))),
        data_banks=(DataBank("ClinicalTrials.gov", (f"NCT9999999{some(9)}",)),) if dice.random() < 0.2 else (),
        grants=(Grant(f"FAB-{some(20)}", "FA", "Fable Agency", "Utopia"),) if dice.random() < 0.2 else (),
        publication_types=tuple(PublicationType(*each) for each in dice.sample(_TYPES, some(3, 1))),
        article_dates=(ArticleDate(partial()),) if dice.random() < 0.5 else (),
        chemicals=tuple(Chemical(f"EC 9.9.9.{some(3)}", f"D99900{n}", f"Fabulase {n}") for n in range(some(2))),
        supplementary_concepts=(SupplementaryConcept("Protocol", "C999002", "FAB protocol"),) if dice.random() < 0.1 else (),
        citation_subsets=("IM",) if dice.random() < 0.5 else (),
        corrections=tuple(Correction(kind, "Invented J. 2025;1:1") for kind in dice.sample(_LINKS, some(1) * some(2))),
        mesh_headings=tuple(headings),
        keyword_lists=tuple(
            KeywordList(tuple(Keyword(words(3)) for _ in range(some(4, 1))), owner)
            for owner in dice.sample(("NOTNLM", "NASA"), some(2))
        ),
        coi_statement=words(6) if dice.random() < 0.2 else None,
        gene_symbols=("fbl1",) if dice.random() < 0.1 else (),
        history=(
            HistoryDate("entrez", days[0]), HistoryDate("pubmed", days[1]),
            *((HistoryDate("medline", days[2]),) if dice.random() < 0.5 else ()),
        ),
        publication_status=dice.choice(("ppublish", "epublish", "aheadofprint")),
        article_ids=(ArticleId(str(pmid)), ArticleId(doi, "doi"), *((ArticleId(f"PMC99{pmid}", "pmc"),) if dice.random() < 0.3 else ())),
    )  # fmt: skip


class QueryDice:
    """Makes searches out of what a library holds; equal seeds make equal ones."""

    def __init__(self, citations: Sequence[Citation], tree: MeshTree, seed: int = 1, *, own: bool = True) -> None:
        self.citations = citations
        self.tree = tree
        self.dice = random.Random(seed)
        self.own = own
        self.near = citations[0]
        self.broader = {
            number: heading.name for ui in _HEADINGS if (heading := tree.find(ui)) for number in heading.tree_numbers
        }
        self.leaves: list[tuple[Callable[[], str], int]] = [
            (self.words, 12), (self.untagged, 3), (self.absent, 1), (self.proximity, 3), (self.heading, 4), (self.subheading, 1),
            (self.publication_type, 2), (self.name, 4), (self.value, 4), (self.dates, 4), (self.recent, 1), (self.pmids, 1),
            (self.pmid_range, 1), (self.flag, 2), (self.subset, 2), (self.stopword, 1), (self.beyond, 1),
        ]  # fmt: skip
        if own:
            self.leaves += [(self.ours, 5), (self.added, 1)]

    def query(self) -> Query:
        """Throw one search; every leaf kind and every node comes, and most find something."""
        while True:
            text = self.node(self.dice.choice((0, 1, 1, 2, 2, 3)))
            try:
                return parse(text, own=self.own)
            except QuerySyntaxError:  # a slice of a text that reads as syntax
                continue

    def node(self, depth: int) -> str:
        if depth == 0:
            return self.leaf()
        operator = self.dice.choice((" AND ", " AND ", " OR ", " OR ", " NOT "))
        return operator.join(f"({self.node(self.dice.randrange(depth))})" for _ in range(self.dice.choice((2, 2, 3))))

    def leaf(self) -> str:
        if self.dice.random() < 0.3:  # else about the same citation as the leaf before, so that ANDs find something
            self.near = self.dice.choice(self.citations)
        makers, weights = zip(*self.leaves, strict=True)
        maker: Callable[[], str] = self.dice.choices(makers, weights)[0]
        return maker()

    def slice(self, field: str | None, most: int = 4) -> list[str]:
        """Words that stand side by side in a field of the citation at hand; now and then across two texts."""
        sources = document(self.near).index(field).sources
        if not sources:
            return ["nothing"]
        at = self.dice.randrange(len(sources))
        words = split_words(sources[at].text)[0] or ["nothing"]
        if self.dice.random() < 0.1 and at + 1 < len(sources):
            return [words[-1], *split_words(sources[at + 1].text)[0][:1]]
        start = self.dice.randrange(len(words))
        return words[start : start + self.dice.randint(1, most)]

    def words(self) -> str:
        field = self.dice.choice([*sorted(TEXT_FIELDS), *_OFTEN])
        words = self.slice(field)
        if self.dice.random() < 0.1:
            words[self.dice.randrange(len(words))] = self.dice.choice(_WORDS)
        if self.dice.random() < 0.25:
            words[-1] = words[-1][: self.dice.randint(3, 7)] + "*"
        text = self.dice.choice((" ", " ", "-")).join(words)
        return f'"{text}"[{field}]' if self.dice.random() < 0.6 else f"{text}[{field}]"

    def untagged(self) -> str:
        text = " ".join(self.slice(None))
        return f'"{text}"' if self.dice.random() < 0.3 else text

    def absent(self) -> str:
        return f"{self.dice.choice(('nowhere', 'zzz', '绝无', 'absent phrase'))}[{self.dice.choice(('tiab', 'all', 'au', 'mh', 'ta'))}]"

    def proximity(self) -> str:
        field = self.dice.choice(("ti", "tiab", "tiab", "ad"))
        words = self.slice(field, 8)
        chosen = self.dice.sample(words, min(len(words), self.dice.choice((1, 2, 2, 2, 3, 4))))
        if self.dice.random() < 0.1:
            chosen.append(chosen[0])
        return f'"{" ".join(chosen)}"[{field}:~{self.dice.choice((0, 1, 2, 3, 5, 30))}]'

    def heading(self) -> str:
        headings = self.near.mesh_headings
        if not headings:
            return '"Neoplasms"[mh]'
        heading = self.dice.choice(headings)
        name = heading.descriptor.name
        known = self.tree.find(name)
        if known and self.dice.random() < 0.5:  # something broader
            steps = self.dice.choice(known.tree_numbers).split(".") if known.tree_numbers else []
            above = ".".join(steps[: self.dice.randint(1, max(1, len(steps)))])
            name = self.broader.get(above, name)
        kind = self.dice.random()
        if kind < 0.2 and heading.qualifiers:
            name += "/" + self.dice.choice([*[each.name for each in heading.qualifiers], "therapy", "dt"])
        elif kind < 0.3:
            name = name[:6] + "*"
        elif kind < 0.4 and heading.descriptor.ui:
            name = heading.descriptor.ui
        return f'"{name}"[{self.dice.choice(("mh", "mh", "majr", "mh:noexp", "majr:noexp"))}]'

    def subheading(self) -> str:
        return f"{self.dice.choice(('therapy', 'dt', 'immunology', 'transplantation', 'tu', 'fable'))}[sh]"

    def publication_type(self) -> str:
        types = [each.name for each in self.near.publication_types] + ["Clinical Trial", "Review", "Retraction Notice"]
        name = self.dice.choice(types)
        if self.dice.random() < 0.15:
            name = name[:5] + "*"
        return f'"{name}"[{self.dice.choice(("pt", "pt", "pt:noexp"))}]'

    def name(self) -> str:
        field = self.dice.choice(("au", "au", "au", "1au", "lastau", "fau", "ir", "ed"))
        _, who = people(self.near, "au" if field == "fau" else field)
        if not who:
            return f"nosuch[{field}]"
        author = self.dice.choice(who)[1]
        last, initials, fore = author.last_name or "", author.initials or "", author.fore_name or ""
        name = self.dice.choice(
            (last, f"{last} {initials}", f"{last} {initials[:1]}", f"{last} {fore}", f"{fore} {last}", last[:4], last[:5] + "*",
             f"{last} {initials} jr", (last.split() or ["x"])[0])
        )  # fmt: skip
        name = name.strip() if name.strip(" *") else "nosuch"
        return f'"{name}"[{field}]' if self.dice.random() < 0.3 else f"{name}[{field}]"

    def value(self) -> str:
        c = self.near
        journal = c.journal or Journal()
        choices = [
            ("la", self.dice.choice(("english", "chi", "german", "eng", "nonsense"))),
            *[("ta", each) for each in (journal.title, journal.medline_ta, journal.iso_abbreviation, journal.issn_linking) if each],
            *[(field, each) for field, each in (
                ("jid", journal.nlm_unique_id), ("vi", journal.volume), ("ip", journal.issue), ("pl", journal.country)) if each],
            *[(field, each.value) for each in c.article_ids for field in ("aid", "pid", "lid")],
            *[("nm", each.name) for each in c.chemicals], *[("rn", each.registry_number) for each in c.chemicals],
            *([("pg", c.pagination.start)] if c.pagination and c.pagination.start else []),
            *[("isbn", each) for each in (c.book.isbns if c.book else ())],
        ]  # fmt: skip
        field, value = self.dice.choice(choices)
        text = (value or "x").replace('"', " ")
        if self.dice.random() < 0.1 and len(text) > 5:
            text = text[: self.dice.randint(4, len(text))] + "*"
        return f'"{text}"[{field}]'

    def dates(self) -> str:
        field = self.dice.choice((*sorted(DATE_FIELDS), "dp", "dp"))
        days = citation_days(self.near, field) or ((2024, 3, 1),)
        low = self.dice.choice(days)
        text = "/".join([f"{low[0]:04}", f"{low[1]:02}", f"{low[2]:02}"][: self.dice.randint(1, 3)])
        if self.dice.random() < 0.4:
            return f"{text}[{field}]"
        year = low[0] + self.dice.choice((-1, 0, 0, 1, 3))
        high = self.dice.choice(("3000", f"{year:04}", f"{year:04}/{self.dice.randint(1, 12):02}", f"{year:04}/06/15"))
        return f"{text}:{high}[{field}]"

    def recent(self) -> str:
        field = self.dice.choice(("dp", "edat", "crdt"))
        return f'"last {self.dice.choice(("30 days", "1 year", "18 months", "5 years", "0 days"))}"[{field}]'

    def pmids(self) -> str:
        several = self.dice.choice((2, 5, 150))
        return f"{' '.join(str(self.dice.choice(self.citations).pmid) for _ in range(several))}[uid]"

    def pmid_range(self) -> str:
        low, high = (self.dice.choice(self.citations).pmid for _ in range(2))
        return f"{low}:{high}[uid]"

    def flag(self) -> str:
        ours: tuple[str, ...] = ("isretracted", "hasconcern") if self.own else ()
        return self.dice.choice(
            ("hasabstract", "hasstructuredabstract", "haserratumin", "hasretractionin", "ownernasa", "pubstatusaheadofprint",
             "indexingmethod_automated", "haskeyword", "hascois", "hasdatabanklist", "hasnonenglishabstract",
             *ours)
        )  # fmt: skip

    def subset(self) -> str:
        return self.dice.choice(
            ("medline[sb]", "publisher[sb]", "inprocess[sb]", "humans[filter]", "english[filter]", "randomizedcontrolledtrial[filter]",
             "jsubsetim[sb]", "pubmedpmc[sb]", "all[sb]", "clinical trial[filter]", "alladult[filter]", "free full text[sb]", "data[sb]")
        )  # fmt: skip

    def stopword(self) -> str:
        return self.dice.choice(("the[tiab]", "the of", "and[ti]", '"the"[tiab]', "with[all]"))

    def beyond(self) -> str:
        return self.dice.choice(("x[pa]", "2024[p1dat]", "unheard of[sb]", "1[aucl]"))

    def ours(self) -> str:
        field = self.dice.choice(sorted(OWN_FIELDS - {"added"}))
        if field == "decision":
            return f"{self.dice.choice(('keep', 'maybe', 'dismiss', 'open'))}[decision]"
        values = {"topic": TOPICS, "wide": TOPICS, "tag": TAGS, "level": LEVELS, "claim": CLAIMS}[field]
        value = self.dice.choice((*values, "no such"))
        return f'"{value[:1] + "*" if self.dice.random() < 0.15 else value}"[{field}]'

    def added(self) -> str:
        day = TODAY - timedelta(days=20 * self.dice.randint(0, 42) - self.dice.randint(0, 1))
        return self.dice.choice(
            (f"{day:%Y/%m/%d}[added]", f"{day:%Y/%m}:3000[added]", f"{day:%Y}[added]", '"last 90 days"[added]')
        )
