"""Reports that Amazon SNS brings: its signature, its certificate, and the confirmation of a subscription.

https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html. Everybody at Amazon can have a topic
that signs well, so only the topic that the account names is believed.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

import requests
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from django.conf import settings as site
from django.http import HttpRequest

from common import clock
from common.errors import Transient
from delivery.domain.reports import Report
from delivery.providers.contract import Settings
from delivery.providers.hooks import Call, Forged
from delivery.providers.mail_hooks import MailHooks

HEADERS = ("x-amz-sns-message-type", "x-amz-sns-message-id")
AMAZON_HOST = re.compile(r"sns\.[a-z0-9-]{3,30}\.amazonaws\.com(\.cn)?")
NOTIFICATION = ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type")
CONFIRMATION = ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type")
DIGESTS: dict[str, hashes.HashAlgorithm] = {"1": hashes.SHA1(), "2": hashes.SHA256()}  # noqa: S303 — theirs to choose
FETCH_SECONDS = 10
LONGEST_CERTIFICATE = 20_000
TOLERANCE = timedelta(hours=2)  # it tries for an hour


@dataclass(frozen=True)
class SnsHooks(MailHooks):
    """Reports of one SNS topic."""

    def verify(self, request: HttpRequest, settings: Settings) -> None:
        """Raises `Forged`, and `Transient` while Amazon's certificate cannot be had."""
        topic = str(settings.get("topic_arn") or "").strip()
        if not topic:
            raise Forged("the account names no SNS topic")
        said = _parsed(request.body)
        if said.get("TopicArn") != topic:
            raise Forged("it is of another SNS topic")
        if said.get("Type") != request.headers.get(HEADERS[0]) or said.get("MessageId") != request.headers.get(
            HEADERS[1]
        ):
            raise Forged("its headers do not match what it says")
        _verify_signature(said)
        _verify_age(said)

    def greet(self, request: HttpRequest, settings: Settings) -> None:
        """Confirm a subscription by visiting the address that a signed request names. Raises `Transient`."""
        said = _parsed(request.body)
        if said.get("Type") == "SubscriptionConfirmation":
            _fetch(str(said["SubscribeURL"]))

    def read(self, call: Call) -> list[Report]:
        """Raises `Invalid`. A confirmation says nothing about messages."""
        is_report = call.headers.get(HEADERS[0]) == "Notification"
        return super().read(call) if is_report else []


def _parsed(body: bytes) -> dict[str, Any]:
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        raise Forged("it is no SNS message") from None
    if not isinstance(said, dict):
        raise Forged("it is no SNS message")
    return said


def _verify_signature(said: dict[str, Any]) -> None:
    names = NOTIFICATION if said.get("Type") == "Notification" else CONFIRMATION
    # "Subject" is signed only where there is one.
    values = [(name, said.get(name)) for name in names if name != "Subject" or said.get(name) is not None]
    digest = DIGESTS.get(str(said.get("SignatureVersion")))
    if digest is None or not all(isinstance(value, str) for _, value in values):
        raise Forged("it lacks what is signed")
    text = "".join(f"{name}\n{value}\n" for name, value in values)
    try:
        signature = base64.b64decode(str(said.get("Signature")), validate=True)
        certificate_key(str(said.get("SigningCertURL"))).verify(signature, text.encode(), padding.PKCS1v15(), digest)
    except (InvalidSignature, binascii.Error, ValueError) as error:
        raise Forged("its signature is wrong") from error


def _verify_age(said: dict[str, Any]) -> None:
    try:
        signed_at = datetime.fromisoformat(str(said.get("Timestamp")))
    except ValueError:
        raise Forged("it bears no moment") from None
    if signed_at.tzinfo is None or abs(clock.now() - signed_at) > TOLERANCE:
        raise Forged("its signature is too old")


@lru_cache(maxsize=16)
def certificate_key(url: str) -> rsa.RSAPublicKey:
    """The key of a certificate of Amazon's, fetched once. Raises `Forged` for another's, and `Transient`."""
    certificate = x509.load_pem_x509_certificate(_fetch(url, is_certificate=True))
    key = certificate.public_key()
    if not isinstance(key, rsa.RSAPublicKey):
        raise Forged("its certificate is none of Amazon's")
    return key


def _fetch(url: str, *, is_certificate: bool = False) -> bytes:
    parts = urlsplit(url)
    is_amazon = parts.scheme == "https" and bool(AMAZON_HOST.fullmatch(parts.netloc))
    # Whoever runs this site may point SES elsewhere, to a stand-in; then SNS is there, too.
    stand_in = site.PROVIDER_API_URLS.get("amazon_ses")
    if not is_amazon and not (stand_in and urlsplit(stand_in)[:2] == parts[:2]):
        raise Forged("it leads to a place that is not Amazon's")
    if is_certificate and not parts.path.endswith(".pem"):
        raise Forged("its certificate is none of Amazon's")
    try:
        answer = requests.get(url, timeout=FETCH_SECONDS, allow_redirects=False, stream=True)
        with answer:
            if answer.status_code != 200:
                raise Transient(f"Amazon SNS answered {answer.status_code}.")
            return answer.raw.read(LONGEST_CERTIFICATE, decode_content=True)
    except requests.RequestException as error:
        raise Transient(f"Amazon SNS cannot be reached: {type(error).__name__}.") from error
