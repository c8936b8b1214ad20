"""Every address that stands in a mail, built from the public URL and never from a request."""

from __future__ import annotations

import base64
import hmac
from dataclasses import dataclass, field
from urllib.parse import quote

from monitor.mail.message import TOKEN_MARK


@dataclass(frozen=True, slots=True)
class Links:
    """The pages of this installation and of PubMed. `public_url` has no slash at its end."""

    public_url: str
    secret: bytes = field(repr=False)

    def issue_key(self, slot: str, fingerprint: str) -> str:
        """Return the unguessable name of an issue's page: 132 bits, the same for the same selection."""
        mac = hmac.digest(self.secret, f"issue\n{slot}\n{fingerprint}".encode(), "sha256")
        return base64.urlsafe_b64encode(mac).decode("ascii")[:22]

    def issue(self, key: str) -> str:
        return f"{self.public_url}/issues/{key}"

    def unsubscribe(self, token: str = TOKEN_MARK) -> str:
        """Return the link that asks, on GET, and leaves, on POST; without a token, the mark that delivery replaces."""
        return f"{self.public_url}/u/{token}"

    @staticmethod
    def pubmed(pmid: int) -> str:
        return f"https://pubmed.ncbi.nlm.nih.gov/{pmid}/"

    @staticmethod
    def doi(doi: str) -> str:
        return f"https://doi.org/{quote(doi, safe='/:;()._-')}"
