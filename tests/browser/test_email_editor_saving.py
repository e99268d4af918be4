"""What is typed into the e-mail editor is never lost: closed tabs, lost connections, two people, versions."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.urls import reverse
from playwright.sync_api import Page, Route, expect

from campaigns import services
from campaigns.models import EmailTemplate
from common import tenancy
from delivery.models import Message
from tests.browser import mails
from tests.browser.mails import card, key, saved, shown, state
from tests.browser.town import EMAIL, Town
from tests.flows.world import eventually

DRAFT = re.compile(r"/draft/$")


@pytest.fixture
def mail(town: Town, django_db_blocker: Any) -> Iterator[EmailTemplate]:
    with django_db_blocker.unblock(), tenancy.organization(town.organization_id):
        made = services.create_template(mails.VALUES)
        yield made
        EmailTemplate.objects.filter(pk=made.pk).delete()


def address(mail: EmailTemplate) -> str:
    return reverse("admin:campaigns_emailtemplate_editor", args=[mail.pk])


def subject(page: Page) -> Any:
    return key(page, "subject")


def stored(mail: EmailTemplate) -> EmailTemplate:
    return EmailTemplate.objects.get(pk=mail.pk)


def refuse(route: Route) -> None:
    if route.request.method == "PUT":
        route.abort()
    else:
        route.fallback()


def test_what_is_typed_is_saved_by_itself(visit: Any, mail: EmailTemplate) -> None:
    page = visit(address(mail)).page
    subject(page).fill("Warmer things")
    page.wait_for_timeout(100)
    expect(page.locator(".mle-status")).to_have_text(re.compile(r"Saved \d\d:\d\d"))

    assert stored(mail).subject == "Warmer things"


def test_a_tab_closed_at_once_loses_nothing(visit: Any, mail: EmailTemplate) -> None:
    page = visit(address(mail)).page
    subject(page).fill("Typed and gone")
    page.close()

    again = visit(address(mail)).page
    expect(subject(again)).to_have_value("Typed and gone")
    saved(again)
    assert stored(mail).subject == "Typed and gone"


def test_without_a_connection_it_is_kept_on_the_device(visit: Any, mail: EmailTemplate) -> None:
    page = visit(address(mail)).page
    page.route(DRAFT, refuse)
    subject(page).fill("Written in a tunnel")
    expect(page.locator(".mle-status")).to_have_attribute("data-kind", "offline")
    assert stored(mail).subject == "Warm things"
    page.close()

    again = visit(address(mail)).page
    expect(subject(again)).to_have_value("Written in a tunnel")
    saved(again)
    assert stored(mail).subject == "Written in a tunnel"


def test_it_is_saved_when_the_connection_is_back(visit: Any, mail: EmailTemplate) -> None:
    page = visit(address(mail)).page
    page.route(DRAFT, refuse)
    subject(page).fill("Out of the tunnel")
    expect(page.locator(".mle-status")).to_have_attribute("data-kind", "offline")
    page.unroute(DRAFT)
    page.evaluate("dispatchEvent(new Event('online'))")

    saved(page)
    assert stored(mail).subject == "Out of the tunnel"


@pytest.mark.parametrize("mine", [True, False])
def test_two_people_are_asked_whose_state_goes_on(visit: Any, mail: EmailTemplate, mine: bool) -> None:
    watched = visit(address(mail))
    page = watched.page
    page.wait_for_selector(".mle-card")
    services.save_draft(stored(mail), {"subject": "Theirs"})
    subject(page).fill("Mine")
    expect(page.locator("dialog h3")).to_have_text(["Yours", "Theirs"])
    assert stored(mail).subject == "Theirs"
    assert [fault for fault in watched.everything() if "409" not in fault] == []

    page.get_by_role("button", name="Go on with yours" if mine else "Go on with theirs").click()
    saved(page)
    wanted = "Mine" if mine else "Theirs"
    expect(subject(page)).to_have_value(wanted)
    assert stored(mail).subject == wanted
    subject(page).fill("And on")
    eventually(lambda: stored(mail).subject == "And on")


def test_what_a_closed_tab_left_meets_what_was_changed_meanwhile(visit: Any, mail: EmailTemplate) -> None:
    page = visit(address(mail)).page
    page.route(DRAFT, refuse)
    subject(page).fill("Left behind")
    expect(page.locator(".mle-status")).to_have_attribute("data-kind", "offline")
    page.close()
    services.save_draft(stored(mail), {"subject": "Theirs"})

    again = visit(address(mail)).page
    expect(again.locator("dialog")).to_contain_text("While you were away")
    again.get_by_role("button", name="Go on with yours").click()
    saved(again)
    expect(subject(again)).to_have_value("Left behind")
    assert stored(mail).subject == "Left behind"


def test_publishing_comparing_and_going_back(visit: Any, mail: EmailTemplate) -> None:
    watched = visit(address(mail))
    page = watched.page
    shown(page, "Shop now")
    page.get_by_role("button", name="Publish", exact=True).click()
    page.locator("dialog").get_by_role("button", name="Publish", exact=True).click()
    expect(page.locator(".mle-bar__state")).to_contain_text("Published v1")
    expect(page.locator(".mle-bar__changes")).to_be_hidden()
    assert stored(mail).published is not None

    card(page, "shop").locator(".mle-open").click()
    key(page, "blocks[3].label").fill("Buy now")
    saved(page)
    expect(page.locator(".mle-bar__changes")).to_be_visible()
    page.get_by_role("button", name="More", exact=True).click()
    page.get_by_role("menuitem", name="Versions").click()
    page.get_by_role("button", name="What is different now").click()
    expect(page.locator(".mle-difference li")).to_contain_text("Shop now")
    expect(page.locator(".mle-difference ins")).to_have_text("Buy now")
    assert watched.everything() == []
    page.get_by_role("button", name="Restore").click()
    page.get_by_role("button", name="Go back").click()
    expect(page.locator("dialog")).to_have_count(0)

    assert state(page)["blocks"][3]["label"] == "Shop now"
    assert stored(mail).blocks["blocks"][3]["label"] == "Shop now"


def test_an_unfinished_mail_cannot_be_published(visit: Any, mail: EmailTemplate) -> None:
    page = visit(address(mail)).page
    card(page, "shop").locator(".mle-open").click()
    key(page, "blocks[3].href").fill("")
    expect(card(page, "shop").locator(".mle-problem")).to_be_visible()
    page.get_by_role("button", name="Publish", exact=True).click()

    expect(page.locator("dialog").get_by_role("button", name="Publish", exact=True)).to_be_disabled()
    page.locator("dialog .mle-checks__list button").first.click()
    expect(key(page, "blocks[3].href")).to_be_focused()
    assert stored(mail).published is None


def test_mjml_is_brought_in_and_taken_back(visit: Any, mail: EmailTemplate) -> None:
    page = visit(address(mail)).page
    page.get_by_role("button", name="More", exact=True).click()
    page.get_by_role("menuitem", name="Import HTML or MJML").click()
    page.locator("dialog textarea").fill(
        "<mjml><mj-body><mj-section><mj-column><mj-text>From elsewhere</mj-text></mj-column></mj-section></mj-body>"
        "</mjml>"
    )
    page.get_by_role("button", name="Put it in the place of all blocks").click()
    shown(page, "From elsewhere")

    page.keyboard.press("Control+z")
    shown(page, "Shop now")


def test_a_block_becomes_a_snippet_of_other_mails(visit: Any, mail: EmailTemplate) -> None:
    page = visit(address(mail)).page
    card(page, "foot").hover()
    card(page, "foot").get_by_role("button", name="More for").click()
    page.get_by_role("menuitem", name="Save as a snippet").click()
    page.locator("dialog input").fill(f"House footer {mail.pk}")
    page.get_by_role("button", name="Save snippet").click()
    expect(page.locator("dialog")).to_have_count(0)
    key(page, "blocks#add").click()
    page.locator("dialog .mle-type", has_text=f"House footer {mail.pk}").click()

    assert state(page)["blocks"][-1]["snippet"] == f"house-footer-{mail.pk}"
    page.wait_for_function(
        "document.querySelector('.mle-frame').contentDocument.body.innerText.split('1 Quay Street').length === 3"
    )


def test_a_mail_written_as_code_opens_as_one_block(visit: Any, town: Town, mail: EmailTemplate) -> None:
    services.update_template(stored(mail), {"blocks": None, "html": "<p>By hand, {{ contact.name }}</p>"})

    page = visit(address(mail)).page
    shown(page, "By hand,")
    assert mails.types(page) == ["imported"]
    expect(page.locator(".mle-note")).to_contain_text("written as code")
    assert stored(mail).blocks is None
    page.get_by_role("link", name="Keep it as code").click()
    expect(page.locator("#id_html")).to_have_value("<p>By hand, {{ contact.name }}</p>")

    page.go_back()
    page.wait_for_selector(".mle-card")
    subject(page).fill("Now in blocks")
    expect(page.locator(".mle-note")).to_be_hidden()
    saved(page)
    kept = stored(mail)
    assert (kept.subject, kept.html, kept.blocks["blocks"][0]["type"]) == ("Now in blocks", "", "imported")


def test_a_second_language_is_written_beside_the_first(visit: Any, mail: EmailTemplate) -> None:
    watched = visit(address(mail))
    page = watched.page
    page.get_by_role("button", name="More", exact=True).click()
    page.get_by_role("menuitem", name="Add a language").click()
    page.get_by_label("New language").select_option("de")
    page.get_by_label("The words so far are in").select_option("en")
    page.get_by_role("button", name="Add language").click()
    subject(page).fill("Warmes")
    saved(page)
    assert watched.everything() == []
    page.get_by_role("button", name="English").click()

    expect(subject(page)).to_have_value("Warm things")
    saved(page)
    kept = eventually(lambda: (made := stored(mail)).locale == "en" and made)
    assert (kept.subject, kept.variants["de"]["subject"]) == ("Warm things", "Warmes")


def test_a_picture_is_uploaded_and_put_in(visit: Any, mail: EmailTemplate, settings: Any, tmp_path: Any) -> None:
    from campaigns.tests.test_pictures import png

    settings.MEDIA_ROOT = tmp_path
    watched = visit(address(mail))
    page = watched.page
    page.locator('.mle-rail [data-type="image"]').click()
    page.get_by_role("button", name="Choose or upload").click()
    expect(page.locator("dialog")).to_contain_text("No pictures yet")
    assert watched.everything() == []
    page.locator("dialog input[type=file]").set_input_files(
        {"name": "jumper.png", "mimeType": "image/png", "buffer": png(64, 40)}
    )
    page.get_by_label("What it shows").fill("A red jumper")
    page.get_by_role("button", name="Add picture").click()
    expect(page.locator("dialog")).to_have_count(0)

    block = state(page)["blocks"][-1]
    assert (block["alt"], block["width"]) == ("A red jumper", 64)
    assert re.search(r"/pictures/[0-9a-f]{64}\.png$", block["src"])
    page.wait_for_function(
        "[...document.querySelector('.mle-frame').contentDocument.images].some(one => one.naturalWidth === 64)"
    )


def test_a_template_is_begun_from_a_ready_one(
    visit: Any, size: tuple[int, int], town: Town, mail: EmailTemplate
) -> None:
    watched = visit(reverse("admin:campaigns_emailtemplate_add"), size)
    page = watched.page
    assert watched.everything() == []
    page.get_by_label("What is it called?").fill(f"Welcome {size[0]}")
    page.locator(".cmp-starter", has_text="Newsletter").click()
    page.get_by_role("button", name="Begin").click()

    shown(page, "The headline of your long story")
    assert watched.everything() == []
    services.delete_template(EmailTemplate.objects.get(name=f"Welcome {size[0]}"))


def test_a_test_goes_to_me_as_the_preview_shows_it(visit: Any, mail: EmailTemplate) -> None:
    page = visit(address(mail)).page
    shown(page, "Shop now")
    page.get_by_role("button", name="Send test", exact=True).click()
    expect(page.get_by_label("To", exact=True)).to_have_value(EMAIL)
    page.locator("dialog").get_by_role("button", name="Send test").click()
    expect(page.locator(".mle-toast")).to_contain_text(f"A test is on its way to {EMAIL}")

    sent = Message.objects.get(source_type="test", source_id=mail.pk)
    assert (sent.address, sent.contact_id) == (
        EMAIL,
        page.evaluate("document.querySelector('email-editor').preview.contact.id"),
    )
    sent.delete()


def test_the_mail_as_json(visit: Any, mail: EmailTemplate) -> None:
    page = visit(address(mail)).page
    page.get_by_role("button", name="More", exact=True).click()
    page.get_by_role("menuitem", name="Show as JSON").click()
    box = page.get_by_label("The mail as JSON")
    box.fill(box.input_value().replace("Autumn is here", "Winter is here"))
    shown(page, "Winter is here")
    box.fill("{")
    expect(page.locator(".mle-json .mle-alert")).to_contain_text("Not readable yet")
    saved(page)

    assert stored(mail).blocks["blocks"][0]["text"] == "Winter is here"
