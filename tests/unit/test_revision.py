"""What a change of a citation is called: one named test for each event of NLM's, and what holds for all."""

from __future__ import annotations

from dataclasses import fields, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.core.citation import (
    Abstract,
    AbstractSection,
    ArticleId,
    Author,
    AuthorList,
    Citation,
    Correction,
    ELocation,
    InlineXml,
    Journal,
    MeshHeading,
    MeshTerm,
    Pagination,
    PartialDate,
    PublicationType,
)
from monitor.core.relations import RELATIONS, notices, relation
from monitor.core.revision import (
    Change,
    Integrity,
    New,
    Revised,
    Unchanged,
    Weight,
    compare,
    has_concern,
    has_erratum,
    integrity,
    is_preprint,
    is_republished_after_retraction,
    is_retracted,
    is_retraction_notice,
)

ARTICLE = PublicationType("D016428", "Journal Article")
RETRACTED = PublicationType("D016441", "Retracted Publication")
PREPRINT = PublicationType("D000076942", "Preprint")
BASE = Citation(
    pmid=90000001,
    status="Publisher",
    title=InlineXml("Invented effect of nothing."),
    journal=Journal(title="Invented journal", medline_ta="Invented J", pub_date=PartialDate(2024)),
    abstract=Abstract((AbstractSection(InlineXml("Reduced mortality.")),)),
    author_lists=(AuthorList((Author("Madeup", "Ada", "A"),)),),
    publication_types=(ARTICLE,),
    publication_status="aheadofprint",
    article_ids=(ArticleId("90000001"), ArticleId("10.99999/x", "doi")),
)


def changes(held: Citation, fetched: Citation) -> tuple[Change, ...]:
    found = compare(held, fetched)
    assert isinstance(found, Revised)
    return found.changes


def link(kind: str, pmid: int | None = 90000002) -> Correction:
    return Correction(kind, "Invented J. 2024;1:2.", pmid)


def with_links(*kinds: str) -> Citation:
    return replace(BASE, corrections=tuple(link(kind) for kind in kinds))


def abstract(text: str) -> Abstract:
    return Abstract((AbstractSection(InlineXml(text)),))


# ---- events


def test_not_held_is_new() -> None:
    assert compare(None, BASE) == New()


def test_ahead_of_print_to_issue() -> None:
    journal = BASE.journal._replace(volume="3", issue="4")
    fetched = replace(BASE, journal=journal, pagination=Pagination("1"), publication_status="ppublish")
    found = compare(BASE, fetched)
    assert found == Revised((Change.PUBLISHED_IN_ISSUE,), frozenset({"journal", "pagination", "publication_status"}))
    assert Change.PUBLISHED_IN_ISSUE.words == "published in an issue"


def test_volume_that_stood_there_already_ahead_of_print() -> None:
    held = replace(BASE, journal=BASE.journal._replace(volume="3"))
    assert changes(held, replace(held, publication_status="epublish")) == (Change.PUBLISHED_IN_ISSUE,)


def test_epublish_without_volume_is_in_no_issue() -> None:
    assert changes(BASE, replace(BASE, publication_status="epublish")) == (Change.DETAILS_REVISED,)


def test_indexed_with_mesh() -> None:
    heading = MeshHeading(MeshTerm("D1", "Invented"))
    fetched = replace(BASE, status="MEDLINE", mesh_headings=(heading,), indexing_method="Automated")
    assert changes(BASE, fetched) == (Change.INDEXED,)
    again = replace(fetched, mesh_headings=(heading, MeshHeading(MeshTerm("D2", "Other"))))
    assert changes(fetched, again) == (Change.INDEXING_REVISED,)


def test_will_not_be_indexed() -> None:
    assert changes(BASE, replace(BASE, status="PubMed-not-MEDLINE")) == (Change.NOT_INDEXED,)


def test_erratum() -> None:
    assert changes(BASE, with_links("ErratumIn")) == (Change.ERRATUM,)


def test_second_erratum() -> None:
    assert changes(with_links("ErratumIn"), with_links("ErratumIn", "ErratumIn")) == (Change.ERRATUM,)


