"""Blocks that mean harm: nothing runs, nothing breaks out, nothing takes long."""

from __future__ import annotations

import time
from typing import Any

import pytest

from campaigns.domain.blocks import cleaning, compiler, importing, mjml, parse
from campaigns.domain.blocks.words import Wrong
from campaigns.tests.test_blocks_compiling import compiled, filled


def problems(*blocks: Any) -> dict[str, str]:
    return parse.parse({"blocks": list(blocks)}).problems


@pytest.mark.parametrize(
    "text",
    [
        "{% for x in range(9) %}{% endfor %}",
        "{% raw %}",
        "{# hidden #}",
        "{{ x",
        "{{ a b }}",
        "{{ " + "(" * 5000 + " }}",
        "\x00", "\x1b", "\ud800", "\U000f0001", "\U0010ffff",
    ],
)  # fmt: skip
def test_words_hold_no_statements_and_no_characters_of_ours(text: str) -> None:
    for block in (
        {"type": "heading", "text": text},
        {"type": "text", "text": f"<p>{text}</p>"},
        {"type": "button", "label": "x", "href": f"https://a.example/{text}"},
    ):
        assert problems(block)


@pytest.mark.parametrize(
    "address",
    [
        "javascript:alert(1)", "JaVaScRiPt:alert(1)", " javascript:alert(1)", "java\tscript:alert(1)",
        "java\nscript:alert(1)", "&#106;avascript:alert(1)", "data:text/html,x", "vbscript:x", "file:///etc/passwd",
        "java{{ contact.name }}script:alert(1)",
    ],
)  # fmt: skip
def test_addresses_that_run_something_are_refused_everywhere(address: str) -> None:
    assert problems({"type": "button", "label": "x", "href": address}).keys() == {"blocks[0].href"}
    assert problems({"type": "image", "src": address, "alt": "x"}).keys() == {"blocks[0].src"}
    assert problems({"type": "menu", "items": [{"label": "x", "href": address}]}).keys() == {
        "blocks[0].items[0].href"
    }
    html = compiled({"type": "text", "text": f'<a href="{address}">x</a>'}).html
    assert "href=" not in html.split("<body")[1]
    assert "href=" not in cleaning.cleaned(f'<a href="{address}">x</a>').html


def test_words_cannot_leave_their_place() -> None:
    evil = '"></td></table><script>alert(1)</script><a href="x" onclick=\'y\'>--><mj-include path="/etc/passwd"/>'
    html = filled(
        compiled(
            {"type": "heading", "text": evil},
            {"type": "button", "label": evil, "href": f"https://a.example/{evil}"},
            {"type": "image", "src": f"https://a.example/{evil}", "alt": evil},
            {"type": "footer", "address": evil, "note": evil},
        ).html,
        unsubscribe_url="#",
    )
    assert "<script" not in html
    assert "onclick='" not in html
    assert "<mj-include" not in html
    plain = filled(compiled({"type": "heading", "text": "x"}).html)
    assert html.count("</html>") == plain.count("</html>") == 1


def test_values_of_contacts_cannot_leave_their_place_either() -> None:
    source = compiled({"type": "button", "label": "{{ v }}", "href": "https://a.example/{{ v }}"}).html
    html = filled(source, v='"><script>alert(1)</script>')
    assert "<script>" not in html
    assert 'href="https://a.example/&#34;&gt;&lt;script' in html


def test_colours_sizes_and_choices_are_what_they_say() -> None:
    found = problems(
        {"type": "text", "text": "x", "color": 'red" onload="x', "size": "16px;x", "align": "left;x"},
        {"type": "spacer", "height": 10**9, "background": ["#fff"]},
        {"type": "spacer", "height": True},
        {"type": "columns", "columns": [{"width": "50%", "blocks": []}]},
        {"type": "text", "text": {"a": 1}, "id": "../../x"},
        {"type": ["text"]}, "text", None, 7, [],
    )  # fmt: skip
    assert found.keys() == {
        "blocks[0].color", "blocks[0].size", "blocks[0].align", "blocks[1].height", "blocks[1].background",
        "blocks[2].height", "blocks[3].columns[0].width", "blocks[4].text", "blocks[4].id", "blocks[5].type",
        "blocks[6].type", "blocks[7].type", "blocks[8].type", "blocks[9].type",
    }  # fmt: skip


def test_giant_and_deep_trees_are_refused_quickly() -> None:
    started = time.process_time()
    deep: Any = []
    for _ in range(5000):
        deep = [{"type": "columns", "columns": [{"blocks": deep}]}]
    assert parse.parse({"blocks": deep}).problems
    assert "at most 500,000" in parse.parse({"blocks": [{"type": "text", "text": "x" * 500_000}]}).problems["blocks"]
    many = parse.parse({"blocks": [{"type": "spacer"}] * 5000})
    assert (len(many.tree.blocks), many.problems["blocks"]) == (300, "A mail has at most 300 blocks.")
    nested = {"type": "columns", "columns": [{"blocks": [{"type": "columns", "columns": [{"blocks": []}]}]}]}
    assert problems(nested).keys() == {"blocks[0].columns[0].blocks[0]"}
    assert time.process_time() - started < 5


