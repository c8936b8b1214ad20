"""Every address that stands in a mail, built from the public URL and never from a request."""

from __future__ import annotations

import base64
import hmac
import uuid
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
        return self._key(f"issue\n{slot}\n{fingerprint}")

    def topic_feed_key(self, topic_id: str) -> str:
        """Return the unguessable part of the address of a topic's feed: 132 bits, the same for ever."""
        return self._key(f"feed\n{topic_id}")

    def setup_key(self) -> str:
        """Return the unguessable part of the address where the first admin is made: 132 bits."""
        return self._key("setup")

    def feed(self, key: str, form: str = "atom") -> str:
        """Return the address of a feed, as `atom` or `json`."""
        return f"{self.public_url}/feeds/{key}.{form}"

    def identifier(self, thing: str) -> str:
        """Return a name that no change of address or title changes: a UUID made from the secret (RFC 9562, section 5.5)."""
        namespace = uuid.UUID(bytes=hmac.digest(self.secret, b"identifiers", "sha256")[:16])
        return uuid.uuid5(namespace, thing).urn

    def issue(self, key: str) -> str:
        return f"{self.public_url}/issues/{key}"

    def unsubscribe(self, token: str = TOKEN_MARK) -> str:
        """Return the link that asks, on GET, and leaves, on POST; without a token, the mark that delivery replaces."""
        return f"{self.public_url}/u/{token}"

    def one_time(self, token: str) -> str:
        """Return the link that lets somebody set a password once."""
        return f"{self.public_url}/link/{token}"

    def paper(self, pmid: int) -> str:
        """Return the page of a paper here, where a reader saves it or sets it aside by a button."""
        return f"{self.public_url}/papers/{pmid}"

    def settings(self) -> str:
        """Return the page where a reader changes what they receive."""
        return f"{self.public_url}/settings/digest"

    @staticmethod
    def pubmed(pmid: int) -> str:
        return f"https://pubmed.ncbi.nlm.nih.gov/{pmid}/"

    @staticmethod
    def doi(doi: str) -> str:
        return f"https://doi.org/{quote(doi, safe='/:;()._-')}"

    def _key(self, text: str) -> str:
        mac = hmac.digest(self.secret, text.encode(), "sha256")
        return base64.urlsafe_b64encode(mac).decode("ascii")[:22]
