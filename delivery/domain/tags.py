"""`name=value; name=value` records: DKIM keys (RFC 6376 §3.6.1) and DMARC policies (RFC 7489 §6.3)."""

from __future__ import annotations

from base64 import b64decode
from binascii import Error as NotBase64
from dataclasses import dataclass

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import load_der_public_key


def read(text: str) -> dict[str, str] | None:
    """Tags in order, white space inside values kept; None when it is not a list of tags."""
    tags: dict[str, str] = {}
    for part in text.split(";"):
        if not part.strip():
            continue
        name, equals, value = part.partition("=")
        name = name.strip().lower()
        if not equals or not name or name in tags:
            return None
        tags[name] = value.strip()
    return tags


@dataclass(frozen=True)
class DkimKeyRecord:
    """A DKIM key as its record says. `problem` is a sentence when no receiver could use it."""

    algorithm: str = "rsa"
    bits: int = 0
    public_key: str = ""
    is_testing: bool = False
    problem: str = ""


def dkim_key(text: str) -> DkimKeyRecord:
    """Read one TXT record at `<selector>._domainkey.<domain>`."""
    tags = read(text)
    if tags is None:
        return DkimKeyRecord(problem="the record is not a list of tags like “v=DKIM1; k=rsa; p=…”")
    if "v" in tags and (tags["v"] != "DKIM1" or next(iter(tags)) != "v"):
        return DkimKeyRecord(problem="“v=DKIM1” must come first")
    if "p" not in tags:
        return DkimKeyRecord(problem="there is no key in it (“p=…” is missing)")
    public_key = "".join(tags["p"].split())
    if not public_key:
        return DkimKeyRecord(problem="the key was revoked (“p=” is empty)")
    algorithm = tags.get("k", "rsa").lower()
    if algorithm not in ("rsa", "ed25519"):
        return DkimKeyRecord(algorithm, problem=f"nobody knows the key type “{algorithm}”")
    if "h" in tags and "sha256" not in tags["h"].lower().replace(" ", "").split(":"):
        return DkimKeyRecord(algorithm, problem="it allows no SHA-256, and receivers take nothing older")
    is_testing = "y" in tags.get("t", "").replace(" ", "").split(":")
    try:
        raw = b64decode(public_key, validate=True)
        bits = 256 if algorithm == "ed25519" else _rsa_bits(raw)
    except (NotBase64, ValueError, TypeError, UnsupportedAlgorithm):
        return DkimKeyRecord(algorithm, problem="the key in it is damaged; often a line break or a missing piece")
    if algorithm == "ed25519" and len(raw) != 32:
        return DkimKeyRecord(algorithm, problem="an Ed25519 key has 32 bytes; this one has not")
    return DkimKeyRecord(algorithm, bits, public_key, is_testing)


def _rsa_bits(raw: bytes) -> int:
    key = load_der_public_key(raw)
    if not isinstance(key, rsa.RSAPublicKey):
        raise ValueError("not an RSA key")
    return key.key_size


@dataclass(frozen=True)
class Dmarc:
    """A DMARC policy. `problem` is a sentence when receivers would ignore the record."""

    policy: str = ""
    subdomain_policy: str = ""
    percent: int = 100
    reports_to: tuple[str, ...] = ()
    strict_dkim: bool = False
    strict_spf: bool = False
    problem: str = ""


POLICIES = ("none", "quarantine", "reject")


def is_dmarc(text: str) -> bool:
    return text.replace(" ", "").lower().startswith("v=dmarc1")


def dmarc(text: str) -> Dmarc:
    """Read one TXT record at `_dmarc.<domain>`."""
    tags = read(text)
    if tags is None:
        return Dmarc(problem="the record is not a list of tags like “v=DMARC1; p=none”")
    if next(iter(tags), "") != "v" or tags["v"] != "DMARC1":
        return Dmarc(problem="“v=DMARC1” must come first, in capitals")
    policy = tags.get("p", "").lower()
    if policy not in POLICIES:
        return Dmarc(problem="“p=” must be none, quarantine or reject")
    subdomain_policy = tags.get("sp", policy).lower()
    if subdomain_policy not in POLICIES:
        return Dmarc(problem="“sp=” must be none, quarantine or reject")
    percent = tags.get("pct", "100")
    if not percent.isascii() or not percent.isdigit() or int(percent) > 100:
        return Dmarc(problem="“pct=” must be a number from 0 to 100")
    reports = tuple(part.strip() for part in tags.get("rua", "").split(",") if part.strip())
    if any(not part.lower().startswith("mailto:") for part in reports):
        return Dmarc(problem="“rua=” must be addresses like mailto:dmarc@example.com")
    strict_dkim, strict_spf = (tags.get(name, "r").lower() == "s" for name in ("adkim", "aspf"))
    return Dmarc(policy, subdomain_policy, int(percent), reports, strict_dkim, strict_spf)
