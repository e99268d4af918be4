"""What may be published, and what becomes of it."""

from __future__ import annotations

import time
from typing import Any

import pytest

from accounts.models import Organization
from audience.models import AttributeDefinition
from common.errors import Invalid
from delivery import services
from delivery.domain import markup, plaintext, sandbox
from delivery.domain.template_rules import Vocabulary, faults
from delivery.models import Content
from delivery.services.content import Parts
from delivery.tests.making import contact, content


def test_the_same_words_are_the_same_content(organization: Organization) -> None:
    assert content().pk == content().pk
    assert content().pk != content(subject="Other").pk
    assert content().pk != content(kind="transactional").pk


def test_text_is_derived_from_html_with_its_links_and_placeholders(organization: Organization) -> None:
    made = content(
        "<style>p{}</style><h1>Hi {{ contact.name }}</h1><p>One<br>two &amp; three</p>"
        "<ul><li>a</li><li>b</li></ul><a href='https://x.example/?a={{ contact.id }}'>Shop</a>",
        kind="transactional",
    )

    assert made.text == (
        "Hi {{ contact.name }}\n\nOne\ntwo & three\n\n- a\n- b\n\nShop (https://x.example/?a={{ contact.id }})\n"
    )


def test_marketing_always_has_a_way_out(organization: Organization) -> None:
    made = content("<html><body><p>Hi</p></body></html>")
    own = content("<p>Hi <a href='{{ unsubscribe_url }}'>bye</a></p>")

    assert '<a href="{{ unsubscribe_url }}">Unsubscribe</a> · <a href="{{ preferences_url }}">' in made.html
    assert made.html.endswith("</a></p></body></html>")
    assert "{{ unsubscribe_url }}" in made.text
    assert own.html.count("unsubscribe_url") == 1


@pytest.mark.parametrize(
    ("html", "sentence"),
    [
        ("<p>{{ contact.nam }}</p>", "a contact has no “nam”"),
        ("<p>\n{{ nmae }}</p>", "Line 2: “nmae” is not known"),
        ("<p>{{ contact.attributes.plan }}</p>", "no contact has the attribute “plan”"),
        ("<p>{{ variables.code }}</p>", "“variables.code” is not known"),
        ("<p>{{ contact.name </p>", "Line 1"),
        ("<p>{% if contact.name %}</p>", "Line 1"),
        ("<p>{{ contact.__class__.__mro__ }}</p>", "begin with an underscore"),
        ("<p>{{ contact['__class__'] }}</p>", "begin with an underscore"),
        ("<p>{{ ''.join(['a']) }}</p>", "only range() can be called"),
        ("<p>{{ cycler.__init__.__globals__ }}</p>", "begin with an underscore"),
        ("<p>{{ self._TemplateReference__context }}</p>", "begin with an underscore"),
        ("<p>{{ 2 ** 99999999 }}</p>", "“**” is not available"),
        ("<p>{{ 'a' * 99999999 }}</p>", "“*” works on numbers only"),
        ("<p>{{ '%99999999d' % 1 }}</p>", "“%” works on numbers only"),
        ("<p>{{ 'x'|center(99999999) }}</p>", "no filter “center”"),
        ("<p>{{ contact|attr('id') }}</p>", "no filter “attr”"),
        ("<p>{{ '<script>'|safe }}</p>", "no filter “safe”"),
        ("<p>{% for i in range(99999999) %}x{% endfor %}</p>", "at most 1,000"),
        ("{% for a in range(999) %}{% for b in range(999) %}{% endfor %}{% endfor %}", "more than 10,000 rounds"),
        ("{% set a = 'xxxxxxxxxx' %}" + "{% set a = a ~ a %}" * 40 + "{{ a }}", "grows beyond 100,000"),
        ("{% set a = 'x' %}" * 51, "at most 50"),
        ("{% include '/etc/passwd' %}", "“include” is not available"),
        ("{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}", "“macro” is not available"),
        ("{% for i in contact.tags recursive %}{{ loop(i) }}{% endfor %}", "only range() can be called"),
        ("{{ [contact, contact] }}", "holds plain values only"),
        ("{% autoescape false %}{{ contact.name }}{% endautoescape %}", "is not available"),
        ("<a href='javascript:alert(1)'>x</a>", "may not begin with “javascript:”"),
        ("<a href='&#106;avascript:alert(1)'>x</a>", "may not begin with “javascript:”"),
        ("<a href='https://x/{% if contact.id %}a{% endif %}'>x</a>", "put a condition around the whole link"),
        ("{{ " + "(" * 3000 + "1" + ")" * 3000 + " }}", "nests too deep"),
        ("{% for a in 'xy' %}" * 25 + "{% endfor %}" * 25, "nests too deep"),
        ("x" * 300_001, "longer than 300,000"),
    ],
)
def test_a_hostile_or_mistaken_template_is_refused_with_its_place(
    organization: Organization, html: str, sentence: str
) -> None:
    started = time.process_time()
    with pytest.raises(Invalid) as refused:
        content(html)

    assert sentence in " ".join(refused.value.details.values())
    assert refused.value.details.keys() == {"html"}
    assert not Content.objects.exists()
    assert time.process_time() - started < 10


def test_every_fault_is_named_at_once(organization: Organization) -> None:
    with pytest.raises(Invalid) as refused:
        content("<p>{{ one }}</p>\n<p>{{ two }}</p>", subject="{{ three }}")

    assert refused.value.details.keys() == {"html", "subject"}
    assert "Line 1: “one”" in refused.value.details["html"] and "Line 2: “two”" in refused.value.details["html"]