def test_an_erratum_that_only_gains_its_pmid_is_no_news() -> None:
    held = replace(BASE, corrections=(link("ErratumIn", None),))
    assert changes(held, with_links("ErratumIn")) == (Change.DETAILS_REVISED,)


def test_one_erratum_replaced_by_another_is_news() -> None:
    fetched = replace(BASE, corrections=(link("ErratumIn", 90000003),))
    assert changes(with_links("ErratumIn"), fetched) == (Change.ERRATUM,)


def test_expression_of_concern_and_its_withdrawal() -> None:
    doubted = with_links("ExpressionOfConcernIn")
    assert changes(BASE, doubted) == (Change.CONCERN,)
    assert changes(doubted, BASE) == (Change.CONCERN_WITHDRAWN,)


@pytest.mark.parametrize(
    "fetched",
    [
        with_links("RetractionIn"),
        replace(BASE, corrections=(link("RetractionIn", None),)),
        replace(BASE, publication_types=(ARTICLE, RETRACTED)),
        replace(BASE, publication_types=(PublicationType(None, "Retracted Publication"),)),
        replace(BASE, publication_types=(PublicationType("D016441", "Renamed By NLM"),)),
    ],
)
def test_retraction_by_either_marker(fetched: Citation) -> None:
    assert is_retracted(fetched)
    assert changes(BASE, fetched) == (Change.RETRACTED,)
    assert changes(fetched, BASE) == (Change.REINSTATED,)


def test_second_marker_of_a_retraction_is_no_second_retraction() -> None:
    held = replace(BASE, publication_types=(ARTICLE, RETRACTED))
    assert changes(held, replace(held, corrections=(link("RetractionIn"),))) == (Change.DETAILS_REVISED,)


def test_title_that_says_retracted_is_a_title() -> None:
    fetched = replace(BASE, title=InlineXml("RETRACTED: Invented effect of nothing."))
    assert not is_retracted(fetched)
    assert changes(BASE, fetched) == (Change.TITLE_REVISED,)


def test_retracted_and_republished_is_a_state_of_its_own() -> None:
    fetched = with_links("RetractedandRepublishedIn")
    assert changes(BASE, fetched) == (Change.RETRACTED_AND_REPUBLISHED,)
    assert not is_retracted(fetched)
    assert is_republished_after_retraction(fetched)


def test_corrected_and_republished() -> None:
    assert changes(BASE, with_links("CorrectedandRepublishedIn")) == (Change.CORRECTED_AND_REPUBLISHED,)


def test_preprint_published_as_an_article() -> None:
    held = replace(BASE, publication_types=(PREPRINT,))
    assert changes(held, replace(held, corrections=(link("UpdateIn"),))) == (Change.PUBLISHED_AS_ARTICLE,)


def test_update_of_what_was_no_preprint() -> None:
    assert changes(BASE, with_links("UpdateIn")) == (Change.UPDATED,)


def test_preprint_revised() -> None:
    held = replace(BASE, publication_types=(PREPRINT,))
    assert set(changes(held, replace(held, abstract=abstract("Increased mortality.")))) == {
        Change.ABSTRACT_REVISED,
        Change.PREPRINT_UPDATED,
    }
    assert changes(held, replace(held, version=2)) == (Change.PREPRINT_UPDATED,)


def test_higher_version_is_a_revision_and_lower_is_history() -> None:
    assert changes(BASE, replace(BASE, version=2)) == (Change.NEW_VERSION,)
    assert compare(replace(BASE, version=2), replace(BASE, title=InlineXml("Older."))) == Unchanged()


def test_comment_and_summary() -> None:
    assert changes(BASE, with_links("CommentIn")) == (Change.COMMENT_ADDED,)
    assert changes(BASE, with_links("SummaryForPatientsIn")) == (Change.SUMMARY_ADDED,)
    assert changes(BASE, with_links("RepublishedIn")) == (Change.REPUBLISHED,)
    assert changes(with_links("CommentIn"), BASE) == (Change.LINK_REMOVED,)


