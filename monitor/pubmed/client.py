"""PubMed over E-utilities: Biopython words each request, our opener carries it, and only whole answers come out.

The only importer of `Bio.Entrez`. Its module state is process-global and its spacing and retries are not fit for
several threads, so each client keeps a private copy of the module whose opener, clock and tries are its own.
"""

from __future__ import annotations

import http.client
import importlib.util
import io
import logging
import random
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from types import ModuleType, SimpleNamespace
from typing import Final, TypeVar
from urllib.error import URLError
from urllib.parse import quote_plus

from monitor.core.polling import SearchResult
from monitor.errors import BatchTooLarge, IncompleteResponse, PubmedError, PubmedUnavailable
from monitor.pubmed.opener import Answer, AnswerTooLarge, Opener, Pacer
from monitor.pubmed.responses import AskAgain, check_records, check_status, read_search

log = logging.getLogger(__name__)
T = TypeVar("T")

TOOL: Final = "evidence-monitor"
FIRST_WAIT: Final = 1.0
LONGEST_WAIT: Final = 30.0
HEAVY_TRIES: Final = 3
"""A batch that fails this often as large batches fail is handed back for splitting."""


class PubmedClient:
    """Asks PubMed. Safe to share between threads; paced, patient, and silent about key and contact address.

    `tries` and `patience` (seconds, all waits included) bound one question; every try takes a place from `pacer`.
    """

    def __init__(
        self,
        url: str,
        email: str,
        pacer: Pacer,
        *,
        api_key: str | None = None,
        tries: int = 6,
        patience: float = 300.0,
        connect_seconds: float = 15.0,
        answer_seconds: float = 120.0,
        largest: int = 256 * 2**20,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        self._who = {"tool": TOOL, "email": email, **({"api_key": api_key} if api_key else {})}
        self._tries = tries
        self._patience = patience
        self._sleep = sleep
        opener = Opener(
            url,
            pacer,
            connect_seconds=connect_seconds,
            answer_seconds=answer_seconds,
            largest=largest,
            sleep=sleep,
        )
        self._entrez = private_entrez(opener)

    def search(self, query: str, *, start: int = 0, limit: int = 9999) -> SearchResult:
        """Run one esearch. Compare `count` with the PMIDs: of one query PubMed gives 9,999 at most."""
        return self._ask(
            "esearch", 1, lambda answer: read_search(answer.getvalue()), term=query, retstart=start, retmax=limit
        )

    def fetch(self, pmids: Sequence[int]) -> bytes:
        """Return one whole set of records. PubMed leaves unknown PMIDs out without a word: compare.

        Raises BatchTooLarge when fewer at once might pass.
        """
        wanted = list(dict.fromkeys(int(pmid) for pmid in pmids))
        if not wanted:
            raise ValueError("no PMIDs to fetch")
        return self._ask("efetch", len(wanted), lambda answer: check_records(answer.getvalue()), id=wanted)

    def _ask(self, utility: str, size: int, read: Callable[[Answer], T], **parameters: object) -> T:
        call = getattr(self._entrez, utility)
        began = time.monotonic()
        heavy = 0
        tries = 0
        while True:
            tries += 1
            try:
                answer = _answer(call(db="pubmed", retmode="xml", **parameters, **self._who))
                check_status(answer.status, answer.headers, answer.getvalue(), datetime.now(UTC))
                return read(answer)
            except PubmedError as error:
                raise type(error)(f"{utility}: {self._clean(str(error))}") from None
            except AnswerTooLarge as error:
                if size > 1:
                    raise BatchTooLarge(f"{utility}: {error}") from None
                raise PubmedError(f"{utility}: {error}") from None
            except (AskAgain, IncompleteResponse, OSError, http.client.HTTPException) as error:
                trouble = error if isinstance(error, AskAgain) else _line_trouble(error)
            why = self._clean(trouble.why)
            heavy += trouble.heavy
            if trouble.tries is not None and tries >= trouble.tries:
                raise PubmedError(f"{utility}: {why}")
            if size > 1 and heavy >= HEAVY_TRIES:
                raise BatchTooLarge(f"{utility} of {size} records: {why}")
            backoff = min(FIRST_WAIT * 2 ** (tries - 1), LONGEST_WAIT) * random.uniform(0.75, 1.25)
            wait = backoff if trouble.wait is None else max(trouble.wait, backoff / 2)
            if tries >= self._tries or time.monotonic() - began + wait > self._patience:
                raise PubmedUnavailable(f"{utility}: {why} ({tries} tries)")
            log.warning("%s: %s; try %d of %d in %.1f s", utility, why, tries + 1, self._tries, wait)
            self._sleep(wait)

    def _clean(self, text: str) -> str:
        """Blank key and contact address: PubMed echoes what it was sent."""
        for secret in (self._who.get("api_key"), self._who["email"]):
            if secret:
                text = text.replace(secret, "…").replace(quote_plus(secret), "…")
        return text


def private_entrez(opener: Opener) -> ModuleType:
    """Return a copy of `Bio.Entrez` of our own: one try, our opener, no spacing (the pacer's is stricter and shared).

    The public functions are used as they are; `Bio.Entrez` itself, which others may use, stays untouched.
    """
    spec = importlib.util.find_spec("Bio.Entrez")
    if spec is None or spec.loader is None:
        raise ImportError("Biopython is missing; install evidence-monitor again")
    entrez = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(entrez)
    if not hasattr(entrez, "urlopen") or not hasattr(entrez, "max_tries"):
        raise ImportError("this Biopython makes its requests in a way we do not know; install a version below 2")
    vars(entrez).update(
        urlopen=opener.open, max_tries=1, time=SimpleNamespace(time=time.monotonic, sleep=lambda _seconds: None)
    )
    return entrez


def _answer(handle: object) -> Answer:
    # Biopython wraps what calls itself text/plain, and drops the rest of the response.
    answer = handle.detach() if isinstance(handle, io.TextIOWrapper) else handle
    if not isinstance(answer, Answer):
        raise TypeError("Biopython did not use our opener")
    return answer


def _line_trouble(error: BaseException) -> AskAgain:
    """Say what failed on the line; connections that were never made do not call for smaller batches."""
    cause = error.reason if isinstance(error, URLError) else error
    never_connected = isinstance(error, URLError) and not isinstance(cause, TimeoutError)
    what = str(cause) if isinstance(error, IncompleteResponse) else f"{type(cause).__name__}: {cause}".rstrip(": ")
    return AskAgain(f"the line to PubMed failed ({' '.join(what.split())[:200]})", heavy=not never_connected)
