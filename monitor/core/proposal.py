"""Everything that the rules in force propose for one citation: tags, level, sample and registry numbers; pure."""

from __future__ import annotations

from datetime import date
from typing import Final, NamedTuple

from monitor.core.citation import Citation
from monitor.core.grading import Grade, Rules, grade
from monitor.core.query.mesh import MeshTree
from monitor.core.samples import RegistryNumber, SampleSize, of_citation, registry_numbers
from monitor.core.vocabulary import DESIGN, OffTopic, Proposals, Reason, Suggestion, Vocabulary, propose
from monitor.core.vocabulary.texts import Texts

UNKNOWN: Final = "unknown"
"""The design of a paper of which no rule says one; it is no tag."""
_SYNTHESES: Final = frozenset({"meta-analysis", "systematic-review"})
_PHASE: Final = "phase"


class Proposed(NamedTuple):
    """What is proposed for a citation, every part with its reason; nothing of it stands before a person says so."""

    pmid: int
    grade: Grade
    tags: tuple[Suggestion, ...]
    hidden: tuple[Suggestion, ...]
    off_topic: tuple[OffTopic, ...]
    sample: SampleSize
    registry: tuple[RegistryNumber, ...]

    def suggestion(self, tag: str) -> Suggestion | None:
        """Return the suggestion that would become a tag, or that of the same term with another qualifier."""
        every = (*self.tags, *self.hidden)
        term = tag.partition("/")[0]
        return next((each for each in every if each.tag == tag), None) or next(
            (each for each in every if each.tag.partition("/")[0] == term), None
        )


def propose_all(vocabulary: Vocabulary, rules: Rules, citation: Citation, mesh: MeshTree, today: date) -> Proposed:
    """Read a citation by both rulebooks."""
    texts = Texts(citation)
    found = propose(vocabulary, citation, mesh, texts)
    level = grade(rules, citation, today, frozenset(each.term for each in found.flags), texts)
    tags, hidden = _tempered(vocabulary, found, level)
    sample, registry = of_citation(citation, texts), registry_numbers(citation, texts)
    return Proposed(citation.pmid, level, tags, hidden, found.off_topic, sample, registry)


def _tempered(
    vocabulary: Vocabulary, found: Proposals, level: Grade
) -> tuple[tuple[Suggestion, ...], tuple[Suggestion, ...]]:
    """Put the design that the level rules found in the place of the vocabulary's, and limit scores where they say so.

    A synthesis has no phase of its own. A design that only the title names as well is still offered.
    """
    tags: list[Suggestion] = []
    hidden: list[Suggestion] = []
    designed = level.design != UNKNOWN and vocabulary.term(level.design, DESIGN) is not None
    if designed:
        reasons = [Reason(each.place, each.words, None, level.rule) for each in level.because]
        reasons = reasons or [Reason("rule", level.reason, None, level.rule)]
        score = vocabulary.scoring.preselect_at
        tags.append(Suggestion(level.design, DESIGN, score, True, "studied", None, tuple(reasons)))
    for each in (*found.tags, *found.hidden):
        if each.facet == _PHASE and level.design in _SYNTHESES:
            continue
        offered = each.score >= vocabulary.scoring.suggest_at
        if each.facet == DESIGN and designed:
            if each.term == level.design:
                continue
            each = each._replace(preselected=False)
            offered = any(reason.place == "title" for reason in each.reasons)
        (tags if offered else hidden).append(each)
    if level.cap is not None:
        tags = [_capped(vocabulary, each, level.cap) for each in tags]
    return tuple(tags), tuple(hidden)


def _capped(vocabulary: Vocabulary, each: Suggestion, cap: float) -> Suggestion:
    score = min(each.score, cap)
    return each._replace(score=score, preselected=score >= vocabulary.scoring.preselect_at)
