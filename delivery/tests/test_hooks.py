"""Reports of providers over HTTP: proven, kept, read once; forged ones leave nothing behind."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.test.utils import override_settings

from accounts.models import AuditEntry, Organization
from audience.models import Consent, IngestBatch, Suppression
from common import clock, tenancy
from delivery import links, services
from delivery.models import Engagement, Message, Provider, ProviderCall, ProviderReport
from delivery.providers import amazon_sns
from delivery.services import reports
from delivery.tests import hook_payloads as payloads
from delivery.tests.fake_api import serving
from delivery.tests.hook_payloads import KNOWN, TOPIC, WRITERS, Post, Said
from delivery.tests.making import contact, queue

KINDS = ["accepted", "deferred", "delivered", "soft bounce", "hard bounce", "rejected", "complained",
         "unsubscribed", "opened", "clicked"]  # fmt: skip
pytestmark = pytest.mark.usefixtures("noon", "certificate")


@pytest.fixture
def certificate() -> Any:
    """Amazon's certificate is at hand, as it is after the first report: nothing is fetched."""
    amazon_sns.certificate_key.cache_clear()
    key = amazon_sns.x509.load_pem_x509_certificate(payloads.sns_key()[1]).public_key()
    original = amazon_sns._fetch
    amazon_sns._fetch = lambda url, **more: payloads.sns_key()[1]  # type: ignore[assignment]
    assert amazon_sns.certificate_key(payloads.CERTIFICATE_URL).public_numbers() == key.public_numbers()  # type: ignore[union-attr]
    amazon_sns._fetch = original
    yield
    amazon_sns.certificate_key.cache_clear()


@pytest.fixture(params=sorted(WRITERS))
def account(request: Any, organization: Organization) -> Provider:
    """An account of each kind."""
    row = Provider(kind=request.param, channel="email", name=request.param.title())
    return services.save_provider(row, payloads.values(request.param))


@pytest.fixture
def message(organization: Organization) -> Message:
    """A message that was sent ten minutes ago."""
    (made,) = queue(contact())
    ago = clock.now() - timedelta(minutes=10)
    Message.objects.filter(pk=made.pk).update(
        status="sent", address="ada@example.com", handed_at=ago, sent_at=ago, claimed_at=ago
    )
    made.refresh_from_db()
    return made


def address(account: Provider) -> str:
    return links.hook_url(account.organization_id, account.pk).removeprefix("http://127.0.0.1:8000")


def post(account: Provider, made: Post) -> int:
    headers = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in made.headers.items()}
    answer = Client().generic("POST", address(account), made.body, content_type=made.content_type, **headers)
    return answer.status_code


def said(kind: str, message: Message, **more: Any) -> Said:
    return Said(kind, links.reference(message.organization_id, message.pk), **more)


def tell(account: Provider, *things: Said) -> None:
    for thing in things:
        assert post(account, WRITERS[account.kind](thing)) == 200
    reports.work(account.organization_id)


def test_every_provider_s_words_are_understood(account: Provider, message: Message) -> None:
    for kind in KINDS:
        if kind in KNOWN[account.kind]:
            tell(account, said(kind, message, id=f"event-{kind.replace(' ', '-')}"))
    rows = {row.kind if row.kind != "bounced" else f"bounced {row.finding}".strip(): row
            for row in ProviderReport.objects.all()}  # fmt: skip
    expected = {"deferred", "delivered", "bounced", "bounced dead", "rejected", "complained", "opened", "clicked"}
    expected |= {"accepted"} & KNOWN[account.kind].keys() | {"unsubscribed"} & KNOWN[account.kind].keys()
    assert rows.keys() == expected, ProviderCall.objects.values_list("error", flat=True)
    assert {row.message_id for row in rows.values()} == {message.pk}
    assert {row.account_id for row in rows.values()} == {account.pk}
    assert rows["clicked"].url == ("https://acme.example/offer")
    assert not ProviderCall.objects.exclude(status="done").exists()


