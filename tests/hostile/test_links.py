"""Signed links: forged, mixed up and cut ones lead nowhere and change nothing."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from urllib.parse import urlsplit

import pytest
from django.test import Client

from delivery import services as delivery
from delivery.links import Links
from delivery.models import Message
from tests.hostile.snapshot import unchanged
from tests.hostile.town import Town

BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


@pytest.fixture
def links(home: Town) -> Links:
    """The links of a real message."""
    content = delivery.publish_content("A", "marketing", "Hello", '<a href="https://shop.example/">x</a>', "", {})
    item = delivery.Outgoing(home.contact, "links")
    delivery.queue([item], content_id=content.pk, source_type="api", source_id=0)
    return Links(home.organization, Message.objects.get().pk)


def _token(link: str) -> str:
    return urlsplit(link).path.rpartition("/")[2].removesuffix(".gif")


def _tokens(links: Links) -> list[str]:
    return [_token(link) for link in (links.click("https://a.example/"), links.pixel(), links.unsubscribe())]


def _forgeries(token: str) -> list[str]:
    data = urlsafe_b64decode(token + "=" * (-len(token) % 4))
    flipped = [data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :] for at in range(len(data))]
    longer = [data + b"?x=1", data[:-1], data[:16], data[16:], b"\x00" * 64, b"", data * 2]
    texts = ["%00", "..", "a" * 11_000, "🦊", "' OR 1=1 --", "%0d%0aSet-Cookie:a=b"]
    return [urlsafe_b64encode(each).rstrip(b"=").decode() for each in (*flipped, *longer)] + texts


def test_forged_tokens_open_nothing(client: Client, links: Links) -> None:
    click, pixel, way_out = _tokens(links)
    with unchanged():
        for path, token in (("/t/c/{}", click), ("/t/o/{}.gif", pixel), ("/u/{}", way_out)):
            for forged in _forgeries(token):
                for method in ("get", "post"):
                    answer = getattr(client, method)(path.format(forged), headers={"User-Agent": BROWSER})
                    assert answer.status_code in (404, 405), f"{method} {path.format(forged)}: {answer.status_code}"
                    assert "Location" not in answer.headers
                    assert "Set-Cookie" not in answer.headers


def test_a_token_of_one_kind_opens_nothing_of_another(client: Client, links: Links) -> None:
    click, pixel, way_out = _tokens(links)
    with unchanged():
        mixed = [f"/t/c/{pixel}", f"/t/c/{way_out}", f"/t/o/{click}.gif", f"/t/o/{way_out}.gif"]
        for path in [*mixed, f"/u/{click}", f"/u/{pixel}"]:
            assert client.get(path, headers={"User-Agent": BROWSER}).status_code == 404
            assert client.post(path, {"List-Unsubscribe": "One-Click"}).status_code in (404, 405)


def test_looking_at_the_way_out_changes_nothing(client: Client, links: Links) -> None:
    with unchanged():
        for method in ("get", "head", "options", "put", "delete"):
            assert getattr(client, method)(urlsplit(links.unsubscribe()).path).status_code in (200, 405)


@pytest.mark.parametrize(
    "address", ["javascript:alert(1)", "data:text/html,x", "//evil.example", "file:///etc/passwd", ""]
)
def test_even_a_signed_link_leads_only_to_the_web(client: Client, links: Links, address: str) -> None:
    with unchanged():
        assert client.get(urlsplit(links.click(address)).path, headers={"User-Agent": BROWSER}).status_code == 404


@pytest.mark.parametrize("code", ["x", "' OR 1=1 --", "%00", "..", "a" * 5000, "🦊", "%0d%0aLocation:%20x"])
def test_a_code_nobody_has_leads_nowhere(client: Client, home: Town, code: str) -> None:
    with unchanged():
        answer = client.get(f"/r/{code}", headers={"User-Agent": BROWSER})

    assert answer.status_code == 404
    assert "Location" not in answer.headers
