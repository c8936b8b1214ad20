"""Takes in files: PubMed XML whole, NLM's deletions too; NBIB, RIS and lists of PMIDs as names of records to fetch.

An import makes no hits: a hit says that PubMed's search found a citation. The topics find what was imported at their
next full poll, without fetching it again, and by its Create Date it is news or not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from monitor.core.citation import Citation, Deleted
from monitor.errors import IncompleteResponse, MonitorError, PubmedRefused, PubmedUnavailable, RecordError, UsageError
from monitor.formats import reading
from monitor.formats.reading import Kind, NamedRecord
from monitor.pubmed.parse import open_records, read_records
from monitor.services.ports import Clock, PubmedSource
from monitor.services.retrieving import retrieve
from monitor.services.storing import witnesses
from monitor.storage import checks, citations
from monitor.storage.bulk import batches
from monitor.storage.engine import Database

LARGEST_LIST = 256 * 2**20
SHOWN_EVERY = 5_000


@dataclass(slots=True)
class ImportReport:
    """What an import did.

    `older`: records of which a later revision is held, left as it is. `deleted`: PMIDs that NLM's file deletes and we
    hold. `provisional`: named records that could not be fetched now. `problems` are sentences, one a refused record,
    entry or file.
    """

    files: int = 0
    new: int = 0
    revised: int = 0
    unchanged: int = 0
    older: int = 0
    deleted: int = 0
    provisional: int = 0
    problems: list[str] = field(default_factory=list)
    unreachable: str | None = None

    @property
    def exit_code(self) -> int:
        """1 when something was refused, 3 when PubMed was out of reach and records wait for it, else 0."""
        if self.problems:
            return 1
        return 3 if self.unreachable is not None else 0

    def lines(self) -> list[str]:
        """Say it for people."""
        found = [
            (self.new, "new"),
            (self.revised, "revised"),
            (self.unchanged, "unchanged"),
            (self.older, "older than what is held, left aside"),
            (self.deleted, "deleted by NLM: each is asked for again and marked withdrawn when PubMed confirms it"),
            (self.provisional, "kept provisionally until PubMed can be asked"),
        ]
        said = [f"{number:,} {what}" for number, what in found if number]
        return said or ["Nothing to import was found."]

    def refusals(self) -> list[str]:
        """Name what was refused, and why PubMed was not asked."""
        return [*self.problems, *([self.unreachable] if self.unreachable is not None else [])]

    def as_object(self) -> dict[str, object]:
        """Give it to scripts."""
        return {
            "files": self.files,
            "new": self.new,
            "revised": self.revised,
            "unchanged": self.unchanged,
            "older": self.older,
            "deleted": self.deleted,
            "provisional": self.provisional,
            "refused": list(self.problems),
            "unreachable": self.unreachable,
        }


class Importing:
    """Imports files. Safe to repeat: what is held already is unchanged. `source` is None where PubMed may not be asked."""

    def __init__(self, database: Database, source: PubmedSource | None, clock: Clock) -> None:
        self._database = database
        self._source = source
        self._clock = clock

    def run(self, files: Sequence[Path], tell: Callable[[str], object] = lambda _: None) -> ImportReport:
        """Import every file; a file or record that is refused is reported and stops nothing.

        Raises UsageError before anything is stored when a file is missing or of no kind that can be imported.
        """
        kinds = [(path, _kind(path)) for path in files]
        report = ImportReport()
        for path, kind in kinds:
            report.files += 1
            if kind is Kind.PUBMED_XML:
                self._xml(path, report, tell)
            else:
                self._named(path, kind, report, tell)
        return report

    def fetch(self, pmids: Sequence[int]) -> ImportReport:
        """Fetch records by their PMIDs alone; what could not be asked for is not kept, and the report says why."""
        report = ImportReport()
        self._fetch(pmids, "", report, lambda _: None)
        return report

    def _xml(self, path: Path, report: ImportReport, tell: Callable[[str], object]) -> None:
        deleted: list[Deleted] = []
        done = 0

        def records() -> Iterator[Citation]:
            try:
                for found in read_records(open_records(path)):
                    if isinstance(found, Citation):
                        yield found
                    elif isinstance(found, RecordError):
                        report.problems.append(f"{path.name}: {found}")
                    else:
                        deleted.append(found)
            except IncompleteResponse as error:  # what came before was whole, and stays
                report.problems.append(f"{path.name}: {error}")

        for batch in batches(records()):
            self._keep(batch, report)
            done += len(batch)
            if done % SHOWN_EVERY == 0:
                tell(f"{path.name}: {done:,} records")
        self._delete(deleted, report)

    def _keep(self, batch: list[Citation], report: ImportReport) -> None:
        now = self._clock.now()
        with self._database.write() as session:
            kept = citations.keep(session, batch, now, by_date=True)
            # The file may be of any age: PubMed has the last word on what it changed here.
            checks.expect_by(session, kept.revised, now)
        report.new += len(kept.new)
        report.revised += len(kept.revised)
        report.unchanged += len(kept.unchanged)
        report.older += len(kept.older)

    def _delete(self, deleted: Sequence[Deleted], report: ImportReport) -> None:
        """NLM's word that a record is gone is one confirmation; the rolling check asks PubMed for the second."""
        for batch in batches(list(dict.fromkeys(deleted))):
            with self._database.write() as session:
                report.deleted += len(checks.delete(session, batch, self._clock.now()))

    def _named(self, path: Path, kind: Kind, report: ImportReport, tell: Callable[[str], object]) -> None:
        if path.stat().st_size > LARGEST_LIST:
            report.problems.append(f"{path.name}: a {kind.value} of more than {LARGEST_LIST // 2**20} MB; divide it")
            return
        named: dict[int, NamedRecord] = {}
        for entry in reading.read(path.read_bytes(), kind):
            if entry.pmid is None:
                shown = f": {entry.title}" if entry.title else ""
                report.problems.append(f"{path.name}, line {entry.line}: no PMID{shown}")
            else:
                named.setdefault(entry.pmid, entry)
        left = self._fetch(list(named), f"{path.name}: ", report, tell)
        self._keep_provisionally([named[pmid] for pmid in left], report)

    def _fetch(
        self, pmids: Sequence[int], where: str, report: ImportReport, tell: Callable[[str], object]
    ) -> list[int]:
        """Fetch records by name and return the PMIDs that PubMed could not be asked for; `where` begins each sentence."""
        left = dict.fromkeys(pmids)
        if not pmids:
            return []
        if self._source is None:
            report.unreachable = "PubMed is not asked without a contact address: set MONITOR_NCBI_EMAIL"
            return list(left)
        try:
            for part in retrieve(self._source, pmids, known=witnesses(self._database)):
                now = self._clock.now()
                with self._database.write() as session:
                    kept = citations.keep(session, part.citations, now)
                    # What PubMed does not give here is asked for again by the rolling check, which alone withdraws.
                    checks.expect_by(session, part.missing, now)
                report.new += len(kept.new)
                report.revised += len(kept.revised)
                report.unchanged += len(kept.unchanged)
                report.problems += [f"{where}{each}" for each in part.refused]
                report.problems += [f"{where}PubMed has no record with PMID {pmid}" for pmid in part.missing]
                for pmid in part.pmids:
                    left.pop(pmid, None)
                tell(f"{where}{len(pmids) - len(left):,} of {len(pmids):,} fetched")
        except (PubmedUnavailable, PubmedRefused) as error:
            report.unreachable = str(error)
        except MonitorError as error:
            report.problems.append(f"{where}{error}")
        return list(left)

    def _keep_provisionally(self, entries: Iterable[NamedRecord], report: ImportReport) -> None:
        for batch in batches([each.citation for each in entries if each.citation is not None]):
            with self._database.write() as session:
                kept = citations.keep(session, batch, self._clock.now(), provisional=True)
            report.provisional += len(kept.new)
            report.unchanged += len(batch) - len(kept.new)


def _kind(path: Path) -> Kind:
    try:
        with path.open("rb") as file:
            return reading.sniff(file.read(65_536), path.name)
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror or error}") from error
