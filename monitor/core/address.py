"""Mail addresses: read strictly, compared without regard to case."""

from __future__ import annotations

import re
import unicodedata
from typing import NamedTuple

from monitor.errors import UsageError

# RFC 5321 4.5.3.1: 64 octets before the @, 255 after it, 254 for the whole path.
_LOCAL_MAX, _DOMAIN_MAX, _WHOLE_MAX = 64, 253, 254
_ATEXT = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.\u0080-\U0010ffff-]+")
_DOTS = re.compile("[.\u3002\uff0e\uff61]")
"""What separates labels by RFC 3490 section 3.1."""
_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")


class Address(NamedTuple):
    """`text` is what mail goes to, its domain in ASCII; `key` is what addresses are compared by."""

    text: str
    key: str

    @property
    def needs_smtputf8(self) -> bool:
        """Whether only a relay that offers SMTPUTF8 (RFC 6531) can take mail for it."""
        return not self.text.isascii()


def read_address(text: str) -> Address:
    """Read one bare mail address; raises UsageError saying what is wrong with it.

    International domains become punycode. Letters outside ASCII before the `@` are allowed (RFC 6531).
    """
    given = unicodedata.normalize("NFC", text.strip())
    if not given:
        raise UsageError("the address is empty")
    if any(unicodedata.category(c) in ("Cc", "Cf", "Zl", "Zp", "Cs") or c.isspace() for c in given):
        raise UsageError(f"{given!r} is not an address: it holds a space or an invisible character")
    if "<" in given or ">" in given or "," in given or ";" in given:
        raise UsageError(f"{given!r} is not one bare address; write it as ada@lab.example, the name apart")
    local, at, domain = given.rpartition("@")
    if not at or not local or not domain:
        raise UsageError(f"{given!r} is not an address: something must stand on both sides of one @")
    if len(local.encode()) > _LOCAL_MAX or not _ATEXT.fullmatch(local):
        raise UsageError(f"{given!r} is not an address: {local!r} cannot stand before the @")
    if local.startswith(".") or local.endswith(".") or ".." in local:
        raise UsageError(f"{given!r} is not an address: a dot stands alone in {local!r}")
    host = _domain(given, domain)
    whole = f"{local}@{host}"
    if len(whole.encode()) > _WHOLE_MAX:
        raise UsageError(f"{given!r} is too long for an address")
    return Address(whole, unicodedata.normalize("NFKC", whole).casefold())


def address_key(text: str) -> str:
    """Return what an address is compared by; anything that is no address is only folded, so bounces stay readable."""
    try:
        return read_address(text).key
    except UsageError:
        return text.strip().casefold()


def domain_of(address: str) -> str:
    """Return what stands behind the `@`, in small letters."""
    return address.rpartition("@")[2].lower()


def _domain(given: str, domain: str) -> str:
    try:
        host = domain.encode("idna").decode("ascii").lower()
        same = all(_comes_back(label) for label in _DOTS.split(domain))
    except UnicodeError as error:
        raise UsageError(f"{given!r} is not an address: {domain!r} is no domain") from error
    if not same:
        raise UsageError(
            f"{given!r}: two standards read the domain {domain!r} as two different ones; write it in ASCII, where its "
            "international parts begin with xn--"
        )
    labels = host.split(".")
    if len(host) > _DOMAIN_MAX or not all(_LABEL.fullmatch(label) for label in labels):
        raise UsageError(f"{given!r} is not an address: {domain!r} is no domain")
    if len(labels) == 1 and host != "localhost":
        raise UsageError(f"{given!r} is not an address: {domain!r} lacks its ending, such as .org")
    if labels[-1].isdigit():
        raise UsageError(f"{given!r} is not an address: {domain!r} is a number, not a domain")
    return host


def _comes_back(label: str) -> bool:
    """Whether a label in ASCII form reads as what was written, but for case and width.

    The standard library knows IDNA 2003, which writes `ß` as `ss`, a final sigma as any other, and drops joiners:
    by today's IDNA 2008 those are other domains, perhaps other people's (UTS #46 section 4, RFC 5894 section 7.2).
    Of characters younger than Unicode 3.2 it knows neither case nor width (RFC 3454 section 7).
    """
    if label.isascii():
        return True
    read = label.encode("idna").decode("idna")
    if any(unicodedata.ucd_3_2_0.category(each) == "Cn" for each in label + read):
        return False
    plain = "".join(each.lower() for each in unicodedata.normalize("NFKC", label))
    return read == unicodedata.normalize("NFKC", plain)
