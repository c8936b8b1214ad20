"""E-utilities on loopback over PubMed XML files: for the demo, for trying search terms offline, for the client's tests.

    corpus = Corpus.read(Path("corpus.xml"))             # one or many files, .gz too; or Corpus.of(xml_bytes, ...)
    with Sandbox(corpus) as sandbox:                      # a thread, a free port of 127.0.0.1
        sandbox.url                                       # "http://127.0.0.1:PORT/entrez/eutils/"
        sandbox.fault(Fault.HTTP_502, utility="efetch", calls=[1, 2])      # the first two efetch calls fail
        sandbox.fault(Fault.HTTP_502, utility="efetch", more_than=100)     # batches above 100 ids always fail
        sandbox.clock.set(datetime(2026, 9, 14, tzinfo=UTC))               # or give any `clock` with `now()`
        sandbox.log                                       # every request: time, method, parameters, key present or not
        sandbox.violations                                # requests above the rate limit; [] in normal operation
        sandbox.corpus.add(xml_record, visible=moment)    # a record appears or is replaced
        sandbox.corpus.remove(pmid, at=moment)            # a record vanishes

Keywords of `Sandbox` (all optional, also attributes that may be changed while it runs) stand in its docstring;
`serve()` is the same for the command. The timeline of a corpus is written into the XML as processing instructions:

    <?sandbox visible="2026-09-14" gone="2026-11-02"?><PubmedArticle>...</PubmedArticle>

directly before a record; `<?sandbox visible="2026-09-14"?>` before `<PubmedArticleSet>` holds for every record of the
file that has none of its own. Times are dates (midnight UTC) or ISO moments. The same PMID may stand again, in the same
or another file, with a later `visible`: it replaces the earlier state from then on. `<DeleteCitation>` removes its
PMIDs, from the `visible` of the instruction before it. Records without an instruction are always there or, with
`Corpus.read(..., by_create_date=True)`, appear at their Create Date. See docs/sandbox.md.
"""

from monitor.pubmed.sandbox.context import Clock, SetClock
from monitor.pubmed.sandbox.corpus import Corpus
from monitor.pubmed.sandbox.exchange import Request
from monitor.pubmed.sandbox.faults import Fault, FaultScript, Rule
from monitor.pubmed.sandbox.limits import RateLimit, Violation
from monitor.pubmed.sandbox.server import Sandbox, serve

__all__ = [
    "Clock",
    "Corpus",
    "Fault",
    "FaultScript",
    "RateLimit",
    "Request",
    "Rule",
    "Sandbox",
    "SetClock",
    "Violation",
    "serve",
]
