"""What a page says when it must refuse."""

from __future__ import annotations

import pytest
from django.contrib import messages
from django.test import Client, RequestFactory
from django.urls import reverse

from accounts import services
from accounts.domain.roles import Role
from accounts.models import ApiKey, Member, Organization
from accounts.refusals import RefusalMiddleware
from common.errors import Conflict, Invalid


def refuse(method: str, error: Exception, **headers: str) -> object:
    request = getattr(RequestFactory(), method)("/somewhere/", **headers)
    request._messages = messages.storage.cookie.CookieStorage(request)
    return RefusalMiddleware(lambda request: None).process_exception(request, error), request  # type: ignore[arg-type,return-value]


def test_a_form_goes_back_to_its_page_with_the_sentence() -> None:
    answer, request = refuse(
        "post", Conflict("It runs already."), HTTP_REFERER="http://testserver/list/?q=1", HTTP_ACCEPT="text/html"
    )  # type: ignore[misc]

    assert (answer.status_code, answer["Location"]) == (302, "/list/?q=1")
    assert [str(message) for message in request._messages] == ["It runs already."]


def test_a_forged_referer_is_not_followed() -> None:
    answer, _ = refuse("post", Conflict("No."), HTTP_REFERER="https://evil.example/", HTTP_ACCEPT="text/html")  # type: ignore[misc]

    assert answer.status_code == 409


def test_a_page_says_what_is_wrong_and_escapes_it() -> None:
    error = Invalid("Bad <b>name</b>.", details={"name": "Too long."})
    answer, _ = refuse("get", error, HTTP_ACCEPT="text/html")  # type: ignore[misc]

    assert answer.status_code == 400
    assert "Bad &lt;b&gt;name&lt;/b&gt;." in answer.content.decode()
    assert "name: Too long." in answer.content.decode()


def test_a_program_gets_json() -> None:
    answer, _ = refuse("get", Invalid("Bad."), HTTP_ACCEPT="application/json")  # type: ignore[misc]

    assert answer.content == b'{"code": "invalid", "message": "Bad.", "details": {}}'


def test_other_errors_stay_errors() -> None:
    answer, _ = refuse("get", ValueError("x"))  # type: ignore[misc]

    assert answer is None


@pytest.mark.django_db
def test_what_is_not_there_and_what_is_not_allowed_have_pages(admin: Client, organization: Organization) -> None:
    analyst = services.ensure_user("ann@acme.example")
    services.add_member(analyst, Role.ANALYST)
    other = Client()
    other.force_login(analyst)

    assert "no such page" in admin.get("/nothing/here/").content.decode()
    refused = other.get(reverse("admin:accounts_member_changelist"))
    assert (refused.status_code, "Your role does not cover this" in refused.content.decode()) == (403, True)


@pytest.mark.django_db
def test_an_action_that_is_refused_changes_nothing(admin: Client, owner: Member) -> None:
    address = reverse("admin:accounts_member_delete", args=[owner.pk])

    answer = admin.post(
        address, {"post": "yes"}, HTTP_REFERER=f"http://testserver{address}", HTTP_ACCEPT="text/html", follow=True
    )

    assert "This is the only owner" in answer.content.decode()
    assert Member.objects.filter(pk=owner.pk).exists()
    assert not ApiKey.objects.exists()
