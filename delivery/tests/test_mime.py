"""Mails assembled by hand, read back with the standard parser."""

from __future__ import annotations

from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest
from hypothesis import given
from hypothesis import strategies as st

from delivery.domain import addresses, mime
from delivery.domain.mime import Letter

SENT_AT = datetime(2026, 11, 18, 12, 0, tzinfo=UTC)


def letter(**changes: object) -> Letter:
    values: dict[str, object] = {
        "message_id": "7.1@mail.example",
        "sent_at": SENT_AT,
        "sender_name": "Acme",
        "sender_address": "hello@acme.example",
        "recipient_name": "Ada",
        "recipient_address": "ada@example.com",
        "subject": "Hello",
        "html": "<p>Hello</p>",
        "text": "Hello",
        "headers": (("List-Unsubscribe", "<https://x.example/u/1>"),),
    }
    return Letter(**(values | changes))  # type: ignore[arg-type]


def read(made: Letter) -> EmailMessage:
    parsed = message_from_bytes(mime.build(made), policy=policy.default)
    assert isinstance(parsed, EmailMessage)
    assert parsed.defects == []
    return parsed


HEADERS = ["From", "To", "Subject", "Date", "Message-ID", "List-Unsubscribe", "MIME-Version", "Content-Type"]


@pytest.mark.parametrize(
    "subject",
    [
        "Hello",
        "Grüße aus Köln",
        "🎉🎊 party " * 20,
        "a" * 2000,
        "=?utf-8?b?SGk=?=",
        "ü" * 300,
        'quotes " and \\',
        "👨‍👩‍👧‍👦" * 30,
    ],
)
def test_subjects_arrive_as_they_were_meant(subject: str) -> None:
    mail = read(letter(subject=subject))

    assert mail["Subject"] == subject.strip()
    assert mail.keys() == HEADERS


@pytest.mark.parametrize(
    "name", ["Ada", "Ada, Countess", 'A "quoted" name', "Žižek", "a@b.example", "(x)", "back\\slash", "名前 太郎", ""]
)
def test_names_arrive_as_they_were_meant(name: str) -> None:
    mail = read(letter(recipient_name=name, sender_name=name))

    for header in ("To", "From"):
        (mailbox,) = mail[header].addresses
        assert mailbox.display_name == name
    assert mail["To"].addresses[0].addr_spec == "ada@example.com"


@pytest.mark.parametrize(
    "body", ["", "Hello", "ü" * 5000, "x" * 100_000, ".\n..\r\n.\r\n", "From here\nQUIT\n", "🎉\n" * 500]
)
def test_bodies_arrive_as_they_were_meant(body: str) -> None:
    mail = read(letter(text=body, html=f"<p>{body}</p>"))

    html = mail.get_body(("html",))
    assert html is not None and html.get_content().replace("\r\n", "\n") == f"<p>{body}</p>".replace("\r\n", "\n")
    text = mail.get_body(("plain",))
    assert (text.get_content() if text else "").replace("\r\n", "\n") == body.replace("\r\n", "\n")


EVIL = [
    "x\r\nBcc: evil@example.com",
    "x\nBcc: evil@example.com",
    "x\rBcc: e@e.example",
    "x\x00\r\n\r\nbody",
    "x\u2028Bcc: e",
    "x\x0b\x0cBcc: e",
    "x\x85Bcc: e",
]


@pytest.mark.parametrize("text", EVIL)
@pytest.mark.parametrize("place", ["subject", "recipient_name", "sender_name"])
def test_no_header_can_be_smuggled_in(text: str, place: str) -> None:
    mail = read(letter(**{place: text}))

    assert mail.keys() == HEADERS
    assert mail.get_body(("plain",)).get_content().strip() == "Hello"  # type: ignore[union-attr]


@given(st.text(max_size=300), st.text(max_size=80), st.text(max_size=300))
def test_any_text_is_safe(subject: str, name: str, body: str) -> None:
    data = mime.build(letter(subject=subject, recipient_name=name, sender_name=name, text=body or "x"))
    mail = message_from_bytes(data, policy=policy.default)

    assert mail.keys() == HEADERS
    assert max(map(len, data.split(b"\r\n"))) <= 998
    assert b"\r" not in data.replace(b"\r\n", b"") and b"\n" not in data.replace(b"\r\n", b"")
    assert not any(line.startswith(b".") for line in data.split(b"\r\n"))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ada@example.com", "ada@example.com"),
        (" Ada@Example.com ", "Ada@Example.com"),
        ("ada@bücher.example", "ada@xn--bcher-kva.example"),
        ("ada", None),
        ("ada@localhost", None),
        ("a b@example.com", None),
        ("ada@example.com>", None),
        ("ada@example.com\r\nDATA", None),
        ("ada@example..com", None),
        ('"a"@example.com', None),
        ("a@b@c.example", None),
        ("", None),
        ("x" * 65 + "@example.com", None),
        ("a@" + "b" * 300 + ".example", None),
    ],
)
def test_addresses_are_usable_or_nothing(text: str, expected: str | None) -> None:
    assert addresses.normal(text) == expected
