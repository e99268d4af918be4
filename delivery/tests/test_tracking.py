"""What mails call home with: pixel, links, the way out."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client

from accounts.models import Organization
from audience.models import Consent, IngestBatch, Topic
from common import clock, tenancy
from delivery import links
from delivery.domain import tokens
from delivery.domain.utm import with_utm
from delivery.models import Engagement, Message, Visit
from delivery.services import visits
from delivery.tests.making import Sink, contact, content, queue, send

BROWSER = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36"
PROXY = "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)"
SHOP = "<p>Hi <a href='https://shop.example/tea?id={{ contact.id }}&amp;a=1#top'>shop</a></p>"


@pytest.fixture
def web(db: None) -> Client:
    """A person's browser, with CSRF checks as in production."""
    return Client(enforce_csrf_checks=True, HTTP_USER_AGENT=BROWSER)


class Mailed:
    """A message that was really sent, and the addresses in it."""

    def __init__(self, message: Message, mail: Any) -> None:
        self.message = message
        self.html = mail.get_body(("html",)).get_content()
        self.text = mail.get_body(("plain",)).get_content()
        self.click = urlsplit(re.findall(r'href="([^"]*/t/c/[^"]+)"', self.html)[0]).path
        self.pixel = urlsplit(re.findall(r'src="([^"]*/t/o/[^"]+)"', self.html)[0]).path
        self.trap = urlsplit(re.findall(r'href="([^"]*/t/n/[^"]+)"', self.html)[0]).path
        self.way_out = urlsplit(mail["List-Unsubscribe"].strip("<>")).path


@pytest.fixture
def mailed(organization: Organization, sink: Sink) -> Callable[..., Mailed]:
    def mail(**more: Any) -> Mailed:
        (message,) = queue(contact(), made=content(SHOP), **more)
        send(organization)
        message.refresh_from_db()
        return Mailed(message, sink.mails[-1])

    return mail


def later(minutes: float = 5) -> Any:
    return clock.travel(timedelta(minutes=minutes))


def events() -> int:
    return IngestBatch.objects.count()


def judge() -> None:
    """What a worker does a moment later."""
    visits.work(tenancy.required())


def test_an_open_is_recorded_once_as_first_and_every_time_as_engagement(mailed: Any, web: Client) -> None:
    sent = mailed()
    before = events()
    with later():
        answer = web.get(sent.pixel)
        first_at = clock.now()
    with later(10):
        web.get(sent.pixel)
        assert events() == before
        judge()

    sent.message.refresh_from_db()
    assert (answer.status_code, answer["Content-Type"]) == (200, "image/gif")
    assert "no-store" in answer["Cache-Control"]
    assert sent.message.opened_at == first_at
    assert [row.kind for row in Engagement.objects.all()] == ["open", "open"]
    assert events() == before + 1  # one block, two events
    assert not Visit.objects.exists()


def test_a_click_is_recorded_and_goes_on_to_the_page_with_its_marks(mailed: Any, web: Client) -> None:
    sent = mailed(utm_campaign="spring")
    with later():
        answer = web.get(sent.click)
        judge()

    goal = urlsplit(answer["Location"])
    assert answer.status_code == 302
    assert (goal.netloc, goal.path, goal.fragment) == ("shop.example", "/tea", "top")
    assert parse_qs(goal.query) == {
        "id": [str(sent.message.contact_id)],
        "a": ["1"],
        "utm_source": ["groundswell"],
        "utm_medium": ["email"],
        "utm_campaign": ["spring"],
    }
    sent.message.refresh_from_db()
    assert sent.message.clicked_at is not None and sent.message.opened_at is not None
    row = Engagement.objects.get()
    assert row.url == f"https://shop.example/tea?id={sent.message.contact_id}&a=1#top"
    assert "set-cookie" not in {name.lower() for name in answer.headers}


def test_a_click_tells_which_link_to_its_address_it_was(organization: Organization, sink: Sink, web: Client) -> None:
    tea, cup = "https://shop.example/tea", "https://shop.example/cup"
    (message,) = queue(contact(), made=content("".join(f'<a href="{url}">x</a>' for url in (tea, cup, tea))))
    send(organization)
    mail = Mailed(message, sink.mails[-1])
    hrefs = re.findall(r'href="([^"]*/t/c/[^"]+)"', mail.html)
    in_text = re.search(r"http[^\s>)]*/t/c/[^\s>)]+", mail.text)
    assert in_text is not None
    with later():
        goals = [web.get(urlsplit(link).path)["Location"] for link in (*hrefs, in_text[0])]
        judge()

    assert [urlsplit(goal).path for goal in goals] == ["/tea", "/cup", "/tea", "/tea"]
    assert list(Engagement.objects.order_by("pk").values_list("url", "place")) == [
        (tea, 1), (cup, 1), (tea, 2), (tea, 0),
    ]  # fmt: skip


