"""The outer shapes of E-utilities answers: DOCTYPEs, error documents, record sets."""

from __future__ import annotations

import json
from collections.abc import Iterable
from xml.sax.saxutils import escape

from monitor.pubmed.sandbox.exchange import JSON, Answer

DTD_VERSIONS = {
    "250101": "1st January 2025",
    "260101": "1st January 2026",
    "990101": "1st January 2099",
}
"""PubMed DTDs that may be named: the newest Biopython ships, the present one, and one nobody knows."""

_DOCTYPES = {
    "esearch": ("eSearchResult", "esearch 20060628", "20060628/esearch.dtd"),
    "epost": ("ePostResult", "epost 20090526", "20090526/epost.dtd"),
    "elink": ("eLinkResult", "elink 20101123", "20101123/elink.dtd"),
    "einfo": ("eInfoResult", "einfo 20190110", "20190110/einfo.dtd"),
    "esummary": ("eSummaryResult", "esummary v1 20041029", "20041029/esummary-v1.dtd"),
    "efetch": ("eEfetchResult", "efetch 20131226", "20131226/efetch.dtd"),
    "egquery": ("Result", "egquery 20041029", "20041029/egquery.dtd"),
}
_SPELL = (
    '<?xml version="1.0"?>\n<!DOCTYPE eSpellResult PUBLIC "-//NLM//DTD eSpellResult, 23 November 2004//EN" '
    '"https://www.ncbi.nlm.nih.gov/entrez/query/DTD/eSpell.dtd">\n'
)
_SUMMARY2 = (
    '<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE eSummaryResult PUBLIC "-//NLM//DTD esummary pubmed 20150514//EN" '
    '"https://eutils.ncbi.nlm.nih.gov/eutils/dtd/20150514/esummary_pubmed.dtd">\n'
)


def doctype(utility: str, version: str = "250101") -> bytes:
    """Return XML declaration and DOCTYPE of a utility's answer; efetch's is PubMed's own, of that DTD version."""
    if utility == "efetch":
        return (
            f'<?xml version="1.0" ?>\n<!DOCTYPE PubmedArticleSet PUBLIC "-//NLM//DTD PubMedArticle, {DTD_VERSIONS[version]}//EN" '
            f'"https://dtd.nlm.nih.gov/ncbi/pubmed/out/pubmed_{version}.dtd">\n'
        ).encode()
    if utility == "espell":
        return _SPELL.encode()
    if utility == "esummary2":
        return _SUMMARY2.encode()
    return _prolog(utility)


def _prolog(utility: str) -> bytes:
    root, public, path = _DOCTYPES.get(utility, _DOCTYPES["esearch"])
    return (
        f'<?xml version="1.0" encoding="UTF-8" ?>\n<!DOCTYPE {root} PUBLIC "-//NLM//DTD {public}//EN" '
        f'"https://eutils.ncbi.nlm.nih.gov/eutils/dtd/{path}">\n'
    ).encode()


def error_document(utility: str, *messages: str) -> bytes:
    """Return the utility's result element with one or more `ERROR`s."""
    errors = "".join(f"\t<ERROR>{escape(message)}</ERROR>\n" for message in messages)
    if utility == "espell":
        return f"{_SPELL}<eSpellResult>\n{errors}</eSpellResult>\n".encode()
    root = "eFetchResult" if utility == "efetch" else _DOCTYPES.get(utility, _DOCTYPES["esearch"])[0]
    # The DOCTYPE says eEfetchResult, the element eFetchResult: NCBI's own slip.
    return _prolog(utility) + f"<{root}>\n{errors}</{root}>\n".encode()


def json_error(utility: str, message: str) -> Answer:
    """Return the JSON form: upper-case `ERROR` under the result member; esummary alone has it at top level."""
    header = {"type": utility, "version": "0.3"}
    if utility == "esummary":
        return json_answer({"header": header, "esummaryresult": [message]})
    return json_answer({"header": header, f"{utility}result": {"ERROR": message}})


def json_answer(value: object) -> Answer:
    return Answer((json.dumps(value, ensure_ascii=False, separators=(",", ":")) + "\n").encode(), JSON)


def set_document(prolog: bytes, records: Iterable[bytes], opening: bytes = b"<PubmedArticleSet>") -> bytes:
    """Return a PubmedArticleSet; an empty one breaks the DTD, and PubMed sends it all the same."""
    joined = b"\n".join(records)
    return prolog + opening + (b"\n" + joined + b"\n" if joined else b"") + b"</PubmedArticleSet>\n"
