"""Accounts at providers: secrets sealed, one default, each sender its own way, one that fails stops no other."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from django.urls import reverse

from accounts.models import AuditEntry, Organization
from common import sealing, tenancy
from common.errors import Invalid, Permanent
from delivery import services
from delivery.models import Message, Provider, Sender
from delivery.providers.contract import ProviderUnavailable
from delivery.services import outgoing, routing
from delivery.tests.making import Sink, contact, content, listening, queue, send

SECRET = "correct-horse-battery"


def account(name: str = "Ours", port: int = 25, **values: Any) -> Provider:
    row = Provider(channel="email", kind="smtp", name=name)
    return services.save_provider(row, {"host": "127.0.0.1", "tls": "none", "port": port, **values})


@pytest.fixture
def second(noon: Any) -> Iterator[tuple[Sink, int]]:
    """Another listening mail server."""
    made = Sink()
    with listening(made) as port:
        yield made, port


def test_a_secret_is_sealed_in_the_database_and_in_the_audit_log(organization: Organization) -> None:
    row = account(user="we", password=SECRET)

    with tenancy.engine(), connection.cursor() as cursor:
        cursor.execute("SELECT to_jsonb(provider)::text FROM delivery_provider AS provider")
        stored = cursor.fetchone()[0]
    assert SECRET not in stored and "we" in stored
    assert SECRET not in str(list(AuditEntry.objects.values_list("before", "after")))
    assert "sealed_secrets" not in str(list(AuditEntry.objects.values_list("after")))
    assert routing.whole_settings(row)["password"] == SECRET


def test_an_empty_secret_keeps_the_stored_one_and_another_key_cannot_read_it(
    organization: Organization, settings: Any
) -> None:
    row = account(password=SECRET)
    services.save_provider(row, {"host": "127.0.0.2", "tls": "none", "password": ""})
    assert routing.whole_settings(row) | {"account_id": 0} == {
        "host": "127.0.0.2", "tls": "none", "port": "", "user": "", "password": SECRET, "hook_password": "",
        "account_id": 0, "channel": "email",
    }  # fmt: skip

    old, settings.SECRET_KEY = settings.SECRET_KEY, "another" * 10
    with pytest.raises(Permanent, match="sealed with another SECRET_KEY"):
        sealing.unseal(row.sealed_secrets)
    settings.SECRET_KEY_FALLBACKS = [old]
    assert sealing.unseal(row.sealed_secrets) == {"password": SECRET}


@pytest.mark.parametrize(
    ("values", "place"),
    [
        ({"host": ""}, "host"),
        ({"port": "25"}, "port"),
        ({"port": -1}, "port"),
        ({"tls": "rot13"}, "tls"),
        ({"host": "a\nb"}, "host"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_settings_that_cannot_be_are_refused_by_field(
    organization: Organization, values: dict[str, Any], place: str
) -> None:
    with pytest.raises(Invalid) as caught:
        account(**values)
    assert set(caught.value.details) == {place}
    assert not Provider.objects.exists() and not AuditEntry.objects.filter(object_type="delivery.provider").exists()


def test_a_kind_does_not_take_a_channel_it_does_not_know(organization: Organization) -> None:
    with pytest.raises(Invalid, match="SMTP is for email"):
        services.save_provider(Provider(channel="sms", kind="smtp", name="x"), {"host": "h", "tls": "none"})
    with pytest.raises(Invalid, match='unknown provider "pigeon"'):
        services.save_provider(Provider(channel="email", kind="pigeon", name="x"), {})
    assert not Provider.objects.exists()


def test_there_is_one_default_and_the_first_account_is_it(organization: Organization) -> None:
    first, second = account("First"), account("Second")
    assert (first.is_default, second.is_default) == (True, False)
    second.is_default = True
    services.save_provider(second, {"host": "h", "tls": "none"})

    assert dict(Provider.objects.values_list("name", "is_default")) == {"First": False, "Second": True}


def test_the_default_account_stands_in_for_the_url_and_a_sender_has_its_own(
    organization: Organization, sink: Sink, second: tuple[Sink, int]
) -> None:
    theirs, port = second
    made = content()
    queue(contact("url@example.com"), made=made)
    send(organization)
    sender = services.save_sender(Sender(name="News", address="news@acme.example"))
    own = account("Own", port)
    queue(contact("default@example.com"), made=made)
    send(organization)

    other = Sink()
    with listening(other) as other_port:
        sender.provider = account("Another", other_port)
        services.save_sender(sender)
        queue(contact("sender@example.com"), made=made, sender_id=sender.pk)
        own_sender = services.save_sender(Sender(name="Own", address="own@acme.example", provider=own))
        queue(contact("own@example.com"), made=made, sender_id=own_sender.pk)
        send(organization)

    assert sink.recipients == ["url@example.com"]
    assert theirs.recipients == ["default@example.com", "own@example.com"]
    assert other.recipients == ["sender@example.com"]


def test_a_paused_account_holds_its_own_messages_only(
    organization: Organization, sink: Sink, second: tuple[Sink, int]
) -> None:
    theirs, port = second
    row = account("Own", port)
    usual = services.save_sender(Sender(name="Usual", address="a@acme.example"))
    held = services.save_sender(Sender(name="Held", address="b@acme.example", provider=account("Paused", port)))
    assert usual.provider_id is None
    services.pause_provider(held.provider, "Too many bounces.")
    waiting = queue(contact("waits@example.com"), sender_id=held.pk)[0]
    queue(contact("goes@example.com"))
    send(organization)

    assert theirs.recipients == ["goes@example.com"]
    assert Message.objects.get(pk=waiting.pk).status == "queued"
    services.pause_provider(row, "And this one.")
    queue(contact("later@example.com"))
    services.resume_provider(held.provider)
    send(organization)
    assert theirs.recipients == ["goes@example.com", "waits@example.com"]
    services.resume_provider(row)
    send(organization)
    assert theirs.recipients[2:] == ["later@example.com"]


def test_an_account_whose_server_is_away_rests_and_the_others_go_on(
    organization: Organization, sink: Sink, second: tuple[Sink, int]
) -> None:
    theirs, port = second
    account("Fine", port)
    away = services.save_sender(Sender(name="Away", address="b@acme.example", provider=account("Away", 1)))
    services.save_sender(Sender(name="Usual", address="a@acme.example", is_default=True))
    queue(contact("waits@example.com"), sender_id=away.pk)
    queue(*[contact(f"p{number}@example.com") for number in range(3)])
    send(organization)

    assert len(theirs.recipients) == 3
    waiting = Message.objects.get(address="waits@example.com")
    assert (waiting.status, waiting.attempts) == ("queued", 0)
    assert waiting.reason.startswith("Cannot use Away: 127.0.0.1:1")
    with pytest.raises(ProviderUnavailable):
        outgoing.connection(routing.Routes().of("email", away.pk))  # type: ignore[arg-type]


def test_pausing_in_the_middle_of_a_block_stops_the_next_flight(
    organization: Organization, second: tuple[Sink, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs, port = second
    row = account("Own", port)
    monkeypatch.setattr("delivery.services.sending.FLIGHT", 2)
    queue(*[contact(f"p{number}@example.com") for number in range(6)])
    real = outgoing.note

    def note(*args: Any, **kwargs: Any) -> None:
        services.pause_provider(row, "Enough.")
        real(*args, **kwargs)

    monkeypatch.setattr(outgoing, "note", note)
    send(organization)

    assert len(theirs.recipients) == 2
    assert (
        list(Message.objects.values_list("status", "attempts").order_by("pk"))
        == [("sent", 1)] * 2 + [("queued", 0)] * 4
    )


def test_a_changed_account_is_connected_to_anew(organization: Organization, second: tuple[Sink, int]) -> None:
    theirs, port = second
    row = account("Own", 1)
    made = content()
    queue(contact("a@example.com"), made=made)
    send(organization)
    services.save_provider(row, {"host": "127.0.0.1", "tls": "none", "port": port})
    send(organization)

    assert theirs.recipients == ["a@example.com"]


def test_the_admin_sets_up_tries_and_pauses_an_account(
    organization: Organization, admin: Any, second: tuple[Sink, int]
) -> None:
    theirs, port = second
    kinds = admin.get(reverse("admin:delivery_provider_add"))
    assert b"?kind=smtp" in kinds.content
    add = reverse("admin:delivery_provider_add") + "?kind=smtp"
    assert b"Encryption" in admin.get(add).content
    refused = admin.post(add, {"name": "Ours", "is_active": "on", "host": "", "tls": "none"})
    assert b"This is needed." in refused.content and not Provider.objects.exists()
    form = {"name": "Ours", "is_active": "on", "host": "127.0.0.1", "tls": "none", "port": port}
    assert admin.post(add, form | {"password": SECRET}).status_code == 302
    row = Provider.objects.get()
    assert (row.kind, row.channel, row.is_default, row.settings["port"]) == ("smtp", "email", True, port)

    page = reverse("admin:delivery_provider_change", args=[row.pk])
    shown = admin.get(page).content.decode()
    assert SECRET not in shown and "Stored and not shown" in shown
    admin.post(page, form | {"password": "", "name": "Renamed"})
    row.refresh_from_db()
    assert row.name == "Renamed" and routing.whole_settings(row)["password"] == SECRET
    services.save_provider(row, form_values(port))

    said = admin.post(
        reverse("admin:delivery_provider_act", args=[row.pk, "test"]), {"to": "me@x.example"}, follow=True
    )
    assert "The provider took the test message." in said.content.decode()
    assert theirs.recipients == ["me@x.example"] and theirs.mails[0]["Subject"] == "Test of Renamed"
    assert not Message.objects.exists()
    admin.post(reverse("admin:delivery_provider_act", args=[row.pk, "pause"]))
    assert b"Paused: Paused by" in admin.get(page).content
    admin.post(reverse("admin:delivery_provider_act", args=[row.pk, "resume"]))
    row.refresh_from_db()
    assert (row.paused_at, row.paused_reason) == (None, "")


def form_values(port: int) -> dict[str, Any]:
    return {"host": "127.0.0.1", "tls": "none", "port": port}