def test_a_delivery_is_dated_by_the_provider(account: Provider, message: Message) -> None:
    at = clock.now() - timedelta(minutes=3)
    tell(account, said("delivered", message, at=at))
    message.refresh_from_db()
    assert message.delivered_at == at
    assert (message.status, message.bounced_at) == ("sent", None)


def test_a_hard_bounce_is_counted_once_and_its_address_is_not_written_to_again(
    account: Provider, message: Message
) -> None:
    thing = said("hard bounce", message)
    tell(account, thing, thing, thing)
    assert ProviderReport.objects.count() == 1
    assert [row.kind for row in Engagement.objects.all()] == ["bounce"]
    (row,) = Suppression.objects.all()
    assert (row.channel, row.address) == ("email", "ada@example.com")
    assert row.reason.startswith("hard bounce")
    message.refresh_from_db()
    assert message.bounced_at is not None
    assert message.status == "sent"


def test_a_soft_bounce_keeps_the_address(account: Provider, message: Message) -> None:
    tell(account, said("soft bounce", message))
    assert [row.kind for row in Engagement.objects.all()] == ["bounce"]
    assert not Suppression.objects.exists()


def test_who_complains_is_not_written_to_again(account: Provider, message: Message) -> None:
    tell(account, said("complained", message))
    reason = "complaint: abuse" if account.kind == "amazon_ses" else "complaint"
    assert [row.reason for row in Suppression.objects.all()] == [reason]
    assert [row.kind for row in Engagement.objects.all()] == ["complaint"]
    message.refresh_from_db()
    assert message.complained_at is not None


def test_who_unsubscribes_there_is_unsubscribed_here(account: Provider, message: Message) -> None:
    if "unsubscribed" not in KNOWN[account.kind]:
        pytest.skip("It has no unsubscribing of its own.")
    tell(account, said("unsubscribed", message), said("unsubscribed", message))
    last = Consent.objects.filter(contact_id=message.contact_id).order_by("pk").last()
    assert last is not None
    assert (last.state, last.how) == ("withdrawn", "unsubscribed at the provider")
    assert Consent.objects.filter(state="withdrawn").count() == 1


def test_an_uncertain_message_is_resolved_and_that_is_in_the_audit_log(account: Provider, message: Message) -> None:
    Message.objects.filter(pk=message.pk).update(status="uncertain", sent_at=None, reason="nobody knows")
    tell(account, said("delivered", message))
    message.refresh_from_db()
    assert (message.status, message.reason, message.sent_at) == ("sent", "", message.handed_at)
    entry = AuditEntry.objects.get(object_type="delivery.message", object_id=str(message.pk))
    assert (entry.actor, entry.action) == ("a provider's report", "resolve")
    assert entry.before["status"] == "uncertain"
    assert entry.after["status"] == "sent"


def test_what_the_provider_turned_away_was_not_sent(account: Provider, message: Message) -> None:
    Message.objects.filter(pk=message.pk).update(status="uncertain", sent_at=None)
    tell(account, said("rejected", message))
    message.refresh_from_db()
    assert message.status == "failed"
    assert message.reason.startswith("The provider did not send it")


def test_a_message_that_a_worker_has_is_left_to_it(account: Provider, message: Message) -> None:
    Message.objects.filter(pk=message.pk).update(status="sending", sent_at=None)
    tell(account, said("delivered", message))
    message.refresh_from_db()
    assert message.status == "sending"
    assert message.delivered_at is not None


def test_a_report_on_a_stranger_s_message_changes_nothing(account: Provider, message: Message) -> None:
    for reference in ("", "x" * 43, links.reference(account.organization_id + 1, message.pk),
                      links.reference(account.organization_id, message.pk + 999)):  # fmt: skip
        tell(account, Said("hard bounce", reference))
    assert not ProviderReport.objects.exclude(message=None).exists()
    assert not Suppression.objects.exists()
    assert not Engagement.objects.exists()


