"""Reports as the seven providers send them, signed with keys of our own."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509.oid import NameOID

from common import clock

PASSWORD = "a long word"
TOPIC = "arn:aws:sns:eu-west-1:123456789012:mail"
CERTIFICATE_URL = "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-1.pem"
BASIC = {"Authorization": "Basic " + base64.b64encode(f"groundswell:{PASSWORD}".encode()).decode()}


@dataclass(frozen=True)
class Said:
    """One thing that a provider is to say, in words of ours."""

    kind: str
    reference: str = ""
    address: str = "ada@example.com"
    at: datetime = field(default_factory=lambda: clock.now())
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    url: str = "https://acme.example/offer"
    agent: str = "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0"


@dataclass(frozen=True)
class Post:
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)
    content_type: str = "application/json"


def _meta(said: Said) -> dict[str, str]:
    return {"groundswell": said.reference} if said.reference else {}


# --- SendGrid ------------------------------------------------------------------------------------------

SENDGRID = {
    "accepted": {"event": "processed"},
    "deferred": {"event": "deferred", "response": "451 later"},
    "delivered": {"event": "delivered", "response": "250 OK"},
    "soft bounce": {"event": "bounce", "type": "blocked", "reason": "550 5.7.1 not today"},
    "hard bounce": {"event": "bounce", "type": "bounce", "reason": "550 5.1.1 no such user"},
    "rejected": {"event": "dropped", "reason": "Spam Content"},
    "complained": {"event": "spamreport"},
    "unsubscribed": {"event": "unsubscribe"},
    "opened": {"event": "open"},
    "clicked": {"event": "click"},
}


@lru_cache
def sendgrid_key() -> tuple[ec.EllipticCurvePrivateKey, str]:
    key = ec.generate_private_key(ec.SECP256R1())
    public = key.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return key, base64.b64encode(public).decode()


def sendgrid(*said: Said) -> Post:
    body = json.dumps(
        [
            {
                "email": each.address,
                "timestamp": int(each.at.timestamp()),
                "sg_event_id": each.id,
                "sg_message_id": "14c5d75ce93.dfd.64b469",
                **({"url": each.url} if each.kind == "clicked" else {}),
                **({"useragent": each.agent} if each.kind in ("opened", "clicked") else {}),
                **_meta(each),
                **SENDGRID[each.kind],
            }
            for each in said
        ]
    ).encode()
    moment = str(int(clock.now().timestamp()))
    signature = sendgrid_key()[0].sign(moment.encode() + body, ec.ECDSA(hashes.SHA256()))
    return Post(
        body,
        {
            "X-Twilio-Email-Event-Webhook-Signature": base64.b64encode(signature).decode(),
            "X-Twilio-Email-Event-Webhook-Timestamp": moment,
        },
    )


# --- Mailgun -------------------------------------------------------------------------------------------

MAILGUN: dict[str, dict[str, Any]] = {
    "accepted": {"event": "accepted"},
    "deferred": {"event": "failed", "severity": "temporary", "reason": "generic"},
    "delivered": {"event": "delivered", "delivery-status": {"code": 250, "message": "OK"}},
    "soft bounce": {"event": "failed", "severity": "permanent", "reason": "old", "delivery-status": {"code": 498}},
    "hard bounce": {
        "event": "failed",
        "severity": "permanent",
        "reason": "bounce",
        "delivery-status": {"code": 550, "message": "5.1.1 no such user"},
    },
    "rejected": {"event": "rejected", "reject": {"reason": "Sandbox subdomains are for test purposes only"}},
    "complained": {"event": "complained"},
    "unsubscribed": {"event": "unsubscribed"},
    "opened": {"event": "opened"},
    "clicked": {"event": "clicked"},
}


def mailgun(*said: Said) -> Post:
    (each,) = said
    moment, token = str(int(clock.now().timestamp())), uuid.uuid4().hex  # a new token each time
    signature = hmac.new(b"mailgun key", f"{moment}{token}".encode(), hashlib.sha256).hexdigest()
    data = {
        "id": each.id,
        "timestamp": each.at.timestamp(),
        "recipient": each.address,
        "message": {"headers": {"message-id": "x@mg.example.com", "to": each.address}},
        "user-variables": _meta(each),
        "client-info": {"user-agent": each.agent},
        **({"url": each.url} if each.kind == "clicked" else {}),
        **MAILGUN[each.kind],
    }
    body = {"signature": {"timestamp": moment, "token": token, "signature": signature}, "event-data": data}
    return Post(json.dumps(body).encode())


# --- Postmark ------------------------------------------------------------------------------------------

POSTMARK: dict[str, dict[str, Any]] = {
    "deferred": {"RecordType": "Bounce", "Type": "Transient", "Details": "later"},
    "delivered": {"RecordType": "Delivery", "Details": "250 OK"},
    "soft bounce": {"RecordType": "Bounce", "Type": "SoftBounce", "Details": "mailbox full"},
    "hard bounce": {"RecordType": "Bounce", "Type": "HardBounce", "Details": "550 no such user"},
    "rejected": {"RecordType": "Bounce", "Type": "Blocked", "Details": "content"},
    "complained": {"RecordType": "SpamComplaint", "Type": "SpamComplaint"},
    "unsubscribed": {
        "RecordType": "SubscriptionChange",
        "SuppressSending": True,
        "SuppressionReason": "ManualSuppression",
    },
    "opened": {"RecordType": "Open"},
    "clicked": {"RecordType": "Click"},
}


def postmark(*said: Said) -> Post:
    (each,) = said
    stamp = {"Delivery": "DeliveredAt", "Bounce": "BouncedAt", "SpamComplaint": "BouncedAt"}
    record = POSTMARK[each.kind]
    name = stamp.get(record["RecordType"], "ChangedAt" if each.kind == "unsubscribed" else "ReceivedAt")
    body = {
        "MessageID": "883953f4-6105-42a2-a16a-77a8eac79483",
        "Recipient": each.address,
        "Email": each.address,
        "Metadata": _meta(each),
        name: each.at.isoformat(),
        "Tag": each.id,  # so that two opens in one second differ, as their clients would
        **({"ID": each.id} if record["RecordType"] in ("Bounce", "SpamComplaint") else {}),
        **({"OriginalLink": each.url} if each.kind == "clicked" else {}),
        **({"UserAgent": each.agent} if each.kind in ("opened", "clicked") else {}),
        **record,
    }
    return Post(json.dumps(body).encode(), BASIC)


# --- Resend --------------------------------------------------------------------------------------------

RESEND: dict[str, dict[str, Any]] = {
    "accepted": {"type": "email.sent"},
    "deferred": {"type": "email.delivery_delayed"},
    "delivered": {"type": "email.delivered"},
    "soft bounce": {
        "type": "email.bounced",
        "data": {"bounce": {"type": "Transient", "message": "a general bounce message"}},
    },
    "hard bounce": {
        "type": "email.bounced",
        "data": {"bounce": {"type": "Permanent", "message": "a hard bounce message"}},
    },
    "rejected": {"type": "email.failed"},
    "complained": {"type": "email.complained"},
    "opened": {"type": "email.opened"},
    "clicked": {"type": "email.clicked"},
}
RESEND_SECRET = "whsec_" + base64.b64encode(b"resend secret").decode()


def resend(*said: Said) -> Post:
    (each,) = said
    record = RESEND[each.kind]
    click = {"click": {"link": each.url, "userAgent": each.agent}} if each.kind == "clicked" else {}
    body = json.dumps(
        {
            "type": record["type"],
            "created_at": each.at.isoformat(),
            "data": {
                "email_id": "56761188-7520-42d8-8898-ff6fc54ce618",
                "to": [each.address],
                "headers": [{"name": "X-Metadata", "value": json.dumps(_meta(each))}],
                **click,
                **record.get("data", {}),
            },
        }
    ).encode()
    moment = str(int(clock.now().timestamp()))
    digest = hmac.digest(b"resend secret", f"{each.id}.{moment}.".encode() + body, hashlib.sha256)
    signature = "v1,AAAA v1," + base64.b64encode(digest).decode()
    return Post(body, {"svix-id": each.id, "svix-timestamp": moment, "svix-signature": signature})


# --- Brevo ---------------------------------------------------------------------------------------------

BREVO = {
    "accepted": "request",
    "deferred": "deferred",
    "delivered": "delivered",
    "soft bounce": "soft_bounce",
    "hard bounce": "hard_bounce",
    "rejected": "blocked",
    "complained": "spam",
    "unsubscribed": "unsubscribe",
    "opened": "opened",
    "clicked": "click",
}


def brevo(*said: Said) -> Post:
    (each,) = said
    body = {
        "event": BREVO[each.kind],
        "email": each.address,
        "id": 26224,
        "ts_epoch": int(each.at.timestamp() * 1000),
        "message-id": "<201798300811.5787683@relay.domain.com>",
        "X-Mailin-custom": json.dumps(_meta(each)),
        "uuid": each.id,
        **({"link": each.url} if each.kind == "clicked" else {}),
    }
    return Post(json.dumps(body).encode(), BASIC)


# --- SparkPost -----------------------------------------------------------------------------------------

SPARKPOST: dict[str, tuple[str, dict[str, Any]]] = {
    "accepted": ("message_event", {"type": "injection"}),
    "deferred": ("message_event", {"type": "delay", "raw_reason": "451 later"}),
    "delivered": ("message_event", {"type": "delivery"}),
    "soft bounce": ("message_event", {"type": "bounce", "bounce_class": "22", "raw_reason": "552 full"}),
    "hard bounce": ("message_event", {"type": "bounce", "bounce_class": "10", "raw_reason": "550 no such user"}),
    "rejected": ("message_event", {"type": "policy_rejection", "bounce_class": "25", "raw_reason": "policy"}),
    "complained": ("message_event", {"type": "spam_complaint"}),
    "unsubscribed": ("unsubscribe_event", {"type": "list_unsubscribe"}),
    "opened": ("track_event", {"type": "open"}),
    "clicked": ("track_event", {"type": "click"}),
}


def sparkpost(*said: Said) -> Post:
    body = [
        {
            "msys": {
                SPARKPOST[each.kind][0]: {
                    "event_id": each.id,
                    "timestamp": str(int(each.at.timestamp())),
                    "transmission_id": "65832150921904138",
                    "raw_rcpt_to": each.address,
                    "rcpt_meta": _meta(each),
                    "target_link_url": each.url,
                    "user_agent": each.agent,
                    **SPARKPOST[each.kind][1],
                }
            }
        }
        for each in said
    ]
    return Post(json.dumps(body).encode(), BASIC)


# --- Amazon SES by SNS ---------------------------------------------------------------------------------

SES: dict[str, tuple[str, dict[str, Any]]] = {
    "accepted": ("Send", {}),
    "deferred": ("DeliveryDelay", {"delayType": "MailboxFull", "delayedRecipients": [{}]}),
    "delivered": ("Delivery", {"smtpResponse": "250 OK", "recipients": []}),
    "soft bounce": ("Bounce", {"bounceType": "Transient", "bounceSubType": "MailboxFull", "bouncedRecipients": [{}]}),
    "hard bounce": ("Bounce", {"bounceType": "Permanent", "bounceSubType": "General", "bouncedRecipients": [{}]}),
    "rejected": ("Reject", {"reason": "Bad content"}),
    "complained": ("Complaint", {"complaintFeedbackType": "abuse", "complainedRecipients": [{}]}),
    "opened": ("Open", {"userAgent": "x"}),
    "clicked": ("Click", {"userAgent": "x", "link": "x"}),
}


@lru_cache
def sns_key() -> tuple[rsa.RSAPrivateKey, bytes]:
    """A key and the certificate of it that Amazon would show."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sns.amazonaws.com")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(datetime(2020, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2040, 1, 1, tzinfo=UTC))
        .sign(key, hashes.SHA256())
    )
    return key, certificate.public_bytes(serialization.Encoding.PEM)


