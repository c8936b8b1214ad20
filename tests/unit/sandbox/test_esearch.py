"""esearch: what is found, how much of it, and what PubMed would say."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from monitor.pubmed.sandbox import Corpus, Fault, Sandbox, SetClock
from tests.unit.sandbox.records import Reply, ask, record

BASE = 90000000
NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)


def corpus() -> Corpus:
    return Corpus.of(
        record(BASE + 1, "Invented natural killer cells.", "Killing was invented.", crdt="2026/05/01 10:00"),
        record(
            BASE + 2, "Invented killer whales.", "Natural history of them.", crdt="2026/05/02 10:00", language="chi"
        ),
        record(BASE + 3, "Invented mice.", None, crdt="2026/06/14 23:00", edat="2019/01/01", mesh=("D051379 Mice",)),
        record(BASE + 4, "Invented natural cells.", "Nothing.", crdt="2026/06/15 01:00", revised="2026/06/15"),
    )


def sandbox(**behaviour: object) -> Sandbox:
    return Sandbox(corpus(), clock=SetClock(NOW), rate_limit=None, **behaviour)


def found(box: Sandbox, term: str, **parameters: object) -> list[int]:
    return [pmid - BASE for pmid in ask(box, "esearch", term=term, **parameters).pmids]


@pytest.fixture(scope="module")
def box() -> object:
    with sandbox() as running:
        yield running


@pytest.mark.parametrize(
    ("term", "expected"),
    [
        ("natural[tiab]", [4, 2, 1]),
        ('"natural killer"[tiab]', [1]),
        ("natural killer", [2, 1]),
        ("killer[ti] OR mice[ti] AND natural[tiab]", [2, 1]),
        ("killer[ti] OR (mice[ti] AND natural[tiab])", [2, 1]),
        ("mice[ti] OR killer[ti] NOT whales[ti]", [3, 1]),
        ("kill*[tiab]", [2, 1]),
        ('"cells natural"[tiab:~1]', [4, 1]),
        ("mice[mh]", [3]),
        ("chi[la]", [2]),
        ("hasabstract", [4, 2, 1]),
        (f"{BASE + 2} {BASE + 3}[uid]", [3, 2]),
        (f"{BASE + 2}:{BASE + 4}[uid] AND natural[tiab]", [4, 2]),
        ("2026/05/02:3000[crdt]", [4, 3, 2]),
        ("2019/01/01:2019/01/01[edat]", [3]),
        ("2026/06/15[lr]", [4]),
        ("all[sb]", [4, 3, 2, 1]),
    ],
)
def test_searches_are_evaluated(box: Sandbox, term: str, expected: list[int]) -> None:
    assert found(box, term) == expected


def test_a_record_is_found_while_it_can_be_seen() -> None:
    with sandbox() as box:
        assert found(box, "whales[ti]") == [2]
        box.corpus.remove(BASE + 2, at=NOW)
        assert found(box, "whales[ti]") == []
        box.corpus.add(record(BASE + 5, "More whales."), visible=NOW + timedelta(days=1))
        assert found(box, "whales[ti]") == []
        box.clock.set(NOW + timedelta(days=1))  # type: ignore[attr-defined]
        assert found(box, "whales[ti]") == [5]


def test_a_changed_record_is_found_by_its_new_text_only() -> None:
    with sandbox() as box:
        box.corpus.add(record(BASE + 1, "Changed."), visible=NOW)
        assert found(box, "changed[ti]") == [1]
        assert found(box, "killer[ti]") == [2]


def test_most_recent_first_and_twenty_by_default() -> None:
    many = Corpus.of(*(record(BASE + n, crdt=f"2026/01/{n % 28 + 1:02}") for n in range(1, 60)))
    with Sandbox(many, rate_limit=None) as box:
        reply = ask(box, "esearch", term="invented[tiab]")
        assert reply.count == 59
        assert reply.texts("RetMax") == ["20"]
        assert reply.pmids[:3] == [BASE + 55, BASE + 27, BASE + 54]
        assert len(ask(box, "esearch", term="invented[tiab]", retmax=100).pmids) == 59


def test_pages_of_one_search_add_up(box: Sandbox) -> None:
    pages = [found(box, "all[sb]", retstart=start, retmax=3) for start in (0, 3, 6)]
    assert pages == [[4, 3, 2], [1], []]


def test_the_count_may_drift_between_the_pages_of_one_search() -> None:
    with sandbox() as box:
        first = ask(box, "esearch", term="all[sb]", retmax=2)
        box.corpus.add(record(BASE + 9, crdt="2026/06/15 02:00"))
        second = ask(box, "esearch", term="all[sb]", retstart=2, retmax=2)
        assert (first.count, second.count) == (4, 5)
        assert set(first.pmids) & set(second.pmids) == {BASE + 3}, "the record that slid to the next page"


def test_above_the_limit_ids_are_clipped_with_a_warning_and_the_count_stays_true() -> None:
    with sandbox(limit=3) as box:
        reply = ask(box, "esearch", term="all[sb]", retmax=100)
        assert reply.count == 4
        assert len(reply.pmids) == 3
        assert reply.texts("OutputMessage") == ["Restrictions achieved. start and count adjusted to 0, 3"]
        assert len(ask(box, "esearch", term="all[sb]", retstart=2, retmax=100).pmids) == 1


def test_retstart_above_the_limit_is_an_error_under_status_200() -> None:
    with sandbox(limit=3) as box:
        reply = ask(box, "esearch", term="all[sb]", retstart=3)
        assert reply.status == 200
        assert reply.texts("ERROR")[0].startswith(
            "Search Backend failed: Exception:\n'retstart' cannot be larger than 2. For PubMed, ESearch can only retrieve "
            "the first 3 records matching the query."
        )
        assert (
            "cannot be larger than 2"
            in ask(box, "esearch", term="all[sb]", retstart=3, retmode="json").json["esearchresult"]["ERROR"]
        )


def test_rettype_count_gives_the_count_alone(box: Sandbox) -> None:
    assert [child.tag for child in ask(box, "esearch", term="all[sb]", rettype="count").xml] == ["Count"]
    assert ask(box, "esearch", term="all[sb]", rettype="count", retmode="json").json["esearchresult"] == {"count": "4"}


def test_nothing_found_says_so(box: Sandbox) -> None:
    reply = ask(box, "esearch", term="whales[ti] AND mice[ti]")
    assert (reply.count, reply.pmids, reply.texts("RetMax")) == (0, [], ["0"])
    assert reply.texts("OutputMessage") == ["No items found."]
    assert reply.texts("PhraseNotFound") == []


def test_an_unknown_untagged_word_is_dropped_and_named(box: Sandbox) -> None:
    reply = ask(box, "esearch", term="whales AND abcXYZ")
    assert reply.pmids == [BASE + 2]
    assert reply.texts("PhraseNotFound") == ["abcXYZ"]
    alone = ask(box, "esearch", term="abcXYZ")
    assert alone.count == 0
    assert alone.texts("QueryTranslation") == ["(abcXYZ[All Fields])"]


def test_an_unknown_quoted_phrase_loses_its_quotes_and_still_finds(box: Sandbox) -> None:
    reply = ask(box, "esearch", term='"killer natural"')
    assert reply.texts("QuotedPhraseNotFound") == ['"killer natural"']
    assert reply.pmids == [BASE + 2, BASE + 1]


@pytest.mark.parametrize("term", ["klingon[la]", "nonsuch[sb]"])
def test_unknown_languages_and_filters_are_dropped(box: Sandbox, term: str) -> None:
    reply = ask(box, "esearch", term=f"whales[ti] AND {term}")
    assert reply.pmids == [BASE + 2]
    assert len(reply.texts("PhraseNotFound")) == 1


def test_tagged_phrases_are_known_unless_scripted() -> None:
    term = '"killer natural"[tiab] OR "absent thing"[tiab]'
    with sandbox() as box:
        assert ask(box, "esearch", term=term).texts("QuotedPhraseNotFound") == []
        box.unknown_phrases.append("Killer Natural")
        reply = ask(box, "esearch", term=term)
        assert reply.texts("QuotedPhraseNotFound") == ['"killer natural"[Title/Abstract]']
        assert reply.pmids == [BASE + 2, BASE + 1]


def test_a_scripted_phrase_is_unknown_even_where_it_stands() -> None:
    with sandbox(unknown_phrases=["natural killer"]) as box:
        reply = ask(box, "esearch", term='"natural killer"[tiab]')
        assert reply.pmids == [BASE + 2, BASE + 1]
        assert reply.texts("QuotedPhraseNotFound") == ['"natural killer"[Title/Abstract]']


def test_with_the_corpus_as_vocabulary_all_it_lacks_is_unknown() -> None:
    with sandbox(vocabulary="corpus") as box:
        reply = ask(box, "esearch", term='(whales[ti] AND absent[tiab]) OR "killer natural"[tiab] OR fleegle[mh]')
        assert reply.texts("PhraseNotFound") == ["absent[Title/Abstract]", "fleegle[MeSH Terms]"]
        assert reply.texts("QuotedPhraseNotFound") == ['"killer natural"[Title/Abstract]']
        assert reply.pmids == [BASE + 2, BASE + 1]


def test_a_hyphenated_phrase_outside_the_index_finds_nothing_instead_of_being_dropped() -> None:
    with sandbox(vocabulary="corpus") as box:
        reply = ask(box, "esearch", term="natural[tiab] AND killer-natural[tiab]")
        assert reply.count == 0
        assert reply.texts("PhraseNotFound") == ["killer-natural[Title/Abstract]"]


@pytest.mark.parametrize(
    ("term", "expected", "translation"),
    [
        ("abcXYZ NOT whales[ti]", [], "(abcXYZ[All Fields] NOT whales[Title])"),
        ("whales[ti] NOT abcXYZ", [2], '"whales"[Title]'),
        ('"abcXYZ" OR whales[ti]', [2], '"whales"[Title]'),
        (
            '"last 40 days"[crdt] AND invented[tiab]',
            [4, 3],
            '"last 40 days"[Date - Create] AND "invented"[Title/Abstract]',
        ),
        (f"{BASE + 1}:{BASE + 2}[uid] OR {BASE + 4}[uid]", [4, 2, 1], f"{BASE + 1}:{BASE + 2}[UID] OR {BASE + 4}[UID]"),
        (
            "mice[mh:noexp] AND (kill*[ti] OR hasabstract)",
            [],
            '"mice"[MeSH Terms:noexp] AND (kill*[Title] OR "hasabstract"[All Fields])',
        ),
        ('"cells natural"[tiab:~1]', [4, 1], '"cells natural"[Title/Abstract:~1]'),
        ("chi[la] NOT mice[ti]", [2], '"chi"[Language] NOT "mice"[Title]'),
    ],
)
def test_what_is_left_and_how_it_is_written(box: Sandbox, term: str, expected: list[int], translation: str) -> None:
    reply = ask(box, "esearch", term=term)
    assert [pmid - BASE for pmid in reply.pmids] == expected
    assert reply.texts("QueryTranslation") == [translation]


def test_a_scripted_hyphenated_word_is_dropped() -> None:
    with sandbox(unknown_phrases=["car-nk"]) as box:
        assert found(box, 'whales[ti] AND "CAR-NK"[tiab]') == [2]


def test_history_can_be_emptied_at_once() -> None:
    with sandbox() as box:
        kept = history(ask(box, "esearch", term="killer[ti]", usehistory="y"))
        assert ask(box, "efetch", **{**kept, "query_key": "7"}).texts("ERROR") == ["Unable to obtain query #7"]
        box.history.expire()
        assert ask(box, "efetch", **kept).status == 400


def test_only_so_many_parts_of_searches_are_remembered() -> None:
    with sandbox() as box:
        box.index.kept = 3
        assert [found(box, f"{term}[tiab]") for term in ("natural", "killer", "mice", "whales", "natural")] == [
            [4, 2, 1],
            [2, 1],
            [3],
            [2],
            [4, 2, 1],
        ]
        assert len(box.index._leaves) == 3


def test_stopwords_are_ignored_and_named(box: Sandbox) -> None:
    reply = ask(box, "esearch", term="the[tiab] AND whales[tiab]")
    assert reply.pmids == [BASE + 2]
    assert reply.texts("PhraseIgnored") == ["the"]


def test_an_unknown_field_stays_in_the_translation_and_nothing_warns() -> None:
    with sandbox() as box:
        reply = ask(box, "esearch", term="invented[tiba]")
        assert reply.count == 4
        assert "[tiba]" in reply.texts("QueryTranslation")[0]
        assert reply.texts("FieldNotFound") == []
        assert ask(box, "esearch", term="invented\uff3btiba\uff3d").count == 4
        box.name_unknown_fields = True
        assert ask(box, "esearch", term="invented[tiba]").texts("FieldNotFound") == ["tiba"]


def test_what_cannot_be_read_is_an_error(box: Sandbox) -> None:
    reply = ask(box, "esearch", term="(whales[ti]")
    assert reply.status == 200
    assert "'term' cannot be read: column" in reply.texts("ERROR")[0]


def test_the_translation_can_change_between_polls() -> None:
    with sandbox() as box:
        before = ask(box, "esearch", term="mice[mh] AND invented[tiab]").texts("QueryTranslation")
        assert before == ['"mice"[MeSH Terms] AND "invented"[Title/Abstract]']
        box.translations['"mice"[MeSH Terms]'] = '"mus"[MeSH Terms]'
        after = ask(box, "esearch", term="mice[mh] AND invented[tiab]").texts("QueryTranslation")
        assert after == ['"mus"[MeSH Terms] AND "invented"[Title/Abstract]']


def test_reldate_is_today_minus_n_to_today_at_nlm() -> None:
    with sandbox() as box:
        reply = ask(box, "esearch", term="invented[tiab]", reldate=1, datetype="crdt")
        assert reply.pmids == [BASE + 4, BASE + 3]
        assert reply.texts("QueryTranslation") == [
            '"invented"[Title/Abstract] AND 2026/06/14:2026/06/15[Date - Create]'
        ]
        box.clock.set(datetime(2026, 6, 15, 3, tzinfo=UTC))  # type: ignore[attr-defined]
        late = ask(box, "esearch", term="invented[tiab]", reldate=0, datetype="crdt")
        assert "2026/06/14:2026/06/14" in late.texts("QueryTranslation")[0], "it is still yesterday in Bethesda"


def test_mindate_and_maxdate_work_together_only(box: Sandbox) -> None:
    both = {"mindate": "2026/05", "maxdate": "2026/05/01", "datetype": "crdt"}
    assert found(box, "all[sb]", **both) == [1]
    assert found(box, "all[sb]", mindate="2026/05/02", datetype="crdt") == [4, 3, 2, 1]
    assert found(box, "all[sb]", mindate="2019", maxdate="2019") == [3], "the entry date, when no datetype is given"
    assert found(box, "all[sb]", mindate="2026/06/15", maxdate="3000", datetype="mdat") == [4]


def test_misspelt_parameters_have_no_effect(box: Sandbox) -> None:
    assert found(box, "all[sb]", RetMax=1) == [4, 3, 2, 1]
    assert found(box, "all[sb]", retmax="many") == [4, 3, 2, 1]


def test_field_applies_to_the_whole_term(box: Sandbox) -> None:
    assert found(box, "natural", field="ti") == [4, 1]


@pytest.mark.parametrize(
    ("sort", "expected"),
    [("pub_date", [2, 3, 1]), ("Author", [3, 1, 2]), ("JournalName", [1, 3, 2]), ("relevance", [3, 2, 1])],
)
def test_sort_orders(sort: str, expected: list[int]) -> None:
    three = Corpus.of(
        record(BASE + 1, year="2001", author="Bee", journal="Aa J"),
        record(BASE + 2, year="2020", author="Cee", journal="Cc J"),
        record(BASE + 3, year="2010", author="Aye", journal="Bb J"),
    )
    with Sandbox(three, rate_limit=None) as box:
        assert found(box, "all[sb]", sort=sort) == expected


def history(reply: Reply) -> dict[str, str]:
    return {"WebEnv": reply.texts("WebEnv")[0], "query_key": reply.texts("QueryKey")[0]}


def test_history_keeps_a_search_as_it_was() -> None:
    with sandbox() as box:
        kept = history(ask(box, "esearch", term="killer[ti]", usehistory="y", retmax=0))
        box.corpus.add(record(BASE + 9, "Another killer."))
        assert sorted(ask(box, "efetch", **kept).fetched) == [BASE + 1, BASE + 2]
        assert ask(box, "efetch", **kept, retstart=1, retmax=1).fetched == [BASE + 1]


def test_history_can_be_joined_in_terms_and_by_key(box: Sandbox) -> None:
    first = ask(box, "esearch", term="natural[tiab]", usehistory="y")
    env = first.texts("WebEnv")[0]
    second = ask(box, "esearch", term="killer[ti]", usehistory="y", WebEnv=env)
    assert (second.texts("WebEnv"), second.texts("QueryKey")) == ([env], ["2"])
    assert found(box, "#1 NOT #2", usehistory="y", WebEnv=env) == [4]
    assert found(box, "killer[ti]", usehistory="y", WebEnv=env, query_key=1) == [2, 1]
    assert found(box, "", WebEnv=env, query_key=2) == [2, 1]


@pytest.mark.parametrize("utility", ["esearch", "efetch", "epost", "esummary", "elink"])
def test_expired_history_is_an_error(utility: str) -> None:
    with sandbox() as box:
        kept = history(ask(box, "esearch", term="killer[ti]", usehistory="y"))
        box.clock.set(NOW + timedelta(hours=7))  # type: ignore[attr-defined]
        assert ask(box, "efetch", **kept).status == 200, "seven hours are no expiry, and the use renews it"
        box.clock.set(NOW + timedelta(hours=16))  # type: ignore[attr-defined]
        more = {"id": BASE + 1} if utility == "epost" else {}
        reply = ask(box, utility, **kept, **more)
        assert reply.status == (400 if utility == "efetch" else 200)
        assert reply.texts("ERROR")[0].startswith("Unable to obtain query #1")


@pytest.mark.parametrize(
    ("parameters", "error"),
    [
        ({"term": ""}, "Empty term and query_key - nothing todo"),
        ({"term": "x", "db": "fleegle"}, "Invalid db name specified: fleegle"),
        ({"term": "#1"}, "Unable to obtain query #1: there is no WebEnv"),
        (
            {"term": "x", "WebEnv": "MCID_0", "query_key": "1"},
            "Unable to obtain query #1: the WebEnv is unknown or has expired",
        ),
    ],
)
def test_errors_in_xml_and_json(box: Sandbox, parameters: dict[str, str], error: str) -> None:
    assert ask(box, "esearch", **parameters).texts("ERROR") == [error]
    assert ask(box, "esearch", **parameters, retmode="json").json == {
        "header": {"type": "esearch", "version": "0.3"},
        "esearchresult": {"ERROR": error},
    }


def test_json_has_lower_case_keys_and_numbers_as_text(box: Sandbox) -> None:
    result = ask(box, "esearch", term="whales killer", retmode="json", usehistory="y").json["esearchresult"]
    assert (result["count"], result["retmax"], result["retstart"], result["idlist"]) == ("1", "1", "0", [str(BASE + 2)])
    assert result["querykey"] == "1"
    assert result["translationset"] == [
        {"from": "whales killer", "to": '"whales"[All Fields] AND "killer"[All Fields]'}
    ]
    nothing = ask(box, "esearch", term="abcXYZ", retmode="json").json["esearchresult"]
    assert nothing["errorlist"] == {"phrasesnotfound": ["abcXYZ"], "fieldsnotfound": []}
    assert nothing["warninglist"]["outputmessages"] == ["No items found."]
    assert (
        ask(box, "esearch", term="mice[ti] AND whales[ti]", retmode="json").json["esearchresult"]["errorlist"] is None
    )


def test_an_empty_result_can_be_scripted() -> None:
    with sandbox() as box:
        box.fault(Fault.EMPTY_RESULT, calls=[1])
        assert ask(box, "esearch", term="all[sb]").count == 0
        assert ask(box, "esearch", term="all[sb]").count == 4


def test_a_record_that_cannot_be_read_is_served_but_not_found() -> None:
    bad = record(BASE + 6).replace(
        b'<PMID Version="1">90000006</PMID>', b'<PMID Version="x">90000006</PMID><PMID>90000006</PMID>'
    )
    broken = b"<PubmedArticle><Odd><PMID>90000007</PMID></Odd></PubmedArticle>"
    with Sandbox(Corpus.of(bad, broken, record(BASE + 1)), rate_limit=None) as box:
        assert 1 in found(box, "invented[tiab]")
        assert ask(box, "efetch", id=BASE + 7).body.count(b"<Odd>") == 1
        assert ask(box, "esummary", id=BASE + 7).texts("ERROR") == [f"UID={BASE + 7}: cannot get document summary"]
