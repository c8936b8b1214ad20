"""Special terms that need no tag (User Guide, "Filters" and "Comments/corrections"), decided from one citation."""

from __future__ import annotations

from collections.abc import Callable

from monitor.core.citation import Citation
from monitor.core.revision import has_concern, is_retracted

_LINKS = {
    "hasassociateddataset": "AssociatedDataset",
    "hasassociatedpublication": "AssociatedPublication",
    "hascommentin": "CommentIn",
    "hascommenton": "CommentOn",
    "hascorrectedrepublishedfrom": "CorrectedandRepublishedFrom",
    "hascorrectedrepublishedin": "CorrectedandRepublishedIn",
    "haserratumfor": "ErratumFor",
    "haserratumin": "ErratumIn",
    "hasexpressionofconcernfor": "ExpressionOfConcernFor",
    "hasexpressionofconcernin": "ExpressionOfConcernIn",
    "hasoriginalreportin": "OriginalReportIn",
    "hasrepublishedfrom": "RepublishedFrom",
    "hasrepublishedin": "RepublishedIn",
    "hasretractedandrepublishedfrom": "RetractedandRepublishedFrom",
    "hasretractedandrepublishedin": "RetractedandRepublishedIn",
    "hasretractionin": "RetractionIn",
    "hasretractionof": "RetractionOf",
    "hassummaryforpatientsin": "SummaryForPatientsIn",
    "hasupdatein": "UpdateIn",
    "hasupdateof": "UpdateOf",
}
_CONTENT: dict[str, Callable[[Citation], bool]] = {
    "hasabstract": lambda c: c.abstract is not None and any(s.text for s in c.abstract.sections),
    "hasstructuredabstract": lambda c: c.abstract is not None and any(s.label for s in c.abstract.sections),
    "hasnonenglishabstract": lambda c: any(a.language != "eng" for a in c.other_abstracts),
    "hascois": lambda c: bool(c.coi_statement),
    "haskeyword": lambda c: any(k.keywords for k in c.keyword_lists),
    "hasdatabanklist": lambda c: bool(c.data_banks),
    "hasnihmsid": lambda c: c.article_id("mid") is not None,
    "pmcbook": lambda c: c.book is not None,
    "pmcbooktitle": lambda c: c.book is not None and not c.title,
    "pmcbookchapter": lambda c: c.book is not None and bool(c.title),
}
_OURS: dict[str, Callable[[Citation], bool]] = {"isretracted": is_retracted, "hasconcern": has_concern}
OWN_FLAGS = frozenset(_OURS)
"""Special terms of our library, decided as everywhere in it; PubMed would read them as words."""
_DECIDED = (*_CONTENT.items(), *_OURS.items())

_OWNERS = frozenset({"nlm", "nasa", "pip", "kie", "hsr", "hmd", "notnlm"})
_STATUSES = frozenset({"aheadofprint", "epublish", "ppublish", "nihms", "pmcsd"})
_METHODS = frozenset({"automated", "curated", "manual"})


def is_flag(text: str, own: bool = False) -> bool:
    """Say whether a single word is a special term of PubMed, or with `own` one of ours."""
    name = text.lower()
    if own and name in OWN_FLAGS:
        return True
    if name in _LINKS or name in _CONTENT:
        return True
    return any(
        name.startswith(prefix) and name.removeprefix(prefix) in values
        for prefix, values in (
            ("owner", _OWNERS),
            ("pubstatus", _STATUSES),
            ("indexingmethod_", _METHODS),
        )
    )


def flag_holds(name: str, citation: Citation) -> bool:
    """Decide a special term for one citation."""
    if kind := _LINKS.get(name):
        return any(link.kind == kind for link in citation.corrections)
    if decide := _CONTENT.get(name) or _OURS.get(name):
        return decide(citation)
    if name.startswith("owner"):
        return (citation.owner or "").lower() == name.removeprefix("owner")
    if name.startswith("pubstatus"):
        return (citation.publication_status or "").lower() == name.removeprefix("pubstatus")
    return (citation.indexing_method or "").lower() == name.removeprefix("indexingmethod_")


def flags_of(citation: Citation) -> list[str]:
    """Return every special term that holds, ours included."""
    found = [name for name, decide in _DECIDED if decide(citation)]
    if citation.corrections:
        kinds = {link.kind for link in citation.corrections}
        found += [name for name, kind in _LINKS.items() if kind in kinds]
    for prefix, known, value in (
        ("owner", _OWNERS, citation.owner),
        ("pubstatus", _STATUSES, citation.publication_status),
        ("indexingmethod_", _METHODS, citation.indexing_method),
    ):
        if value and value.lower() in known:
            found.append(prefix + value.lower())
    return found