def ses(*said: Said, url: str = CERTIFICATE_URL, topic: str = TOPIC) -> Post:
    (each,) = said
    name, about = SES[each.kind]
    about = dict(about)
    for key in ("delayedRecipients", "bouncedRecipients", "complainedRecipients"):
        if key in about:
            about[key] = [{"emailAddress": each.address, "diagnosticCode": "smtp; said"}]
    if "recipients" in about:
        about["recipients"] = [each.address]
    about |= {key: value for key, value in (("userAgent", each.agent), ("link", each.url)) if key in about}
    event = {
        "eventType": name,
        "mail": {
            "messageId": "0102-1",
            "destination": [each.address],
            "headers": [{"name": "X-Metadata", "value": json.dumps(_meta(each))}],
        },
        (name[:1].lower() + name[1:] if name == "DeliveryDelay" else name.lower()): about,
    }
    return sns({"Type": "Notification", "Message": json.dumps(event)}, each, url=url, topic=topic)


def sns(fields: dict[str, str], said: Said, *, url: str = CERTIFICATE_URL, topic: str = TOPIC) -> Post:
    """Anything as SNS signs it."""
    message = {
        "MessageId": said.id,
        "TopicArn": topic,
        "Timestamp": said.at.isoformat(timespec="milliseconds"),
    } | fields
    names = ["Message", "MessageId", "SubscribeURL", "Subject", "Timestamp", "Token", "TopicArn", "Type"]
    text = "".join(f"{name}\n{message[name]}\n" for name in names if name in message)
    signature = sns_key()[0].sign(text.encode(), padding.PKCS1v15(), hashes.SHA256())
    body = message | {
        "SignatureVersion": "2",
        "Signature": base64.b64encode(signature).decode(),
        "SigningCertURL": url,
    }
    headers = {"x-amz-sns-message-type": message["Type"], "x-amz-sns-message-id": message["MessageId"]}
    return Post(json.dumps(body).encode(), headers, "text/plain; charset=UTF-8")


