"""The checks one by one: what each says of which block, and what it lets pass."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from campaigns.domain import checks
from campaigns.domain.blocks import compiler, parse
from campaigns.domain.checks.base import Check, KnownPicture, Mail
from campaigns.domain.checks.contrast import contrast, parsed, ratio_of
from campaigns.domain.checks.envelope import envelope
from campaigns.domain.checks.links import links
from campaigns.domain.checks.pictures import pictures
from campaigns.domain.checks.size import size
from campaigns.domain.checks.values import printed_without_default, values
from campaigns.domain.checks.wording import is_shouting, wording

PREHEADER = "What we made, read and mended this month"


def mail(*blocks: dict[str, Any], **more: Any) -> Mail:
    tree = parse.parse({"blocks": list(blocks)}).tree
    compiled = compiler.compiled(tree)
    return Mail(subject="Hello", preheader=PREHEADER, html=compiled.html, tree=tree, compiled=compiled, **more)


def button(href: str, **more: Any) -> dict[str, Any]:
    return {"id": "b1", "type": "button", "label": "Go", "href": href, **more}


def code(html: str) -> dict[str, Any]:
    return {"id": "b1", "type": "code", "html": html}


def said(found: Any) -> list[tuple[str, str]]:
    return [(check.level, check.block) for check in found]


@pytest.mark.parametrize(
    ("href", "level"),
    [
        ("https://shop.example/a?b=1#c", None),
        ("https://{{ contact.attributes.host }}/x", None),
        ("{{ contact.attributes.page }}", None),
        ("mailto:hello@acme.example", None),
        ("#top", None),
        ("#", "error"),
        ("mailto:", "error"),
        ("shop/sale", "error"),
        ("/sale", "error"),
        ("https://shop", "error"),
        ("https://", "error"),
        ("https://a..b/", "error"),
        ("http://shop.example/", "warning"),
        ("https://example.com/sale", "warning"),
        ("https://localhost:8000/", "warning"),
    ],
)
def test_links(href: str, level: str | None) -> None:
    assert said(links(mail(button(href)))) == ([(level, "b1")] if level else [])


def test_the_mend_of_a_link_is_proposed() -> None:
    (found,) = links(mail(button("http://shop.example/a")))
    assert found.fix == "https://shop.example/a"
    (found,) = links(mail(button("/sale")))
    assert found.fix == "https://sale"


def test_a_link_needs_words() -> None:
    assert said(links(mail(code('<a href="https://shop.example"><img src="https://a.example/b.png"></a>')))) == [
        ("warning", "b1")
    ]
    assert (
        said(links(mail(code('<a href="https://shop.example"><img alt="Shop" src="https://a.example/b.png"></a>'))))
        == []
    )


@pytest.mark.parametrize(
    ("image", "levels"),
    [
        ({"src": "https://a.example/b.png", "alt": "A boat"}, []),
        ({"src": "https://a.example/b.png", "is_decorative": True}, []),
        ({"src": "{{ contact.attributes.picture }}", "alt": "You"}, []),
        ({"src": "https://a.example/b.png"}, ["warning"]),
        ({"src": "http://a.example/b.png", "alt": "A boat"}, ["warning"]),
        ({"src": "b.png", "alt": "A boat"}, ["error"]),
        ({"alt": "A boat"}, ["error"]),
        ({"src": "https://a.example/b.png", "alt": "A boat", "width": 900}, []),  # fitted into the mail
    ],
)
def test_pictures(image: dict[str, Any], levels: list[str]) -> None:
    found = list(pictures(mail({"id": "b1", "type": "image", **image})))
    assert said(found) == [(level, "b1") for level in levels]


def test_pictures_of_imported_html() -> None:
    html = (
        '<img src="https://a.example/b.png" alt="" width="1600">'
        '<img src="https://a.example/pixel.gif" width="1" height="1">'
        '<img src="https://a.example/c.png">'
    )
    found = [check.sentence for check in pictures(mail(code(html)))]
    assert found == ["A picture is 1,600 pixels wide, the mail 600.", "A picture has no description."]


def test_pictures_of_the_library_are_weighed() -> None:
    checksum = "a" * 64
    block = {"id": "b1", "type": "image", "src": f"https://x.example/pictures/{checksum}.png", "alt": "A boat"}
    shown = {**block, "width": 400}
    fits, heavy = KnownPicture(90_000, 800), KnownPicture(900_000, 300)

    assert said(pictures(mail(shown, library={checksum: fits}))) == []
    assert [check.sentence for check in pictures(mail(shown, library={checksum: heavy}))] == [
        "A picture weighs 879 KB; phones wait for it.",
        "A picture of 300 pixels is shown 400 wide, so it is blurred.",
    ]


def test_contrast_is_that_of_wcag() -> None:
    assert ratio_of((0, 0, 0), (255, 255, 255)) == pytest.approx(21)
    assert ratio_of((119, 119, 119), (255, 255, 255)) == pytest.approx(4.48, abs=0.01)
    assert (parsed("#FFF"), parsed("white"), parsed("rgb(1, 2, 300)")) == (
        (255, 255, 255),
        (255, 255, 255),
        (1, 2, 255),
    )
    assert (parsed("url(https://a.example) #fff"), parsed("var(--ink)")) == (None, None)


@pytest.mark.parametrize(
    ("block", "is_found"),
    [
        ({"type": "text", "text": "Hello"}, False),
        ({"type": "text", "text": "Hello", "color": "#bbbbbb"}, True),
        ({"type": "text", "text": "Hello", "color": "#888888", "size": 30}, False),  # large words need 3
        ({"type": "text", "text": "Hello", "background": "#111827"}, True),
        ({"type": "heading", "text": "Hello", "color": "#888888"}, False),
        ({"type": "button", "label": "Go", "href": "https://shop.example", "fill": "#fde047"}, True),
        ({"type": "divider", "color": "#ffffff"}, False),
        ({"type": "code", "html": '<div style="background:#000"><p style="color:#222">x</p></div>'}, True),
        ({"type": "code", "html": '<div style="background:url(https://a.example/b.png)"><p>x</p></div>'}, False),
        (
            {
                "type": "code",
                "html": '<table bgcolor="#000000"><tr><td><font color="#ffffff">x</font></td></tr></table>',
            },
            False,
        ),
    ],
)
def test_contrast(block: dict[str, Any], is_found: bool) -> None:
    assert said(contrast(mail({"id": "b1", **block}))) == ([("warning", "b1")] if is_found else [])


def test_contrast_sees_what_lies_behind_columns() -> None:
    inner = {"id": "b2", "type": "text", "text": "Hello"}
    block = {"id": "b1", "type": "columns", "background": "#111827", "columns": [{"blocks": [inner]}]}
    assert said(contrast(mail(block))) == [("warning", "b2")]


@pytest.mark.parametrize(
    ("more", "sentences"),
    [
        ({}, []),
        ({"subject": ""}, ["There is no subject."]),
        ({"subject": "x" * 61}, ["The subject has 61 characters; phones show about 60."]),
        ({"subject": "SALE ENDS TODAY"}, ["The subject shouts."]),
        ({"subject": "Sale! Today!"}, ["The subject has more than one exclamation mark."]),
        ({"preheader": ""}, ["There is no preheader: inboxes show the first words of the mail instead."]),
        ({"preheader": "hello"}, ["The preheader repeats the subject."]),
        ({"preheader": "x" * 111}, ["The preheader has 111 characters; inboxes show up to 110."]),
        ({"preheader": "Go on"}, ["The preheader is short: inboxes fill the line with the first words of the mail."]),
    ],
)
def test_the_envelope(more: dict[str, Any], sentences: list[str]) -> None:
    footer = {"type": "footer", "address": "Acme"}
    assert [check.sentence for check in envelope(replace(mail(footer), **more))] == sentences


def test_marketing_without_a_way_out_is_told() -> None:
    plain = mail({"type": "text", "text": "Hello"})
    assert [check.fix for check in envelope(plain)] == ["Add a footer."]
    assert list(envelope(replace(plain, kind="transactional"))) == []


def test_words_of_spam_and_shouting() -> None:
    found = list(
        wording(mail({"id": "b1", "type": "text", "text": "Act now, you are a WINNER of things. Winners!!!"}))
    )
    assert [(check.level, check.sentence) for check in found] == [
        ("hint", "It says “act now”, which filters know from spam."),
        ("hint", "It says “winner”, which filters know from spam."),
        ("warning", "There are rows of “!”, “?” or “$”."),
    ]
    assert is_shouting("BUY THIS GREAT THING today")
    assert not is_shouting("The RAF and the BBC met NASA")


def test_size() -> None:
    fits = mail({"id": "b1", "type": "text", "text": "x"}, {"id": "b2", "type": "text", "text": "y" * 500})
    assert list(size(replace(fits, size=80 * 1024))) == []
    assert said(size(replace(fits, size=90 * 1024))) == [("warning", "b2")]
    assert said(size(replace(fits, size=102 * 1024))) == [("error", "b2")]


@pytest.mark.parametrize(
    ("source", "printed"),
    [
        ("{{ contact.city }} {{ contact['city'] }}", ["contact.city"]),
        ("{{ contact.city|default('x') }} {{ contact.city|upper|d('x') }}", []),
        ("{{ contact.city|upper }}", ["contact.city"]),
        ("{% if contact.city %}{{ contact.city }}{% endif %}", []),
        (
            "{% if contact.city %}{{ contact.phone }}{% else %}{{ contact.region }}{% endif %}",
            ["contact.phone", "contact.region"],
        ),
        ("{{ contact.city if contact.city else contact.region }}", ["contact.region"]),
        ("{% for line in event.lines %}{{ line.title }}{% endfor %}", []),
        ("{{ event.total }} {{ code }}", ["event.total", "code"]),
        ("{{ broken", []),
    ],
)
def test_what_a_template_prints_wherever_it_is_missing(source: str, printed: list[str]) -> None:
    assert printed_without_default(source) == printed


def test_values_that_somebody_may_lack() -> None:
    block = {"id": "b1", "type": "text", "text": "{{ contact.city }} {{ contact.email }} {{ contact.region }}"}
    found = list(values(mail(block, reader="Ada", missing=("contact.city",))))
    assert [(check.level, check.block, check.sentence) for check in found] == [
        ("error", "b1", "Ada has no contact.city, so this mail could not be written."),
        ("warning", "b1", "Whoever has no contact.region does not get this mail."),
    ]
    assert list(values(mail(block, defaults=frozenset({"city", "contact.region"})))) == []
    of_event = mail({"id": "b1", "type": "text", "text": "{{ event.total }}"}, missing=("event.total",))
    assert said(values(of_event)) == [("hint", "b1")]


def test_findings_come_once_errors_first_in_the_order_of_blocks() -> None:
    found = checks.run(
        mail(
            {"id": "b2", "type": "text", "text": "Hello", "color": "#cccccc"},
            button("#"),
            {"id": "b3", "type": "code", "html": '<a href="#">x</a><a href="#">y</a>'},
            {"type": "footer", "address": "Acme"},
        )
    )
    assert [(check.level, check.block) for check in found] == [("error", "b1"), ("error", "b3"), ("warning", "b2")]
    assert all(isinstance(check, Check) for check in found)