def test_what_machines_do_is_kept_apart(mailed: Any, web: Client) -> None:
    sent = mailed()
    before = events()
    web.get(sent.click)  # in the very second it was sent
    with later():
        web.get(sent.click, HTTP_USER_AGENT="Barracuda Sentinel")
        web.head(sent.click)
        web.get(sent.click, HTTP_SEC_PURPOSE="prefetch")
        web.get(sent.click, secure=True)  # a browser's name without a browser's headers
        web.get(sent.pixel, HTTP_USER_AGENT="Mozilla/5.0")
        judge()

    sent.message.refresh_from_db()
    assert (sent.message.opened_at, sent.message.clicked_at) == (None, None)
    assert list(Engagement.objects.order_by("pk").values_list("signal", flat=True)) == [
        "haste", "robot", "probe", "probe", "disguise", "proxy",
    ]  # fmt: skip
    assert set(Engagement.objects.values_list("is_machine", flat=True)) == {True}
    assert events() == before


def test_a_browser_over_tls_is_a_person(mailed: Any, web: Client) -> None:
    sent = mailed()
    with later():
        web.get(sent.click, secure=True, HTTP_SEC_FETCH_MODE="navigate")
        judge()

    assert Engagement.objects.get().signal == ""


def test_who_follows_the_hidden_link_is_a_machine_before_and_after(mailed: Any, web: Client) -> None:
    sent = mailed()
    with later():
        web.get(sent.click)
        judge()
        assert Engagement.objects.get().is_machine is False
        answer = web.get(sent.trap)
        judge()
        web.get(sent.click)
        judge()

    assert (answer.status_code, "Location" in answer) == (200, False)
    sent.message.refresh_from_db()
    assert (sent.message.opened_at, sent.message.clicked_at) == (None, None)
    assert set(Engagement.objects.values_list("kind", "signal")) == {("click", "trap")}


def test_visits_wait_until_their_company_is_known(mailed: Any, web: Client, settings: Any) -> None:
    settings.VISIT_PATIENCE_SECONDS = 2
    sent = mailed()
    with later():
        web.get(sent.click)
        judge()
        assert (Engagement.objects.count(), Visit.objects.count()) == (0, 1)
    with later(5.1):
        assert visits.organizations_due() == [tenancy.required()]
        judge()
    assert (Engagement.objects.count(), Visit.objects.count()) == (1, 0)


def test_late_and_early_visits_leave_the_earliest_as_first(mailed: Any, web: Client) -> None:
    sent = mailed()
    with later(30):
        web.get(sent.pixel)
        judge()
    with later(10):
        web.get(sent.click)
        first_at = clock.now()
    with later(31):
        judge()

    sent.message.refresh_from_db()
    assert (sent.message.opened_at, sent.message.clicked_at) == (first_at, first_at)


def test_a_get_never_unsubscribes(mailed: Any, web: Client) -> None:
    sent = mailed()
    for method in (web.get, web.head):
        answer = method(sent.way_out)
        assert answer.status_code == 200
    page = web.get(sent.way_out).content.decode()

    sent.message.refresh_from_db()
    assert sent.message.unsubscribed_at is None
    assert not Consent.objects.filter(state="withdrawn").exists()
    assert "Unsubscribe from all e-mail" in page and "<script" not in page
    assert web.put(sent.way_out).status_code == 405


@pytest.mark.parametrize(
    ("body", "how"),
    [({"List-Unsubscribe": "One-Click"}, "one-click unsubscribe"), ({"action": "all"}, "unsubscribe page")],
)
def test_a_post_unsubscribes_without_cookies(mailed: Any, web: Client, body: dict[str, str], how: str) -> None:
    sent = mailed()
    before = events()
    with later():
        answer = web.post(sent.way_out, body)
        again = web.post(sent.way_out, body)

    assert (answer.status_code, again.status_code) == (200, 200)
    assert "You are unsubscribed" in answer.content.decode()
    withdrawn = Consent.objects.get(state="withdrawn")
    assert (withdrawn.contact_id, withdrawn.topic_id, withdrawn.how) == (sent.message.contact_id, None, how)
    assert withdrawn.proof == {"message_id": sent.message.pk}
    assert [row.kind for row in Engagement.objects.all()] == ["unsubscribe"]
    assert events() == before + 1


def test_who_unsubscribed_gets_no_more_until_taking_it_back(
    mailed: Any, web: Client, organization: Organization, sink: Sink
) -> None:
    sent = mailed()
    ada = sent.message.contact
    with clock.travel(timedelta(days=1)):
        web.post(sent.way_out)
        (second,) = queue(ada, key="second")
        send(organization)
        second.refresh_from_db()
        assert second.status == "refused"
        page = web.post(sent.way_out, {"action": "subscribe"})
        assert "Unsubscribe from" in page.content.decode()
    with clock.travel(timedelta(days=2)):
        (third,) = queue(ada, key="third")
        send(organization)
    third.refresh_from_db()
    assert third.status == "sent"


