"""efetch, epost, esummary, elink, einfo, espell and ecitmatch."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from monitor.errors import UsageError
from monitor.pubmed.parse import read_records
from monitor.pubmed.sandbox import Corpus, Fault, Sandbox
from tests.unit.sandbox.records import ask, book, record

A, B, C, D = 90000001, 90000002, 90000003, 90000004


def sandbox(**behaviour: object) -> Sandbox:
    corpus = Corpus.of(
        record(A, "Invented natural killer cells.", doi="10.99999/invented.1", pmc="PMC99901", cites=(B, 99999999)),
        record(B, "Invented natural killer whales.", cites=(C,), crdt="2024/02/01"),
        record(C, "Something else.", volume="7", author="Placeholder"),
        book(D),
    )
    return Sandbox(corpus, rate_limit=None, **behaviour)


@pytest.fixture(scope="module")
def box() -> Iterator[Sandbox]:
    with sandbox() as running:
        yield running


# efetch


def test_unknown_ids_are_omitted_and_duplicates_answered_once(box: Sandbox) -> None:
    reply = ask(box, "efetch", id=f"{A},99999999, {C} ,{A},000{B}")
    assert reply.fetched == [A, C, B]
    assert reply.headers["Content-Type"] == "text/xml; charset=UTF-8"


def test_get_and_post_and_repeated_ids_are_alike(box: Sandbox) -> None:
    assert ask(box, "efetch", get=True, id=f"{A},{B}").body == ask(box, "efetch", id=[A, B]).body


def test_articles_and_books_stand_in_one_set(box: Sandbox) -> None:
    assert [child.tag for child in ask(box, "efetch", id=[A, D]).xml] == ["PubmedArticle", "PubmedBookArticle"]


def test_all_unknown_is_an_empty_set(box: Sandbox) -> None:
    reply = ask(box, "efetch", id="99999999")
    assert reply.status == 200
    assert reply.body.endswith(b"<PubmedArticleSet></PubmedArticleSet>\n")


@pytest.mark.parametrize("ids", ["0", "", "abc", "-1", "1.5", "0,x", "18446744073709551616"])
def test_no_usable_id_is_refused(box: Sandbox, ids: str) -> None:
    reply = ask(box, "efetch", id=ids)
    assert (reply.status, reply.texts("ERROR")) == (400, ["ID list is empty! Possibly it has no correct IDs."])
    assert b"eEfetchResult PUBLIC" in reply.body
    text = ask(box, "efetch", id=ids, retmode="text", rettype="medline")
    assert (text.status, text.headers["Content-Type"]) == (400, "text/plain; charset=UTF-8")
    assert text.body == b"ID+list+is+empty!+Possibly+it+has+no+correct+IDs."


def test_no_id_parameter_is_refused_too(box: Sandbox) -> None:
    assert ask(box, "efetch", db="pubmed").status == 400
    assert ask(box, "efetch", db="protein", id=A).texts("ERROR") == ["Invalid db name specified: protein"]


def test_paging_of_an_id_list(box: Sandbox) -> None:
    assert ask(box, "efetch", id=[A, B, C], retstart=1, retmax=1).fetched == [B]


def test_shuffled_order_is_an_option() -> None:
    with sandbox(shuffle=True, seed=3) as box:
        orders = {tuple(ask(box, "efetch", id=[A, B, C, D]).fetched) for _ in range(20)}
    assert len(orders) > 1
    assert {tuple(sorted(order)) for order in orders} == {(A, B, C, D)}


@pytest.mark.parametrize("version", ["250101", "260101", "990101"])
def test_the_doctype_can_be_of_another_year(version: str) -> None:
    with sandbox(dtd=version) as box:
        reply = ask(box, "efetch", id=A)
    assert f'"https://dtd.nlm.nih.gov/ncbi/pubmed/out/pubmed_{version}.dtd"'.encode() in reply.body
    assert f"1st January 20{version[:2]}".encode() in reply.body


def test_unknown_behaviour_is_refused() -> None:
    for wrong in ({"dtd": "200101"}, {"vocabulary": "all"}, {"framing": "promised"}):
        with pytest.raises(UsageError):
            sandbox(**wrong)


def test_medline_uilist_and_abstract_are_text(box: Sandbox) -> None:
    medline = ask(box, "efetch", id=[A, 99999999, D], rettype="medline", retmode="text")
    assert medline.headers["Content-Type"] == "text/plain; charset=UTF-8"
    text = medline.body.decode()
    assert text.startswith("\nPMID- 90000001\nOWN - NLM\n")
    assert "TI  - Invented natural killer cells.\n" in text
    assert "SO  - Invented J Cell Ther. 2024 Mar;12(3):101-109\n\nPMID- 90000004" in text
    assert ask(box, "efetch", id=[C, A], rettype="uilist", retmode="text").body == b"90000003\n90000001\n"
    assert b"PMID: 90000001" in ask(box, "efetch", id=A, rettype="abstract", retmode="text").body
    assert ask(box, "efetch", id=A, rettype="abstract", retmode="xml").fetched == [A]


def test_long_medline_values_continue_after_six_blanks(box: Sandbox) -> None:
    with Sandbox(Corpus.of(record(A, abstract="word " * 60)), rate_limit=None) as long:
        lines = ask(long, "efetch", id=A, rettype="medline").body.decode().splitlines()
    assert all(len(line) <= 88 for line in lines)
    start = next(n for n, line in enumerate(lines) if line.startswith("AB  - "))
    assert lines[start + 1].startswith("      word")


RICH = b"""<PubmedArticle><MedlineCitation Status="MEDLINE" Owner="NLM"><PMID Version="1">90000001</PMID>
<DateCompleted><Year>2024</Year><Month>05</Month><Day>06</Day></DateCompleted><Article PubModel="Electronic"><Journal>
<ISSN IssnType="Print">9999-0001</ISSN><JournalIssue CitedMedium="Print"><PubDate><MedlineDate>2024 Nov-Dec</MedlineDate></PubDate>
</JournalIssue><Title>Invented journal</Title></Journal><ArticleTitle>Invented <i>title</i>.</ArticleTitle>
<ELocationID EIdType="doi" ValidYN="Y">10.99999/x</ELocationID><Abstract><AbstractText Label="AIM">One.</AbstractText>
<AbstractText Label="END">Two.</AbstractText></Abstract><AuthorList CompleteYN="Y"><Author ValidYN="Y"><LastName>Example</LastName>
<ForeName>Ada</ForeName><Initials>A</Initials><Identifier Source="ORCID">0000-0000-0000-0000</Identifier><AffiliationInfo>
<Affiliation>Nowhere.</Affiliation></AffiliationInfo></Author><Author ValidYN="Y"><CollectiveName>Invented Group</CollectiveName>
</Author><Author ValidYN="Y"><LastName>Mononym</LastName></Author></AuthorList><Language>eng</Language><GrantList CompleteYN="Y">
<Grant><GrantID>G1</GrantID><Agency>Invented Fund</Agency><Country>England</Country></Grant></GrantList><PublicationTypeList>
<PublicationType UI="D016428">Journal Article</PublicationType></PublicationTypeList><ArticleDate DateType="Electronic">
<Year>2024</Year><Month>01</Month><Day>15</Day></ArticleDate></Article><MedlineJournalInfo><MedlineTA>Invented J</MedlineTA>
<ISSNLinking>9999-0002</ISSNLinking></MedlineJournalInfo><ChemicalList><Chemical><RegistryNumber>0</RegistryNumber>
<NameOfSubstance UI="D000001">Inventin</NameOfSubstance></Chemical></ChemicalList><MeshHeadingList><MeshHeading>
<DescriptorName UI="D007694" MajorTopicYN="N">Killer Cells, Natural</DescriptorName><QualifierName UI="Q000276" MajorTopicYN="Y">
immunology</QualifierName></MeshHeading></MeshHeadingList><KeywordList Owner="NOTNLM"><Keyword MajorTopicYN="Y">major</Keyword>
<Keyword MajorTopicYN="N">minor</Keyword></KeywordList></MedlineCitation><PubmedData><PublicationStatus>epublish</PublicationStatus>
</PubmedData></PubmedArticle>"""


def test_the_tags_of_a_full_record() -> None:
    with Sandbox(Corpus.of(RICH), rate_limit=None) as box:
        medline = ask(box, "efetch", id=A, rettype="medline").body.decode()
        abstract = ask(box, "efetch", id=A, rettype="abstract", retmode="text").body.decode()
        assert ask(box, "esummary", id=A, retmode="json").json["result"][str(A)]["sortpubdate"] == "2024/11/01 00:00"
        box.fault(Fault.PARTIAL_SET)
        assert ask(box, "efetch", id=A, rettype="medline").body == b"\n"
    assert medline.splitlines()[1:] == [
        "PMID- 90000001", "OWN - NLM", "STAT- MEDLINE", "DCOM- 20240506", "IS  - 9999-0001 (Print)", "IS  - 9999-0002 (Linking)",
        "DP  - 2024 Nov-Dec", "TI  - Invented title.", "LID - 10.99999/x [doi]", "AB  - AIM: One. END: Two.",
        "FAU - Example, Ada", "AU  - Example A", "AUID- ORCID: 0000-0000-0000-0000", "AD  - Nowhere.", "CN  - Invented Group",
        "AU  - Mononym", "LA  - eng", "GR  - G1/Invented Fund/England", "PT  - Journal Article", "DEP - 20240115",
        "TA  - Invented J", "JT  - Invented journal", "RN  - 0 (Inventin)", "MH  - Killer Cells, Natural/*immunology",
        "OT  - *major", "OT  - minor", "PST - epublish", "SO  - Invented J. 2024 Nov-Dec",
    ]  # fmt: skip
    assert abstract.split("\n\n") == [
        "\nInvented J. 2024 Nov-Dec.", "Invented title.", "Example A, Invented Group, Mononym", "AIM: One.", "END: Two.",
        "PMID: 90000001\n",
    ]  # fmt: skip


def test_a_record_without_a_date_has_none() -> None:
    bare = b'<PubmedArticle><MedlineCitation><PMID Version="1">90000001</PMID><Article><ArticleTitle>X</ArticleTitle></Article></MedlineCitation></PubmedArticle>'
    with Sandbox(Corpus.of(bare), rate_limit=None) as box:
        summary = ask(box, "esummary", id=A, retmode="json").json["result"][str(A)]
        assert (summary["pubdate"], summary["sortpubdate"]) == ("", "")
        assert ask(box, "esearch", term="all[sb]", sort="pub_date").pmids == [A]
        assert ask(box, "efetch", id=A, rettype="abstract", retmode="text").status == 200


def test_what_is_fetched_can_be_parsed(box: Sandbox) -> None:
    assert [each.pmid for each in read_records([ask(box, "efetch", id=[A, B, C, D]).body])] == [A, B, C, D]


# epost


def test_posted_ids_are_kept(box: Sandbox) -> None:
    posted = ask(box, "epost", id=f"{A},{B},99999999")
    kept = {"WebEnv": posted.texts("WebEnv")[0], "query_key": posted.texts("QueryKey")[0]}
    assert ask(box, "efetch", **kept).fetched == [A, B]
    again = ask(box, "epost", id=C, WebEnv=kept["WebEnv"])
    assert (again.texts("WebEnv"), again.texts("QueryKey")) == ([kept["WebEnv"]], ["2"])


def test_bad_ids_give_several_errors(box: Sandbox) -> None:
    assert ask(box, "epost", id="x,0").texts("ERROR") == [
        "Empty ID list; Nothing to store",
        "Some IDs have invalid value and were omitted. Maximum ID value 18446744073709551615",
    ]
    assert ask(box, "epost", id="").texts("ERROR") == ["Empty ID list; Nothing to store"]
    assert ask(box, "epost", db="nothing", id=A).texts("ERROR") == ["Invalid db name specified: nothing"]


def test_bad_ids_among_good_ones_are_listed(box: Sandbox) -> None:
    reply = ask(box, "epost", id=f"{A},x<y")
    assert reply.texts("InvalidIdList/Id") == ["x<y"]
    assert reply.texts("QueryKey") == ["1"]


def test_no_more_than_ten_thousand_ids_at_once() -> None:
    with sandbox() as box:
        assert ask(box, "epost", id=",".join(map(str, range(1, 10_001)))).texts("QueryKey") == ["1"]
        reply = ask(box, "epost", id=",".join(map(str, range(1, 10_002))))
        assert (reply.status, len(reply.texts("ERROR"))) == (400, 1)


# esummary


def test_summaries_name_unknown_ids_one_by_one(box: Sandbox) -> None:
    first = ask(box, "esummary", id=f"{A},99999999")
    assert first.texts("DocSum/Id") == [str(A)]
    assert first.texts("ERROR") == ["UID=99999999: cannot get document summary"]
    second = ask(box, "esummary", id=f"{A},99999999", version="2.0")
    assert second.xml.find("DocumentSummarySet").get("status") == "OK"
    assert [each.get("uid") for each in second.xml.iterfind(".//DocumentSummary")] == [str(A), "99999999"]
    assert second.texts("DocumentSummary/error") == ["cannot get document summary"]
    result = ask(box, "esummary", id=f"{A},99999999", retmode="json").json["result"]
    assert result["uids"] == [str(A), "99999999"]
    assert result["99999999"] == {"uid": "99999999", "error": "cannot get document summary"}
    assert result[str(A)]["title"] == "Invented natural killer cells."
    assert result[str(A)]["articleids"][-1] == {"idtype": "pmcid", "idtypen": 5, "value": "pmc-id: PMC99901;"}


def test_summaries_of_books(box: Sandbox) -> None:
    assert ask(box, "esummary", id=D, retmode="json").json["result"][str(D)]["booktitle"] == "Handbook of nothing"


def test_summaries_of_nothing(box: Sandbox) -> None:
    assert ask(box, "esummary", db="pubmed").texts("ERROR") == ["Neither query_key nor id specified"]
    wrong = ask(box, "esummary", db="fleegle", id=A, retmode="json").json
    assert wrong["esummaryresult"] == ["Invalid db name specified: fleegle"]


# elink


def links(box: Sandbox, **parameters: object) -> list[tuple[list[str], dict[str, list[str]]]]:
    reply = ask(box, "elink", dbfrom="pubmed", **parameters)
    return [
        (
            [each.text for each in one.iterfind("IdList/Id")],
            {db.findtext("LinkName"): [i.text for i in db.iterfind("Link/Id")] for db in one.iterfind("LinkSetDb")},
        )
        for one in reply.xml.iterfind("LinkSet")
    ]


def test_one_id_parameter_is_one_set_several_are_several(box: Sandbox) -> None:
    merged = links(box, id=f"{A},{B}", linkname="pubmed_pubmed_refs")
    assert merged == [([str(A), str(B)], {"pubmed_pubmed_refs": [str(B), str(C)]})]
    apart = links(box, id=[A, B], linkname="pubmed_pubmed_refs")
    assert apart == [([str(A)], {"pubmed_pubmed_refs": [str(B)]}), ([str(B)], {"pubmed_pubmed_refs": [str(C)]})]


def test_similar_articles_begin_with_the_source(box: Sandbox) -> None:
    assert links(box, id=A, linkname="pubmed_pubmed") == [([str(A)], {"pubmed_pubmed": [str(A), str(B)]})]
    reply = ask(box, "elink", id=A, linkname="pubmed_pubmed", cmd="neighbor_score")
    scores = [int(score) for score in reply.texts("Link/Score")]
    assert len(scores) == 2
    assert scores == sorted(scores, reverse=True)


def test_no_links_and_no_record_look_alike(box: Sandbox) -> None:
    assert links(box, id=[C, 99999999], linkname="pubmed_pubmed_refs") == [([str(C)], {}), (["99999999"], {})]


def test_cited_in_and_pmc(box: Sandbox) -> None:
    assert links(box, id=C, linkname="pubmed_pubmed_citedin") == [([str(C)], {"pubmed_pubmed_citedin": [str(B)]})]
    assert links(box, id=A, db="pmc") == [([str(A)], {"pubmed_pmc": ["99901"]})]


def test_links_can_be_limited_by_term_and_date(box: Sandbox) -> None:
    assert links(box, id=A, linkname="pubmed_pubmed", term="whales[ti]") == [([str(A)], {"pubmed_pubmed": [str(B)]})]
    dates = {"mindate": "2024/02/01", "maxdate": "2024/02/02", "datetype": "crdt"}
    assert links(box, id=A, linkname="pubmed_pubmed", **dates) == [([str(A)], {"pubmed_pubmed": [str(B)]})]


def test_links_on_the_history_server(box: Sandbox) -> None:
    reply = ask(box, "elink", id=A, cmd="neighbor_history", linkname="pubmed_pubmed_refs")
    kept = {"WebEnv": reply.texts("WebEnv")[0], "query_key": reply.texts("LinkSetDbHistory/QueryKey")[0]}
    assert ask(box, "efetch", **kept).fetched == [B]
    assert [ids for ids, _ in links(box, **kept, linkname="pubmed_pubmed")] == [[str(B)]]


def test_checks_and_link_outs(box: Sandbox) -> None:
    assert ask(box, "elink", id=C, cmd="ncheck").xml.find(".//IdCheckList/Id").get("HasNeighbor") == "N"
    assert ask(box, "elink", id=A, cmd="lcheck").xml.find(".//IdCheckList/Id").get("HasLinkOut") == "Y"
    assert ask(box, "elink", id=A, cmd="acheck").texts("LinkInfo/LinkName") == [
        "pubmed_pubmed",
        "pubmed_pubmed_refs",
        "pubmed_pmc",
    ]
    assert ask(box, "elink", id=A, cmd="prlinks").texts("ObjUrl/Url") == ["https://doi.org/10.99999/invented.1"]
    assert ask(box, "elink", id=C, cmd="llinks").texts("ObjUrl/Url") == []


def test_links_in_json(box: Sandbox) -> None:
    sets = ask(box, "elink", id=A, linkname="pubmed_pubmed_refs", retmode="json").json["linksets"]
    assert ask(box, "elink", id=C, linkname="pubmed_pubmed_refs", retmode="json").json["linksets"] == [
        {"dbfrom": "pubmed", "ids": [str(C)]}
    ]
    assert sets == [
        {
            "dbfrom": "pubmed",
            "ids": [str(A)],
            "linksetdbs": [{"dbto": "pubmed", "linkname": "pubmed_pubmed_refs", "links": [str(B)]}],
        }
    ]


def test_link_errors(box: Sandbox) -> None:
    assert ask(box, "elink", id="x").texts("ERROR") == ["Empty list of UIDs"]
    assert ask(box, "elink", id=A, cmd="nonsense").texts("ERROR") == ["Unknown cmd: nonsense"]
    assert ask(box, "elink", id=A, dbfrom="pmc", retmode="json").json["elinkresult"]["ERROR"].endswith(": pmc")


def test_link_sets_can_fail_one_by_one_and_scores_be_missing() -> None:
    with sandbox() as box:
        box.fault(Fault.LINKSET_ERROR, utility="elink", calls=[1])
        box.fault(Fault.SCORES_MISSING, utility="elink", calls=[2])
        failed = ask(box, "elink", id=[A, B])
        assert len(failed.texts("LinkSet/ERROR")) == 2
        scoreless = ask(box, "elink", id=A, cmd="neighbor_score", linkname="pubmed_pubmed")
        assert (len(scoreless.texts("Link")), scoreless.texts("Score")) == (2, [])


# einfo, espell, ecitmatch


def test_einfo_lists_databases_fields_and_links(box: Sandbox) -> None:
    assert ask(box, "einfo").texts("DbName") == ["pubmed"]
    about = ask(box, "einfo", db="pubmed")
    assert about.texts("DbInfo/Count") == ["4"]
    assert {"CRDT", "EDAT", "MHDA", "MDAT", "TIAB"} <= set(about.texts("Field/Name"))
    assert "pubmed_pubmed_citedin" not in about.texts("Link/Name"), "works, and is not listed"
    info = ask(box, "einfo", db="pubmed", retmode="json").json["einforesult"]["dbinfo"][0]
    assert info["count"] == "4"
    assert [field["name"] for field in info["fieldlist"]] == about.texts("Field/Name")
    assert ask(box, "einfo", db="fleegle").texts("ERROR") == ["Can not retrieve DbInfo for db=fleegle"]
    assert ask(box, "einfo", retmode="json").json["einforesult"] == {"dblist": ["pubmed"]}


def test_spelling_is_corrected_from_the_corpus(box: Sandbox) -> None:
    reply = ask(box, "espell", term="naturel kiler cells")
    assert reply.texts("CorrectedQuery") == ["natural killer cells"]
    assert [child.tag for child in reply.xml.find("SpelledQuery")] == ["Replaced", "Replaced", "Original"]
    assert ask(box, "espell", term="natural").texts("CorrectedQuery") == [""]
    assert ask(box, "espell", term="").texts("ERROR") == ["Empty query"]


def test_citations_are_matched_line_by_line_as_plain_text() -> None:
    more = [record(A + n, volume="50") for n in range(10, 13)] + [record(A + n, volume="60") for n in range(20, 25)]
    with sandbox() as box:
        for each in more:
            box.corpus.add(each)
        lines = (
            "Invented J Cell Ther|2024|7|101|Placeholder A|k1|",
            "9999-0001|2024|8|101||k2|",
            "",
            "No Such Journal|2024|7|101||k3|",
            "invented j cell ther|2024|50|||k4|",
            "Invented J Cell Ther|2024|60|||k5|",
            "|2024|7|101||k6|",
            "Invented J Cell Ther|2024|7|101||k7|",
        )
        reply = ask(box, "ecitmatch", db="pubmed", retmode="xml", bdata="\r".join(lines))
    assert reply.headers["Content-Type"] == "text/plain; charset=UTF-8"
    assert reply.body.decode().splitlines() == [
        "Invented J Cell Ther|2024|7|101|Placeholder A|k1|90000003",
        "9999-0001|2024|8|101||k2|NOT_FOUND",
        "k3|NOT_FOUND;INVALID_JOURNAL",
        "invented j cell ther|2024|50|||k4|AMBIGUOUS 90000011,90000012,90000013",
        "Invented J Cell Ther|2024|60|||k5|AMBIGUOUS (5 citations)",
    ]
