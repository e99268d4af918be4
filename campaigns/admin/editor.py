"""The pages around the block editor: begin a template from a ready one, and edit it."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse

from audience.models import Contact
from campaigns import selectors, services, starters
from campaigns.models import EmailTemplate, Snippet
from campaigns.services import composing
from common.errors import AppError
from segments.models import Segment

MOST_SEGMENTS = 500
BLANK, CODE = "blank", "code"
OTHERS = (
    {"key": BLANK, "name": "From nothing", "note": "An empty mail, block by block", "icon": "add"},
    {"key": CODE, "name": "As code", "note": "HTML written by hand, or brought from elsewhere", "icon": "code"},
)
# What an order looks like, where a mail speaks of one and none is at hand.
SAMPLE_EVENT = {
    "order_id": "A-1001", "total": "84.00", "currency": "EUR", "url": "https://example.com/",
    "lines": [
        {"name": "Jumper, sea green", "quantity": 1, "price": "€ 59.00"},
        {"name": "Wool socks", "quantity": 2, "price": "€ 12.50"},
    ],
}  # fmt: skip
COPY = "/api/v1/copy/suggestions/"
EMPTY = {"settings": {}, "blocks": []}
SHARED_ADDRESSES = {
    "render": "/api/v1/email-templates/render/",
    "import": "/api/v1/email-templates/import/",
    "variables": "/api/v1/email-templates/variables/",
    "snippets": "/api/v1/snippets/",
    "pictures": "/api/v1/pictures/",
    "contacts": "/api/v1/contacts/",
}


def allow_pictures(response: HttpResponse) -> None:
    """Mail shows pictures from anywhere; the frame it stands in runs no script."""
    allowed = getattr(response, "_csp_update", None) or {}
    response._csp_update = {**allowed, "img-src": ["'self'", "data:", "https:", "http:"]}  # type: ignore[attr-defined]


def editor(request: HttpRequest, template: EmailTemplate, context: dict[str, Any]) -> HttpResponse:
    """The workspace; `context` is the shell's."""
    context |= {
        "page": page(request, template),
        "title": str(template),
        "element": "email-editor",
        "may_show_changes": template.published_id is not None,
        "has_changes": context["has_unpublished_changes"],
        "all": reverse("admin:campaigns_emailtemplate_changelist"),
        "all_label": "All templates",
    }
    return _workspace(request, context)


def snippet_editor(request: HttpRequest, snippet: Snippet, context: dict[str, Any]) -> HttpResponse:
    """The same workspace for the blocks that mails share."""
    context |= {
        "page": snippet_page(snippet),
        "title": str(snippet),
        "element": "snippet-editor",
        "may_show_changes": snippet.published_id is not None,
        "has_changes": snippet.has_unpublished_changes,
        "all": reverse("admin:campaigns_snippet_changelist"),
        "all_label": "All snippets",
    }
    return _workspace(request, context)


def _workspace(request: HttpRequest, context: dict[str, Any]) -> HttpResponse:
    context |= {"script": f"campaigns/{context['element']}.js"}
    response = TemplateResponse(request, "campaigns/editor.html", context)
    allow_pictures(response)
    return response


def page(request: HttpRequest, template: EmailTemplate) -> dict[str, Any]:
    """What static/campaigns/email-editor.js reads of the page."""
    user: Any = request.user
    return _shared() | {
        "id": template.pk,
        "draft": services.draft_of(template),
        "kind": template.kind,
        "colleagues": selectors.member_addresses(),
        "me": user.email,
        "addresses": _addresses(template),
    }


def snippet_page(snippet: Snippet) -> dict[str, Any]:
    """What static/campaigns/snippet-editor.js reads of the page. A snippet holds no other snippet."""
    told = _shared()
    blocks = [block for block in told["language"]["blocks"] if block["key"] != "snippet"]
    own = f"/api/v1/snippets/{snippet.pk}/"
    return told | {
        "id": snippet.pk,
        "draft": services.snippet_draft_of(snippet),
        "language": told["language"] | {"blocks": blocks},
        "addresses": SHARED_ADDRESSES
        | {
            "draft": f"{own}draft/",
            "publish": f"{own}publish/",
            "changes": f"{own}changes/",
            "used_by": f"{own}used-by/",
            "republish": f"{own}republish/",
            "template": reverse("admin:campaigns_emailtemplate_editor", args=[0]),
            "settings": reverse("admin:campaigns_snippet_change", args=[snippet.pk]),
        },
    }


def _shared() -> dict[str, Any]:
    return {
        "language": composing.described(),
        "segments": segment_choices(),
        "event": SAMPLE_EVENT,
        "contact": _person(selectors.preview_contact("")),
        "public_url": settings.PUBLIC_URL,
    }


def segment_choices() -> list[dict[str, Any]]:
    return list(Segment.objects.order_by("name").values("id", "name")[:MOST_SEGMENTS])


def _addresses(template: EmailTemplate) -> dict[str, str]:
    own = f"/api/v1/email-templates/{template.pk}/"
    return SHARED_ADDRESSES | {
        "draft": f"{own}draft/",
        "publish": f"{own}publish/",
        "versions": f"{own}versions/",
        "copy": COPY,
        "copy_tests": reverse("admin:campaigns_copyrequest_success"),
        "test": f"{own}test-send/",
        "settings": reverse("admin:campaigns_emailtemplate_change", args=[template.pk]),
    }


def _person(contact: Contact | None) -> dict[str, Any] | None:
    return None if contact is None else {"id": contact.pk, "name": contact.name, "email": contact.email}


# --- beginning --------------------------------------------------------------------------------------------


def begin(request: HttpRequest, context: dict[str, Any]) -> HttpResponse:
    """Name it and choose what to begin with; a POST makes the draft and opens it."""
    name, chosen = request.POST.get("name", "").strip(), request.POST.get("starter", starters.ORDER[0])
    refusal: AppError | None = None
    if request.method == "POST":
        try:
            made = _made(name, chosen)
        except AppError as error:
            refusal = error
        else:
            shown = "change" if chosen == CODE else "editor"
            return HttpResponseRedirect(reverse(f"admin:campaigns_emailtemplate_{shown}", args=[made.pk]))
    context |= {
        "title": "New e-mail template", "name": name, "chosen": chosen, "refusal": refusal,
        "starters": [*_pictured(), *OTHERS],
    }  # fmt: skip
    status = 200 if refusal is None else refusal.http_status
    return TemplateResponse(request, "campaigns/new_template.html", context, status=status)


def _made(name: str, chosen: str) -> EmailTemplate:
    starter = starters.find(chosen)
    if starter is not None:
        return services.create_template(
            {
                "name": name, "kind": starter.kind, "subject": starter.subject, "preheader": starter.preheader,
                "defaults": starter.defaults, "blocks": starter.blocks,
            }
        )  # fmt: skip
    blocks = None if chosen == CODE else EMPTY
    return services.create_template({"name": name, "subject": name[:300], "html": "", "blocks": blocks})


def _pictured() -> list[dict[str, Any]]:
    """The ready templates as the contact seen last would get them."""
    contact = selectors.preview_contact("")
    return [
        {
            "key": starter.key,
            "name": starter.name,
            "note": starter.note,
            "html": composing.show(
                composing.Draft(
                    starter.subject, starter.preheader, starter.blocks, defaults=starter.defaults, kind=starter.kind
                ),
                contact,
                {"event": SAMPLE_EVENT},
            ).html,
        }
        for starter in starters.offered()
    ]