def test_deposit_in_pmc() -> None:
    fetched = replace(BASE, article_ids=(*BASE.article_ids, ArticleId("PMC9900001", "pmc")))
    assert changes(BASE, fetched) == (Change.IN_PMC,)


def test_abstract_added_revised_removed() -> None:
    without = replace(BASE, abstract=None)
    assert changes(without, BASE) == (Change.ABSTRACT_ADDED,)
    assert changes(BASE, replace(BASE, abstract=abstract("Did not reduce mortality."))) == (Change.ABSTRACT_REVISED,)
    assert changes(BASE, without) == (Change.ABSTRACT_REMOVED,)


def test_markup_and_white_space_alone_are_details() -> None:
    fetched = replace(
        BASE, abstract=abstract("Reduced  <i>mortality</i>."), title=InlineXml("<b>Invented effect</b> of nothing.")
    )
    assert changes(BASE, fetched) == (Change.DETAILS_REVISED,)


def test_label_of_an_abstract_is_part_of_its_words() -> None:
    fetched = replace(BASE, abstract=Abstract((AbstractSection(InlineXml("Reduced mortality."), "RESULTS"),)))
    assert changes(BASE, fetched) == (Change.ABSTRACT_REVISED,)


def test_authors_revised_and_affiliations_not() -> None:
    (held,) = BASE.author_lists
    (author,) = held.authors
    renamed = replace(BASE, author_lists=(held._replace(authors=(author._replace(last_name="Maedup"),)),))
    assert changes(BASE, renamed) == (Change.AUTHORS_REVISED,)
    complete = replace(BASE, author_lists=(held._replace(authors=(author._replace(equal_contribution=True),)),))
    assert changes(BASE, complete) == (Change.DETAILS_REVISED,)
    twin = replace(BASE, author_lists=(held._replace(authors=(author, Author("Wrong", valid=False))),))
    assert changes(BASE, twin) == (Change.DETAILS_REVISED,)


def test_identifiers_revised() -> None:
    assert changes(BASE, replace(BASE, elocations=(ELocation("10.99999/y", "doi"),))) == (Change.IDENTIFIERS_REVISED,)


def test_date_of_revision_alone_is_details() -> None:
    assert changes(BASE, replace(BASE, revised_on=PartialDate(2024, 1, 2))) == (Change.DETAILS_REVISED,)


def test_weightiest_change_comes_first() -> None:
    fetched = replace(
        with_links("RetractionIn"), mesh_headings=(MeshHeading(MeshTerm("D1", "M")),), title=InlineXml("New.")
    )
    assert changes(BASE, fetched) == (Change.RETRACTED, Change.TITLE_REVISED, Change.INDEXED)
    assert compare(BASE, fetched).weight is Weight.MAJOR


def test_two_papers_are_never_compared() -> None:
    with pytest.raises(ValueError, match="90000002"):
        compare(BASE, replace(BASE, pmid=90000002))


# ---- standing


def test_a_retraction_notice_is_not_retracted() -> None:
    for notice in (
        replace(BASE, publication_types=(PublicationType("D016440", "Retraction of Publication"),)),
        replace(BASE, publication_types=(PublicationType(None, "Retraction Notice"),)),
        with_links("RetractionOf"),
    ):
        assert is_retraction_notice(notice)
        assert not is_retracted(notice)
        assert integrity(notice) is Integrity.SOUND


def test_a_paper_about_retractions_is_neither() -> None:
    c = replace(
        BASE,
        title=InlineXml("Retraction of retracted publications: a study."),
        publication_types=(PublicationType("D000000001", "Retracted Publication Study"),),
    )
    assert not is_retracted(c)
    assert not is_retraction_notice(c)


def test_the_far_side_of_a_concern_or_erratum_stands() -> None:
    c = with_links("ExpressionOfConcernFor", "ErratumFor", "UpdateOf", "CommentOn")
    assert integrity(c) is Integrity.SOUND
    assert not has_concern(c)
    assert not has_erratum(c)