def _nothing_was_kept() -> bool:
    return not (ProviderCall.objects.exists() or ProviderReport.objects.exists() or IngestBatch.objects.exists())


FORGERIES: list[Callable[[Post], Post]] = [
    lambda made: replace(made, headers={}),
    lambda made: replace(made, headers={name: value[:-3] + "abc" for name, value in made.headers.items()}),
    lambda made: replace(made, body=b"{}"),
    lambda made: replace(made, body=b""),
    lambda made: replace(made, body=b"\xff\x00[["),
]


@pytest.mark.parametrize("forge", FORGERIES)
def test_a_forged_report_is_refused_and_leaves_nothing(
    account: Provider, message: Message, forge: Callable[[Post], Post], caplog: Any
) -> None:
    IngestBatch.objects.all().delete()
    made = WRITERS[account.kind](said("hard bounce", message))
    if account.kind in ("postmark", "brevo", "sparkpost") and forge in FORGERIES[2:]:
        made = replace(made, headers={})  # there is only the password
    if account.kind == "mailgun" and forge in FORGERIES[:2]:
        signed = json.loads(made.body)
        signed["signature"]["signature"] = "0" * 64
        made = replace(made, body=json.dumps(signed).encode())
    assert post(account, forge(made)) in (401, 403)
    assert "was refused" in caplog.text
    assert _nothing_was_kept()


def test_a_changed_word_breaks_the_signature(account: Provider, message: Message) -> None:
    if account.kind in ("postmark", "brevo", "sparkpost", "mailgun"):
        pytest.skip("It signs no bodies.")
    made = WRITERS[account.kind](said("hard bounce", message))
    changed = replace(made, body=made.body.replace(b"ada@example.com", b"eve@example.com"))
    assert changed.body != made.body
    assert post(account, changed) == 403
    assert _nothing_was_kept()


def test_an_account_without_a_secret_believes_nobody(account: Provider, message: Message) -> None:
    made = WRITERS[account.kind](said("hard bounce", message))
    Provider.objects.filter(pk=account.pk).update(sealed_secrets="", settings={}, updated_at=clock.now())
    assert post(account, made) in (401, 403)
    assert _nothing_was_kept()


def test_the_address_is_the_account_s_own(account: Provider, stranger: Organization) -> None:
    wrong = links.hook_url(stranger.pk, account.pk).removeprefix("http://127.0.0.1:8000")
    made = WRITERS[account.kind](Said("delivered"))
    for path in (wrong, "/webhooks/abc/", address(account)[:-3] + "A/"):
        assert Client().post(path, data=made.body, content_type="application/json").status_code == 404
    assert Client().get(address(account)).status_code == 200
    assert Client().head(address(account)).status_code == 200
    assert Client().put(address(account)).status_code == 405
    right = address(account)
    with override_settings(SECRET_KEY="another" * 10):
        assert Client().get(right).status_code == 404


def test_what_cannot_be_read_is_kept_with_the_reason_and_can_be_read_again(
    organization: Organization, message: Message
) -> None:
    row = services.save_provider(Provider(kind="postmark", channel="email", name="P"), payloads.values("postmark"))
    assert post(row, Post(b'["not a report"]', payloads.BASIC)) == 200
    reports.work(organization.pk)
    (call,) = ProviderCall.objects.all()
    assert call.status == "failed"
    assert "It cannot be read" in call.error
    assert reports.replay([call.pk]) == 1
    reports.work(organization.pk)
    call.refresh_from_db()
    assert (call.status, call.attempts) == ("failed", 2)


def test_a_large_body_is_refused(organization: Organization) -> None:
    row = services.save_provider(Provider(kind="postmark", channel="email", name="P"), payloads.values("postmark"))
    assert post(row, Post(b" " * (5 * 1024 * 1024 + 1), payloads.BASIC)) == 413
    assert _nothing_was_kept()