WRITERS: dict[str, Callable[..., Post]] = {
    "amazon_ses": ses,
    "sendgrid": sendgrid,
    "mailgun": mailgun,
    "postmark": postmark,
    "resend": resend,
    "brevo": brevo,
    "sparkpost": sparkpost,
}
KNOWN: dict[str, dict[str, Any]] = {
    "amazon_ses": SES,
    "sendgrid": SENDGRID,
    "mailgun": MAILGUN,
    "postmark": POSTMARK,
    "resend": RESEND,
    "brevo": dict(BREVO),
    "sparkpost": dict(SPARKPOST),
}


def values(name: str) -> dict[str, Any]:
    """What an account of this kind is filled in with."""
    return {
        "amazon_ses": {
            "access_key_id": "A",
            "secret_access_key": "s",
            "region": "eu-west-1",
            "topic_arn": TOPIC,
        },
        "sendgrid": {"api_key": "k", "hook_key": sendgrid_key()[1]},
        "mailgun": {"api_key": "k", "domain": "mg.example.com", "hook_key": "mailgun key"},
        "postmark": {"server_token": "k", "hook_password": PASSWORD},
        "resend": {"api_key": "k", "hook_secret": RESEND_SECRET},
        "brevo": {"api_key": "k", "hook_password": PASSWORD},
        "sparkpost": {"api_key": "k", "hook_password": PASSWORD},
    }[name]


LONG_AGO = timedelta(days=3)