def test_one_topic_can_be_left_alone(mailed: Any, web: Client, organization: Organization) -> None:
    news = Topic.objects.create(name="News & views", slug="news")
    sent = mailed(topic_id=news.pk)
    assert "Only from “News &amp; views”" in web.get(sent.way_out).content.decode()
    with clock.travel(timedelta(days=1)):
        web.post(sent.way_out, {"action": "topic"})
        general, topical = queue(sent.message.contact, key="g")[0], None
        (topical,) = queue(sent.message.contact, key="t", topic_id=news.pk)
        send(organization)

    general.refresh_from_db()
    topical.refresh_from_db()
    assert (general.status, topical.status) == ("sent", "refused")


@pytest.mark.parametrize("change", ["flip", "cut", "empty", "other kind", "other organisation", "long", "text"])
def test_a_forged_token_leads_nowhere_and_writes_nothing(
    mailed: Any, web: Client, stranger: Organization, change: str
) -> None:
    sent = mailed()
    before = events()
    good = sent.click.rsplit("/", 1)[1]
    organization_id, message_id = tenancy.required(), sent.message.pk
    evil = tokens.identity(organization_id, message_id) + b"https://evil.example/"
    forged = {
        "flip": ("A" if good[5] != "A" else "B").join((good[:5], good[6:])),
        "cut": good[:-4],
        "empty": "x",
        "other kind": tokens.make(links.keys(links.OPEN)[0], evil),
        "other organisation": good[:22] + tokens.make(b"guess", tokens.identity(stranger.pk, message_id))[22:],
        "long": "A" * 20_000,
        "text": "https:%2F%2Fevil.example",
    }[change]
    for prefix, suffix in (("/t/c/", ""), ("/t/n/", ""), ("/t/o/", ".gif"), ("/u/", "")):
        answer = web.get(f"{prefix}{forged}{suffix}")
        if change == "other kind" and prefix == "/t/o/":
            continue  # a token of that kind, and harmless there
        assert answer.status_code == 404, prefix
        assert "Location" not in answer
    if change != "other kind":
        judge()
        assert not Engagement.objects.exists()
        assert events() == before
    assert web.post(f"/u/{forged}").status_code == 404
    assert not Consent.objects.filter(state="withdrawn").exists()


@pytest.mark.parametrize(
    "address", ["javascript:alert(1)", "data:text/html,x", "//evil.example", "ftp://x.example", "https://", ""]
)
def test_even_a_signed_address_must_be_a_web_page(web: Client, organization: Organization, address: str) -> None:
    token = tokens.make(links.keys(links.CLICK)[0], tokens.identity(organization.pk, 1) + address.encode())

    assert web.get(f"/t/c/{token}").status_code == 404


def test_a_link_outlives_its_message(web: Client, organization: Organization) -> None:
    link = links.Links(organization.pk, 999_999).click("https://shop.example/x")

    assert web.get(urlsplit(link).path)["Location"] == "https://shop.example/x"
    judge()
    assert not Engagement.objects.exists()


def test_links_of_a_retired_secret_still_work(mailed: Any, web: Client, settings: Any) -> None:
    sent = mailed()
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "n" * 60

    assert web.get(sent.click).status_code == 302


def test_public_pages_are_strict(mailed: Any, web: Client) -> None:
    sent = mailed()
    for address in (sent.way_out, "/u/forged"):
        answer = web.get(address)
        assert answer["Content-Security-Policy"].startswith("default-src 'none'")
        assert not answer.cookies


def test_one_message_cannot_fill_the_table(mailed: Any, web: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("delivery.services.visits.MOST_KEPT", 3)
    sent = mailed()
    with later():
        codes = {web.get(sent.pixel).status_code for _ in range(5)}
        judge()
        codes |= {web.get(sent.pixel).status_code}
        judge()

    assert codes == {200}
    assert Engagement.objects.count() == 3


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("https://x.example", "https://x.example?utm_source=s&utm_campaign=a%20b"),
        ("https://x.example/p?q=1&r#f", "https://x.example/p?q=1&r&utm_source=s&utm_campaign=a%20b#f"),
        ("https://x.example/?UTM_Source=own", "https://x.example/?UTM_Source=own&utm_campaign=a%20b"),
        ("https://x.example/?q=%E2%82%AC+x", "https://x.example/?q=%E2%82%AC+x&utm_source=s&utm_campaign=a%20b"),
    ],
)
def test_marks_are_added_where_they_lack(address: str, expected: str) -> None:
    assert with_utm(address, {"utm_source": "s", "utm_medium": "", "utm_campaign": "a b"}) == expected


def test_simulated_engagement_is_marked(mailed: Any) -> None:
    from delivery import services

    sent = mailed()
    services.simulate_engagement([sent.message.pk], [sent.message.pk])

    assert set(Engagement.objects.values_list("kind", "is_simulated")) == {("open", True), ("click", True)}
    sent.message.refresh_from_db()
    assert sent.message.opened_at is not None and sent.message.clicked_at is not None
