"""Invented papers that wait at the desk: the kinds a curator meets, and plain ones in any number."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from sqlalchemy import select

from monitor.core.citation import (
    Abstract,
    AbstractSection,
    Citation,
    InlineXml,
    Keyword,
    KeywordList,
    OtherAbstract,
    PartialDate,
)
from monitor.storage.citations import keep
from monitor.storage.engine import Database
from monitor.storage.tables import HitRow, PollRow, StrategyRow
from tests.factories import FIRST_PMID, citation

TRIAL, VERSUS, FISH, NO_CRS, PLACEHOLDER, BILINGUAL, RAISED, HOSTILE = range(FIRST_PMID, FIRST_PMID + 8)


def _journal(name: str, month: int) -> Mapping[str, object]:
    return {"medline_ta": name, "pub_date": PartialDate(2026, month)}


KINDS: tuple[Citation, ...] = (
    citation(
        TRIAL,
        title=InlineXml("Invented phase 1 trial of cord-blood CAR-NK cells against CD19 in relapsed B-cell lymphoma."),
        abstract={
            "BACKGROUND": "Chimeric antigen receptor natural killer (CAR-NK) cells are given without a matched donor. We report the invented phase 1 part.",
            "METHODS": "In this open-label, single-arm trial, 37 patients received cord-blood CAR-NK cells at 1 × 10⁷ cells/kg i.v. after lymphodepletion (NCT99999901).",
            "RESULTS": "Of 37 patients, 18 (48.6%) had a complete response and overall survival at 12 months was 68% (95% CI 51-81). No cytokine release syndrome and no neurotoxicity of any grade occurred.",
            "CONCLUSIONS": "CAR-NK cells were given safely. Responses did not last in all patients.",
        },
        journal=_journal("Invented J Cell Ther", 11),
        publication_types={"D016428": "Journal Article", "D017426": "Clinical Trial, Phase I"},
        keyword_lists=(KeywordList((Keyword(InlineXml("CAR-NK")), Keyword(InlineXml("lymphoma")))),),
    ),
    citation(
        VERSUS,
        title=InlineXml("Invented CAR-NK cells compared with CAR-T cells against multiple myeloma in mice."),
        abstract="CAR-NK cells against BCMA were made from peripheral blood. Compared with CAR-T cells, they released less interleukin-6 in mice. Tumour burden fell 3.5-fold in both groups.",
        journal=_journal("Nowhere Med", 10),
    ),
    citation(
        FISH,
        title=InlineXml("Invented reovirus grows in the CIK cell line of the grass carp."),
        abstract="The grass carp Ctenopharyngodon idella kidney (CIK) cell line was infected with an invented reovirus. Titres rose over 5 days.",
        journal=_journal("Fish Invented Immunol", 9),
    ),
    citation(
        NO_CRS,
        title=InlineXml("Invented cytokine-induced killer cells after resection of hepatocellular carcinoma: a randomised trial."),
        abstract="In all, 120 patients were randomly assigned to adjuvant cytokine-induced killer (CIK) cells or observation. Recurrence-free survival was longer with CIK cells (HR 0.63, 95% CI 0.43-0.94, P = .02). No notable toxicities such as cytokine release syndrome were seen. Mild fever was reported in 9 of 60 patients.",
        journal=_journal("Gastro Invented", 8),
        publication_types={"D016428": "Journal Article", "D016449": "Randomized Controlled Trial"},
    ),
    citation(
        PLACEHOLDER,
        title=InlineXml("Invented natural killer cells: a title alone."),
        abstract="Abstract available from the publisher.",
        journal=_journal("Nowhere Med", 7),
    ),
    citation(
        BILINGUAL,
        title=InlineXml("Invented CIK cells with chemotherapy in gastric cancer."),
        vernacular_title=InlineXml("虚构的CIK细胞联合化疗治疗胃癌"),
        abstract={"RESULTS": "Of 48 patients, 46.8% responded. No grade 3 toxicity was seen."},
        other_abstracts=(
            OtherAbstract((AbstractSection(InlineXml("48例患者中48.6%缓解。未见3级毒性。"), "结果"),), "Publisher", "chi"),
        ),
        languages=("chi",),
        journal=_journal("Zhonghua Xugou Za Zhi", 6),
    ),
    citation(
        RAISED,
        title=InlineXml("iPSC-derived NK cells that express <i>CISH</i><sup>−/−</sup> and IL-15: an invented screen."),
        abstract=Abstract(
            (
                AbstractSection(
                    InlineXml(
                        "CD3<sup>−</sup>CD56<sup>+</sup> cells grew 10<sup>3</sup>-fold. iPSC-derived NK cells lacking "
                        "<i>CISH</i> killed ovarian cancer cells <i>in vitro</i>."
                    )
                ),
            )
        ),
        journal=_journal("Stem Cell Invent", 5),
    ),
    citation(
        HOSTILE,
        title=InlineXml("NK cells &lt;script&gt;alert(1)&lt;/script&gt; and \"quotes\" in an invented title"),
        abstract="Invented cells <img src=x onerror=alert(2)> were harmless. A second sentence follows.",
        journal=_journal("Nowhere Med", 4),
    ),
)  # fmt: skip

_TARGETS = ("CD19", "CD33", "BCMA", "HER2", "GPC3", "mesothelin", "CD70", "EGFR")
_ILLS = (
    "acute myeloid leukaemia", "multiple myeloma", "glioblastoma", "hepatocellular carcinoma", "ovarian cancer",
    "gastric cancer", "neuroblastoma", "lymphoma",
)  # fmt: skip
_HOW = (
    "in mice",
    "in vitro",
    "in 12 patients",
    "after relapse",
    "from cord blood",
    "from induced pluripotent stem cells",
)


def plain_papers(number: int, first: int = FIRST_PMID + 100) -> list[Citation]:
    """Make so many invented papers about CAR-NK cells, each with an abstract of a usual length."""
    dice = random.Random(4)
    made = []
    for n in range(number):
        target, ill, how = dice.choice(_TARGETS), dice.choice(_ILLS), dice.choice(_HOW)
        made.append(
            citation(
                first + n,
                title=InlineXml(f"Invented CAR-NK cells against {target} for {ill} {how}, report {n + 1}."),
                abstract={
                    "BACKGROUND": f"CAR-NK cells against {target} may help in {ill}. Few data exist (see Example et al. and others).",
                    "METHODS": f"We gave {dice.randint(1, 9)} × 10⁶ cells/kg {how}. Allogeneic cells were expanded for {dice.randint(7, 21)} days with IL-15.",
                    "RESULTS": f"In {dice.randint(5, 40)} cases, {dice.randint(10, 90)}.{dice.randint(0, 9)}% responded, and overall survival was {dice.randint(4, 30)} months (HR 0.{dice.randint(40, 90)}). No cytokine release syndrome was seen. Mild fever was reported in {dice.randint(1, 9)} cases.",
                    "CONCLUSIONS": "The invented cells were active. They did not persist without further doses.",
                },
                journal={"medline_ta": dice.choice(("Invented J Cell Ther", "Nowhere Med", "Gastro Invented"))},
            )
        )
    return made


def found(
    database: Database,
    papers: Iterable[Citation],
    at: datetime,
    topic: str = "car-nk",
    lane: str = "core",
    lines: Sequence[int] = (1,),
) -> list[int]:
    """Store papers as a poll of that topic found them, one a minute from `at`; returns their PMIDs."""
    several = list(papers)
    with database.write() as session:
        keep(session, several, at)
        strategy = session.scalars(
            select(StrategyRow).where(StrategyRow.topic_id == topic).order_by(StrategyRow.version.desc()).limit(1)
        ).one()
        poll = PollRow(
            topic_id=topic, strategy_id=strategy.id, lane=lane, kind="window", state="done", started_at=at,
            query="invented", covers=True, warnings=[], unknown_phrases=[], refused=[],
        )  # fmt: skip
        session.add(poll)
        session.flush()
        for n, each in enumerate(several):
            session.add(
                HitRow(
                    topic_id=topic, pmid=each.pmid, lane=lane, strategy_id=strategy.id, poll_id=poll.id,
                    found_at=at + timedelta(minutes=n), news=True, lines=list(lines), first_strategy_id=strategy.id,
                    first_lines=list(lines), route="created",
                )
            )  # fmt: skip
    return [each.pmid for each in several]