def test_known_attributes_declared_variables_and_defaults_are_accepted(organization: Organization) -> None:
    AttributeDefinition.objects.create(name="plan", type="text")

    made = content(
        "{{ contact.attributes.plan }} {{ variables.code }} {{ code }} {{ greeting }} {{ contact.nickname }} "
        "{{ event.total }} {{ organization.name }}",
        variables=["code"],
        defaults={"greeting": "Hello", "nickname": "you"},
    )

    assert made.variables == ["code"]


def preview(html: str, defaults: dict[str, Any] | None = None, **fields: Any) -> str:
    variables = fields.pop("variables", {})
    parts = Parts("s", html, "", defaults or {}, kind="transactional", variables=list(variables))
    return services.render_preview(parts, contact(**fields), variables).html


def test_defaults_fill_what_a_contact_lacks(organization: Organization) -> None:
    html = "{{ contact.name }}|{{ name }}|{{ contact.attributes.plan }}|{{ plan }}"
    defaults = {"name": "there", "plan": "free"}

    assert preview(html, defaults, name="") == "there|there|free|free"
    assert preview(html, defaults, name="Bo", attributes={"plan": "pro"}) == "Bo|Bo|pro|pro"


def test_a_missing_value_is_false_in_a_condition_and_an_error_in_the_text(organization: Organization) -> None:
    AttributeDefinition.objects.create(name="plan", type="text")

    assert preview("{% if contact.attributes.plan %}a{% else %}b{% endif %}") == "b"
    assert preview("{{ contact.attributes.plan|default('none') }}") == "none"
    with pytest.raises(Invalid, match=r"contact\.attributes\.plan is empty and has no default"):
        preview("{{ contact.attributes.plan }}")


def test_what_people_are_called_cannot_become_markup(organization: Organization) -> None:
    assert preview("<p>{{ contact.name }}</p>", name="<script>x</script>") == "<p>&lt;script&gt;x&lt;/script&gt;</p>"
    assert preview("{{ contact.name }}", name="{{ 7 * 7 }}") == "{{ 7 * 7 }}"


def test_nested_variables_loops_and_filters_work(organization: Organization) -> None:
    html = (
        "{% for line in variables.lines %}{{ loop.index }}. {{ line.name }} {{ line.price|money('GBP') }}"
        "{% if not loop.last %}; {% endif %}{% endfor %}"
    )
    lines = [{"name": "Tea", "price": 350}, {"name": "Jam", "price": 1234_00}]

    assert preview(html, variables={"lines": lines}) == "1. Tea £3.50; 2. Jam £1,234.00"
    assert preview("{{ 1234567|number }} {{ '2026-02-03'|date }}") == "1,234,567 3 February 2026"


@pytest.mark.parametrize("key", ["keys", "items", "pop", "__class__", "_values", "look_up", "get"])
def test_names_of_python_methods_are_just_names(key: str) -> None:
    values = sandbox.Values("contact", {}, {})

    assert isinstance(sandbox.HTML.getattr(values, key), sandbox.Missing)
    assert isinstance(sandbox.HTML.getattr("text", key), sandbox.Missing)


def test_big_values_of_a_contact_stay_bounded(organization: Organization) -> None:
    big = {"tags": ["x" * 90] * 1500}
    for html in ("{{ contact.tags|join(', ') }}", "{{ contact.tags|join ~ contact.tags|join }}"):
        with pytest.raises(Invalid, match="grows beyond"):
            preview(html, **big)


def test_only_links_of_the_markup_are_tracked() -> None:
    source = (
        '<link href="https://a.example/x.css">'
        '<a title="a>b" class=x HREF="https://b.example/?a=1&amp;b={{ contact.id }}">x</a>'
        '<a href="mailto:a@b.example">m</a><a href="#top">t</a><a href=https://c.example>c</a> '
        'text href="https://d.example"'
        "<a href='{{ variables[\"url\"] }}'>v</a><a href='{{ unsubscribe_url }}'>u</a>"
    )

    assert markup.with_tracked_links(source) == (
        '<link href="https://a.example/x.css"><a title="a>b" class=x '
        'HREF="{{ _click("https://b.example/?a=1&b=" ~ ( contact.id )) }}">x</a>'
        '<a href="mailto:a@b.example">m</a><a href="#top">t</a><a href="{{ _click("https://c.example") }}">c</a> '
        'text href="https://d.example"'
        '<a href="{{ _click(( variables["url"] )) }}">v</a><a href=\'{{ unsubscribe_url }}\'>u</a>'
    )


def test_addresses_in_plain_text_are_tracked_without_the_full_stop() -> None:
    assert markup.text_with_tracked_links("See https://a.example/x?y=1. Or (https://b.example).") == (
        'See {{ _click_in_text("https://a.example/x?y=1") }}. Or ({{ _click_in_text("https://b.example") }}).'
    )


HEAVY = ["<a href=", "<a ", '<a href="', "<", "https://", "<!--", "<style>", "<a></a>", "<a>x", "</p>", "&", " "]


@pytest.mark.parametrize("piece", HEAVY)
def test_taking_markup_apart_is_quick_whatever_comes(piece: str) -> None:
    text = piece * (200_000 // len(piece))
    started = time.process_time()
    markup.with_tracked_links(text)
    markup.text_with_tracked_links(text)
    plaintext.derived_text(text)

    assert time.process_time() - started < 10


def test_a_rendering_that_takes_too_long_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sandbox, "MOST_SECONDS", 0.05)
    source = "{% for i in range(1000) %}{{ x|list|sort|unique|join|length }}{% endfor %}"
    assert faults(source, Vocabulary(defaults={"x": ""})) == []
    started = time.process_time()

    with pytest.raises(sandbox.LimitExceeded, match=r"too long|longer than"):
        sandbox.compiled(source, is_html=False)({"x": "abc" * 20_000})
    assert time.process_time() - started < 10  # a thousand rounds would take a minute