def test_reports_of_one_organisation_never_touch_another(
    organization: Organization, stranger: Organization, message: Message
) -> None:
    with tenancy.organization(stranger.pk):
        row = services.save_provider(Provider(kind="brevo", channel="email", name="B"), payloads.values("brevo"))
    assert post(row, payloads.brevo(said("hard bounce", message))) == 200
    reports.work(stranger.pk)
    message.refresh_from_db()
    assert message.bounced_at is None
    with tenancy.organization(stranger.pk):
        assert [report.message_id for report in ProviderReport.objects.all()] == [None]
        assert not Suppression.objects.exists()


# --- Amazon's topics -------------------------------------------------------------------------------------


@pytest.fixture
def ses_account(organization: Organization) -> Provider:
    row = Provider(kind="amazon_ses", channel="email", name="SES")
    return services.save_provider(row, payloads.values("amazon_ses"))


def test_only_the_topic_that_the_account_names_is_believed(ses_account: Provider, message: Message) -> None:
    other = TOPIC.replace("mail", "other")
    assert post(ses_account, payloads.ses(said("hard bounce", message), topic=other)) == 403
    assert _nothing_was_kept()


@pytest.mark.parametrize(
    "url",
    [
        "https://sns.eu-west-1.amazonaws.com.evil.example/x.pem",
        "http://sns.eu-west-1.amazonaws.com/x.pem",
        "https://evil.example/sns.eu-west-1.amazonaws.com/x.pem",
        "https://sns.eu-west-1.amazonaws.com:8443/x.pem",
        "https://user@sns.eu-west-1.amazonaws.com/x.pem",
        "file:///etc/passwd.pem",
        "https://sns.eu-west-1.amazonaws.com/x.txt",
        "",
    ],
)
def test_a_certificate_from_elsewhere_is_not_even_fetched(ses_account: Provider, message: Message, url: str) -> None:
    assert post(ses_account, payloads.ses(said("hard bounce", message), url=url)) == 403
    assert _nothing_was_kept()


def test_an_old_report_of_amazon_is_refused(ses_account: Provider, message: Message) -> None:
    old = said("hard bounce", message, at=clock.now() - timedelta(hours=3))
    assert post(ses_account, payloads.ses(old)) == 403
    assert _nothing_was_kept()


def test_a_subscription_confirms_itself_by_the_address_in_a_signed_request(
    ses_account: Provider, settings: Any
) -> None:
    with serving("amazon_ses") as stand_in:
        settings.PROVIDER_API_URLS = {"amazon_ses": stand_in.url}
        visit = f"{stand_in.url}confirm?Token=abc"
        fields = {"Type": "SubscriptionConfirmation", "Message": "hello", "Token": "abc", "SubscribeURL": visit}
        assert post(ses_account, payloads.sns(fields, Said("accepted"))) == 200
        assert stand_in.visits == ["/confirm?Token=abc"]
        elsewhere = fields | {"SubscribeURL": "http://127.0.0.1:9/confirm"}
        assert post(ses_account, payloads.sns(elsewhere, Said("accepted"))) == 403
        forged = payloads.sns(fields, Said("accepted"))
        assert post(ses_account, replace(forged, body=forged.body.replace(b"abc", b"abd"))) == 403
        assert stand_in.visits == ["/confirm?Token=abc"]
    reports.work(ses_account.organization_id)
    assert [call.status for call in ProviderCall.objects.all()] == ["done"]
    assert not ProviderReport.objects.exists()


def test_a_confirmation_that_cannot_be_given_is_asked_for_again(ses_account: Provider, settings: Any) -> None:
    settings.PROVIDER_API_URLS = {"amazon_ses": "http://127.0.0.1:9/"}
    fields = {
        "Type": "SubscriptionConfirmation",
        "Message": "hello",
        "Token": "abc",
        "SubscribeURL": "http://127.0.0.1:9/",
    }
    assert post(ses_account, payloads.sns(fields, Said("accepted"))) == 503
    assert _nothing_was_kept()