@pytest.mark.parametrize(
    ("condition", "place"),
    [
        ({"variable": "contact.x %}{% for", "operator": "is_set"}, "variable"),
        ({"variable": "contact.__class__", "operator": "is_set"}, "variable"),
        ({"variable": "not.x", "operator": "is_set"}, "variable"),
        ({"variable": "contact.x", "operator": "eval"}, "operator"),
        ({"variable": "contact.x", "operator": "equals", "value": {"a": 1}}, "value"),
        ({"variable": "contact.x", "operator": "equals", "value": float("nan")}, "value"),
        ({"variable": "contact.x", "operator": "equals", "value": "x" * 301}, "value"),
        ({"segment": "1 or true"}, "segment"),
        ({"segment": True}, "segment"),
        ({"segment": -1}, "segment"),
    ],
)
def test_conditions_are_no_code(condition: dict[str, Any], place: str) -> None:
    found = problems({"type": "text", "text": "x", "show_when": condition})
    assert f"blocks[0].show_when.{place}" in found or "blocks" in found


def test_values_of_conditions_stay_values() -> None:
    evil = '" or true %}{{ 7 * 7 }}{% if "'
    block = {"type": "text", "text": "x", "show_when": {"variable": "contact.x", "operator": "equals", "value": evil}}
    source = compiled(block).html
    from delivery.domain.sandbox import Values

    assert "49" not in filled(source, contact=Values("contact", {"x": 1}, {})).split("<body")[1].split("</style>")[-1]
    assert source.count("{%") == 2


@pytest.mark.parametrize(
    "source",
    [
        "<mjml><mj-body>" + "<mj-wrapper>" * 3000,
        "<mjml><mj-body>" + "<mj-section><mj-column>" * 2000,
        "<mj-section><mj-column><mj-text>" + "<div>" * 50_000,
        "<mj-section><mj-column>" + "<mj-spacer/>" * 20_000,
        "<mj-section" + " a='b'" * 30_000,
        "<mjml" * 40_000,
        "<mj-section><mj-column><mj-image width='1e999' src='https://a.example'/></mj-column></mj-section>",
        "<mj-section padding='-99999999999999999999px' background-url='x'><mj-column width='NaN%'/></mj-section>",
        "<mjml><mj-head><mj-attributes><mj-all padding='\u202e\u200b'/></mj-attributes></mj-head></mjml>",
    ],
)
def test_bombs_of_mjml_end_soon_and_in_a_sentence(source: str) -> None:
    started = time.process_time()
    try:
        html = mjml.compiled(source).html
    except Wrong as wrong:
        html = str(wrong)
    assert len(html) < 5_000_000
    assert time.process_time() - started < 10


@pytest.mark.parametrize(
    "source",
    [
        "<" * 200_000, "<a " * 60_000, "<div>" * 40_000, "<style" * 30_000, "<!--" * 50_000, "&#x" * 60_000,
        "<a b='" * 30_000,
    ],
)  # fmt: skip
def test_hostile_html_is_cleaned_in_linear_time(source: str) -> None:
    started = time.process_time()
    cleaning.cleaned(source)
    assert time.process_time() - started < 10


def test_cleaning_takes_out_what_runs_or_collects_and_says_so() -> None:
    done = cleaning.cleaned(
        '<html><head><title>Sale</title><link rel=stylesheet href="https://evil.example/x.css"><base href="https://e">'
        "<style>@import url(https://evil.example); .a>b{color:red} #x{behavior:url(x)}</style></head>"
        '<body onload="x()"><form action="https://evil.example"><input name=card><p onclick=x>Keep</p></form>'
        '<iframe src="https://evil.example">x</iframe><svg onload=x><a>y</a></svg><script>z</script>'
        '<div style="color:red;width:expression(alert(1))">And</div><img src=x onerror=alert(1)>'
        "<!--[if mso]><script>w</script><![endif]--></body></html>"
    )
    assert done.html == '<p>Keep</p><div style="color:red">And</div><img src="x">'
    assert done.css == ".a>b{color:red} #x{}"
    assert done.title == "Sale"
    assert dict(done.removed) == {
        "remote": 2, "form": 1, "field": 1, "event": 2, "embedded": 2, "script": 1, "style": 1, "comment": 1,
    }  # fmt: skip


def test_cleaned_html_is_balanced_and_keeps_its_conditions() -> None:
    source = "</td></table>{% if contact.city %}<div><b>x{% endif %}</i><table><tr><td>{{ contact.city }}"
    assert cleaning.cleaned(source).html == (
        "{% if contact.city %}<div><b>x{% endif %}<table><tr><td>{{ contact.city }}</td></tr></table></b></div>"
    )


def test_a_style_sheet_is_not_taken_for_placeholders() -> None:
    done = compiled({"type": "code", "html": "<style>@media x{#a{color:red}}</style><p>{{ contact.city }}</p>"})
    assert "@media x{ #a{color:red}}" in done.html
    assert "{{ contact.city }}" in done.html


def test_includes_and_remote_parts_of_mjml_are_never_read() -> None:
    done = importing.imported(
        '<mjml><mj-head><mj-font name="X" href="https://evil.example/x.css"/></mj-head><mj-body>'
        '<mj-include path="/etc/passwd"/>'
        "<mj-section><mj-column><mj-text>Hi</mj-text></mj-column></mj-section></mj-body></mjml>"
    )
    assert done.notes == ("2 linked files taken out.",)
    html = compiler.compiled(parse.parse(done.blocks).tree).html
    assert "Hi" in html
    assert "evil.example" not in html
