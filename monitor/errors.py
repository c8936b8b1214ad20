"""The exception tree; the branch says what to do next."""

from __future__ import annotations


class MonitorError(Exception):
    """Anything the monitor reports in a sentence instead of a traceback."""


class SettingsError(MonitorError):
    """Settings are wrong; all problems are listed, nothing was started."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class UsageError(MonitorError):
    """What was asked for cannot be done as asked; nothing was changed."""


class PubmedError(MonitorError):
    """PubMed answered, and the answer says that this request will never work; asking again changes nothing."""


class PubmedRefused(PubmedError):
    """PubMed refuses this installation (bad API key, blocked address): stop polling and tell the admin."""


class PubmedUnavailable(MonitorError):
    """PubMed is busy or out of reach; nothing is lost, the next tick tries again."""


class BatchTooLarge(PubmedUnavailable):
    """PubMed fails on this many records at once; split the batch and ask again."""


class RecordError(MonitorError):
    """One record could not be read; the rest of the batch stands."""

    def __init__(self, pmid: int | None, why: str) -> None:
        super().__init__(f"PMID {pmid if pmid is not None else 'unknown'}: {why}")
        self.pmid = pmid
        self.why = why


class IncompleteResponse(PubmedUnavailable):
    """The answer is cut, mixed or not what was asked for; all of it is discarded and asked for again."""


class QuerySyntaxError(MonitorError):
    """A search text cannot be read. `column` counts characters from 1; `text` is the whole search."""

    def __init__(self, message: str, column: int, text: str) -> None:
        super().__init__(f"column {column}: {message}")
        self.message = message
        self.column = column
        self.text = text


class DatabaseBehind(MonitorError):
    """The database is older than the code; run `monitor init`."""


class DatabaseDamaged(MonitorError):
    """The database is missing, damaged or not ours; restore a backup."""


class DatabaseUnavailable(MonitorError):
    """The database is out of reach, busy or full; nothing was stored, the next tick tries again."""


class Busy(MonitorError):
    """Too many ask for the same at this moment; nothing was changed, the next try may succeed."""


class MailUnavailable(MonitorError):
    """The mail relay is out of reach or refuses us; letters wait and are tried again."""


class NotFound(MonitorError):
    """What was named is not in the store."""


class MessageRefused(MonitorError):
    """A mail would not be valid or safe to send; it was not sent, and the reason names what is wrong with it."""
