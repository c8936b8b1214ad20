"""What letters call things: marks, changes, levels and the qualifiers of tags, in English, marked for translation."""

from __future__ import annotations

from collections.abc import Mapping

from monitor.core.contents import GOOD_NEWS


def N_(text: str) -> str:  # noqa: N802  the name that message extraction looks for
    """Mark a text for translation where it stands; it is translated where it is used."""
    return text


CHIPS = {
    "retracted": N_("Retracted"),
    "withdrawn": N_("Withdrawn"),
    "concern": N_("Expression of concern"),
    "retraction-notice": N_("Retraction notice"),
    "concern-notice": N_("Notice of concern"),
    "preprint": N_("Preprint"),
    "meta-analysis": N_("Meta-analysis"),
    "systematic-review": N_("Systematic review"),
    "guideline": N_("Guideline"),
    "rct": N_("Randomised trial"),
    "phase-1": N_("Phase 1"),
    "phase-2": N_("Phase 2"),
    "phase-3": N_("Phase 3"),
    "phase-4": N_("Phase 4"),
    "trial": N_("Clinical trial"),
    "controlled-trial": N_("Controlled trial"),
    "protocol": N_("Protocol"),
    "observational": N_("Observational"),
    "review": N_("Review"),
    "case": N_("Case report"),
    "editorial": N_("Editorial"),
    "comment": N_("Comment"),
    "letter": N_("Letter"),
    "erratum-notice": N_("Erratum"),
}

CHANGES: Mapping[str, tuple[str, str, str]] = {
    # name: (stamp, what happened as a sentence, what happened as the beginning of a line)
    "retracted": (N_("Retracted"), N_("It has since been retracted."), N_("Retracted since we sent it:")),
    "withdrawn": (
        N_("Withdrawn"),
        N_("PubMed no longer has it."),
        N_("No longer in PubMed:"),
    ),
    "concern": (
        N_("Expression of concern"),
        N_("The journal has since published an expression of concern about it."),
        N_("Under an expression of concern:"),
    ),
    "retracted_and_republished": (
        N_("Retracted and republished"),
        N_("It has since been retracted and published again, corrected."),
        N_("Retracted and published again:"),
    ),
    "corrected_and_republished": (
        N_("Corrected and republished"),
        N_("It has since been corrected and published again."),
        N_("Corrected and published again:"),
    ),
    "reinstated": (
        N_("Reinstated"),
        N_("It is no longer marked as retracted."),
        N_("No longer retracted:"),
    ),
    "concern_withdrawn": (
        N_("Concern withdrawn"),
        N_("The expression of concern about it has since been withdrawn."),
        N_("Concern withdrawn:"),
    ),
    "restored": (N_("Back in PubMed"), N_("PubMed has it again."), N_("Back in PubMed:")),
    "erratum": (
        N_("Erratum"),
        N_("A correction to it has since been published; read the notice."),
        N_("A correction was published to:"),
    ),
    "published_as_article": (
        N_("Published"),
        N_("It was a preprint then and has since been published as an article."),
        N_("A preprint we sent you was published:"),
    ),
}
LEVELS = {
    "A": N_("established"),
    "B1": N_("randomised"),
    "B2": N_("controlled, not randomised"),
    "B3": N_("uncontrolled, five or more treated"),
    "C": N_("single cases"),
    "D": N_("preclinical"),
    "E": N_("inferred"),
    "X": N_("not evidence"),
    "none": N_("no results to grade"),
}
QUALIFIED = {
    "comparator": N_("%(tag)s (for comparison)"),
    "absent": N_("%(tag)s (reported absent)"),
    "reported": N_("%(tag)s (reported)"),
    "mentioned": N_("%(tag)s (mentioned)"),
}
TONES = {
    "retracted": "",
    "retracted_and_republished": "",
    "withdrawn": "",
    **dict.fromkeys(GOOD_NEWS, "good"),
}