def test_several_states_hold_at_once() -> None:
    c = with_links("RetractionIn", "ExpressionOfConcernIn", "ErratumIn")
    assert integrity(c) == Integrity.RETRACTED | Integrity.CONCERN | Integrity.ERRATUM
    assert integrity(with_links("CorrectedandRepublishedIn")) == Integrity.CORRECTED_AND_REPUBLISHED
    assert integrity(with_links("RetractedandRepublishedIn")) == Integrity.RETRACTED_AND_REPUBLISHED


def test_preprint_by_ui_or_exact_name() -> None:
    assert is_preprint(replace(BASE, publication_types=(PublicationType(None, "Preprint"),)))
    assert is_preprint(replace(BASE, publication_types=(PREPRINT,)))
    assert not is_preprint(replace(BASE, title=InlineXml("A preprint on preprints.")))


# ---- relations


def test_all_23_relations_and_their_counterparts() -> None:
    assert len(RELATIONS) == 23
    for each in RELATIONS.values():
        if each.counterpart is not None:
            assert RELATIONS[each.counterpart].counterpart == each.kind
    tags = [each.tag for each in RELATIONS.values() if each.tag]
    assert len(tags) == len(set(tags)) == 20


def test_notices_read_in_pubmeds_order_without_references() -> None:
    found = notices(with_links("ErratumIn", "Cites", "RetractionIn"))
    assert [each.words for each in found] == ["Erratum in", "Retraction in"]
    assert found[1].link == link("RetractionIn")


def test_a_relation_nlm_added_since_reads_as_its_own_words() -> None:
    assert relation("WithdrawnAndReplacedIn") == ("WithdrawnAndReplacedIn", None, "Withdrawn and replaced in", None)


# ---- what holds for all

KINDS = st.sampled_from([*RELATIONS, "FooIn"])
LINKS = st.lists(st.builds(link, KINDS, st.none() | st.integers(1, 5)), max_size=4).map(tuple)
CITATIONS = st.builds(
    replace,
    st.just(BASE),
    version=st.integers(1, 3),
    status=st.sampled_from(["Publisher", "MEDLINE", "PubMed-not-MEDLINE", None]),
    title=st.sampled_from([None, InlineXml("A."), InlineXml("<i>A</i>."), InlineXml("RETRACTED: A.")]),
    abstract=st.none() | st.builds(abstract, st.sampled_from(["x", "y", "x &lt; y"])),
    journal=st.none() | st.builds(Journal, volume=st.sampled_from([None, "1"])),
    publication_types=st.lists(st.sampled_from([ARTICLE, RETRACTED, PREPRINT]), max_size=3).map(tuple),
    publication_status=st.sampled_from([None, "aheadofprint", "ppublish"]),
    author_lists=st.sampled_from([(), BASE.author_lists, (AuthorList((), False),)]),
    article_ids=st.sampled_from([(), BASE.article_ids, (ArticleId("PMC1", "pmc"),)]),
    mesh_headings=st.sampled_from([(), (MeshHeading(MeshTerm("D1", "M")),)]),
    corrections=LINKS,
)


@given(CITATIONS)
def test_nothing_changed_against_itself(c: Citation) -> None:
    assert compare(c, replace(c)) == Unchanged()


@settings(max_examples=300)
@given(CITATIONS, CITATIONS)
def test_a_revision_names_every_field_and_at_least_one_change(a: Citation, b: Citation) -> None:
    found = compare(a, b)
    if b.version < a.version or a == b:
        assert found == Unchanged()
        return
    assert isinstance(found, Revised)
    assert found.fields == {each.name for each in fields(Citation) if getattr(a, each.name) != getattr(b, each.name)}
    assert found.changes
    assert len(set(found.changes)) == len(found.changes)
    weights = [change.weight for change in found.changes]
    assert weights == sorted(weights, reverse=True)
    assert (Change.RETRACTED in found.changes) == (is_retracted(b) and not is_retracted(a))
    assert (Change.REINSTATED in found.changes) == (is_retracted(a) and not is_retracted(b))
    assert Change.DETAILS_REVISED not in found.changes or len(found.changes) == 1


def test_every_change_has_words_of_its_own() -> None:
    assert len({change.words for change in Change}) == len(Change)
