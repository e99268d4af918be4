"""DKIM signatures (RFC 6376, relaxed/relaxed, rsa-sha256) for mails that we assemble ourselves.

RSA with 2 048 bits, because Gmail and Microsoft verify nothing newer yet. One signature took 0.4 ms of one core
for a mail of 19 KB (November 2026), eight times what its MIME takes: about 2 500 signed mails a second and core.
"""

from __future__ import annotations

import hashlib
import re
from base64 import b64encode
from dataclasses import dataclass
from datetime import datetime

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

KEY_BITS = 2048
# What a receiver must find unchanged. `from` stands twice, so that nobody can add another one (§8.15).
SIGNED = (
    "from", "to", "subject", "date", "message-id", "reply-to", "mime-version", "content-type",
    "list-unsubscribe", "list-unsubscribe-post",
)  # fmt: skip
SPACES = re.compile(rb"[ \t]+")
SPACES_AT_END = re.compile(rb"[ \t]+(?=\r\n)")
FOLD = re.compile(rb"\r\n(?=[ \t])")
LINE = 72


@dataclass(frozen=True)
class Signer:
    """Signs for one domain; `key` is its private half."""

    domain: str
    selector: str
    key: rsa.RSAPrivateKey

    def sign(self, mail: bytes, moment: datetime) -> bytes:
        """The mail with its signature in front."""
        head, _, body = mail.partition(b"\r\n\r\n")
        headers = _headers(head)
        names = [name for name in SIGNED if name in headers]
        digest = b64encode(hashlib.sha256(_relaxed_body(body)).digest()).decode("ascii")
        value = (
            f"v=1; a=rsa-sha256; c=relaxed/relaxed; d={self.domain}; s={self.selector};\r\n"
            f" t={int(moment.timestamp())}; h={':'.join([*names, 'from'])};\r\n bh={digest};\r\n b="
        )
        said = b"".join(headers[name] + b"\r\n" for name in names)
        said += _relaxed_header(b"DKIM-Signature", value.encode("ascii"))
        signature = b64encode(self.key.sign(said, padding.PKCS1v15(), hashes.SHA256())).decode("ascii")
        folded = "\r\n ".join(signature[start : start + LINE] for start in range(0, len(signature), LINE))
        return f"DKIM-Signature: {value}{folded}\r\n".encode("ascii") + mail


def _headers(head: bytes) -> dict[str, bytes]:
    """Lower-case name → relaxed line. Of several with one name the last counts (§5.4.2); we write each once."""
    found: dict[str, bytes] = {}
    for line in FOLD.sub(b"", head).split(b"\r\n"):
        name, colon, value = line.partition(b":")
        if colon:
            found[name.decode("ascii", "replace").strip().lower()] = _relaxed_header(name, value)
    return found


def _relaxed_header(name: bytes, value: bytes) -> bytes:
    return name.strip().lower() + b":" + SPACES.sub(b" ", FOLD.sub(b"", value)).strip(b" \t\r\n")


def _relaxed_body(body: bytes) -> bytes:
    # Our bodies are base64: looking for what would change is twenty times cheaper than changing nothing.
    if b" \r\n" in body or b"\t" in body:
        body = SPACES_AT_END.sub(b"", body)
    if b"  " in body or b"\t" in body:
        body = SPACES.sub(b" ", body)
    body = body.rstrip(b"\r\n")
    return body + b"\r\n" if body else b""


def new_key() -> tuple[str, str]:
    """A fresh pair: the private half as PEM, the public one as the base64 of its record."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=KEY_BITS)
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    public = key.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return pem.decode("ascii"), b64encode(public).decode("ascii")


def private_key(pem: str) -> rsa.RSAPrivateKey:
    key = serialization.load_pem_private_key(pem.encode("ascii"), None)
    assert isinstance(key, rsa.RSAPrivateKey)
    return key


def record(public_key: str) -> str:
    """The value to write into the zone at `<selector>._domainkey.<domain>`."""
    return f"v=DKIM1; k=rsa; p={public_key}"
