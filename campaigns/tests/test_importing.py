"""Mails made elsewhere become blocks: what we know, element by element; the rest as it is, cleaned."""

from __future__ import annotations

import time
from typing import Any

import pytest
from rest_framework.test import APIClient

from accounts.models import Organization
from audience.models import AttributeDefinition, EventDefinition
from campaigns.domain.blocks import compiler, importing, parse
from campaigns.domain.blocks.words import Wrong
from campaigns.tests import making

MJML = """<mjml><mj-head><mj-title>Sale &amp; more</mj-title><mj-preview>Only today</mj-preview></mj-head>
<mj-body width="640px" background-color="#EEEEEE">
  <mj-section background-color="#ffffff"><mj-column>
    <mj-image src="https://shop.example/a.png" alt="A boat" width="200px" href="https://shop.example"/>
    <mj-text font-size="18px" color="#333333" align="center"><p>Hello {{ contact.name }}</p></mj-text>
    <mj-button href="https://shop.example/sale" background-color="#ff0000" border-radius="4px">Go <b>now</b>
    </mj-button>
    <mj-divider border-width="2px"/><mj-spacer height="30px"/>
    <mj-social><mj-social-element name="facebook-noshare" href="https://f.example">F</mj-social-element></mj-social>
    <mj-navbar><mj-navbar-link href="https://shop.example/a">A</mj-navbar-link></mj-navbar>
  </mj-column></mj-section>
  <mj-section><mj-column width="30%"><mj-text>Left</mj-text></mj-column>
  <mj-column><mj-text>Right</mj-text></mj-column></mj-section>
  <mj-section><mj-column><mj-table><tr><td>1</td></tr></mj-table></mj-column></mj-section>
</mj-body></mjml>"""


def blocks(source: str) -> list[dict[str, Any]]:
    done = importing.imported(source)
    assert parse.parse(done.blocks).problems == {}
    found: list[dict[str, Any]] = done.blocks["blocks"]
    return found


def html(source: str) -> str:
    compiled = compiler.compiled(parse.parse(importing.imported(source).blocks).tree)
    assert compiled.problems == {}
    return compiled.html


def test_mjml_becomes_blocks() -> None:
    done = importing.imported(MJML)
    found = blocks(MJML)

    assert (done.subject, done.preheader) == ("Sale & more", "Only today")
    assert done.blocks["settings"] == {"width": 640, "background": "#eeeeee"}
    assert [block["type"] for block in found] == [
        "image", "text", "button", "divider", "spacer", "social", "menu", "columns", "imported",
    ]  # fmt: skip
    assert found[1] == {
        "id": "imported-2", "type": "text", "text": "<p>Hello {{ contact.name }}</p>", "size": 18,
        "color": "#333333", "align": "center", "background": "#ffffff",
    }  # fmt: skip
    assert (found[2]["label"], found[2]["fill"], found[2]["corner"]) == ("Go now", "#ff0000", 4)
    assert found[5]["items"] == [{"network": "facebook", "href": "https://f.example"}]
    assert [column["width"] for column in found[7]["columns"]] == [30, 0]
    assert "<td>1</td>" in html(MJML)


def test_mjml_with_styles_of_its_own_stays_mjml_and_looks_as_it_did() -> None:
    source = MJML.replace("<mj-title>", '<mj-attributes><mj-text color="#00ff00"/></mj-attributes><mj-title>')
    done = importing.imported(source)

    assert [block["type"] for block in done.blocks["blocks"]] == ["imported"]
    assert done.notes == ("It has styles of its own, so it stays MJML in one block.",)
    assert "color:#00ff00" in html(source)
    assert "Hello {{ contact.name }}" in html(source)


def test_html_becomes_one_block_with_its_styles_in_place() -> None:
    source = """<html><head><title>Sale</title>
    <style>.big{font-size:40px} @media (max-width:400px){.big{color:red}}</style></head>
    <body bgcolor="#abcdef"><table>{% for line in event.lines %}<tr><td class="big">{{ line.title }}</td></tr>
    {% endfor %}</table><a href="https://shop.example/?a={{ contact.id }}">x</a></body></html>"""
    done = importing.imported(source)
    (block,) = blocks(source)

    assert (done.subject, done.blocks["settings"]) == ("Sale", {"background": "#abcdef"})
    assert 'class="big" style="font-size: 40px' in block["html"]
    assert "@media" in block["html"]
    loop = block["html"].index("{% for")
    assert (
        loop
        < block["html"].index("<tr>")
        < block["html"].index("{{ line.title }}")
        < block["html"].index("{% endfor")
    )
    assert 'href="https://shop.example/?a={{ contact.id }}"' in html(source)


@pytest.mark.parametrize(
    "source", ["", "   ", "<script>x</script>", "x" * 200_001, "<mjml></mjml>", "a\x00b", "{% x"]
)
def test_what_cannot_be_imported_is_told(source: str) -> None:
    with pytest.raises(Wrong):
        importing.imported(source)


def test_comments_that_look_like_our_own_marks_do_no_harm() -> None:
    source = "<style>p{color:red}</style><p>a<!--zq9999999qz--><!--zq983040qz-->b{{ contact.city }}</p>"
    assert blocks(source)[0]["html"].count("{{ contact.city }}") >= 1


def test_style_bombs_end_soon() -> None:
    rules = "".join(f".a{number} .b{number} .c{number}{{color:red}}" for number in range(1900))
    started = time.process_time()
    importing.imported(f"<style>{rules}</style>" + "<p class=a1>x</p>" * 5000)
    assert time.process_time() - started < 10


@pytest.mark.django_db
def test_import_over_http(organization: Organization, api: APIClient) -> None:
    url = "/api/v1/email-templates/import/"
    answer = api.post(url, {"source": "<p onclick='x'>Hi</p><form>y</form>"}, format="json")
    assert answer.status_code == 200
    assert answer.json()["blocks"]["blocks"] == [{"id": "imported-1", "type": "imported", "html": "<p>Hi</p>y"}]
    assert answer.json()["notes"] == ["1 event handler taken out.", "1 form taken out."]

    refused = api.post(url, {"source": "<mjml></mjml>"}, format="json")
    assert (refused.status_code, refused.json()["code"], list(refused.json()["details"])) == (
        400, "cannot_import", ["source"],
    )  # fmt: skip


@pytest.mark.django_db
def test_variables_have_examples_of_the_contact(organization: Organization, api: APIClient) -> None:
    AttributeDefinition.objects.create(name="plan", type="text")
    EventDefinition.objects.create(name="order_completed", properties={"total": "number", "not a name": "text"})
    (ada,) = making.contacts(name="Ada Lovelace", city="Leeds", attributes={"plan": "gold"}, value_minor=1250)
    told = {
        one["name"]: one
        for one in api.get(f"/api/v1/email-templates/variables/?contact_id={ada.pk}").json()["results"]
    }

    assert told["contact.first_name"] == {
        "name": "contact.first_name", "label": "First name", "group": "Contact", "kind": "text", "sample": "Ada",
        "default": "there", "is_always_there": False,
    }  # fmt: skip
    assert (told["contact.city"]["sample"], told["contact.value"]["sample"]) == ("Leeds", "£12.50")
    assert (told["contact.attributes.plan"]["sample"], told["contact.attributes.plan"]["group"]) == (
        "gold",
        "Attributes",
    )
    assert told["event.total"]["label"] == "total (order_completed)"
    assert "event.not a name" not in told
    assert told["unsubscribe_url"]["is_always_there"] is True
    assert api.get("/api/v1/email-templates/variables/?contact_id=999999").status_code == 404
