"""Reading what the built-in mailbox took: a list with search, and one mail as its reader would see it."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from email.message import EmailMessage
from functools import wraps
from typing import Any

from django.contrib import admin
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse

from accounts.backends import allowed
from delivery.models import MailboxMessage
from delivery.providers import site
from delivery.services import mailbox

PAGE = 50
LONGEST_SEARCH = 200
LINK = re.compile(r"""<a\b[^>]*?\bhref\s*=\s*(?:"([^"]*)"|'([^']*)')""", re.IGNORECASE)


def _for_readers(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    @wraps(view)
    @login_required
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not allowed(request.user, "delivery"):
            raise PermissionDenied
        return view(request, *args, **kwargs)

    return guarded


@_for_readers
def index(request: HttpRequest) -> HttpResponse:
    """The newest mails, found by recipient or subject; pages go on from the last one shown."""
    search = request.GET.get("q", "").replace("\x00", "").strip()[:LONGEST_SEARCH]
    before = request.GET.get("before", "")
    rows = MailboxMessage.objects.order_by("-pk").defer("body")
    if search:
        rows = rows.filter(Q(recipient__icontains=search) | Q(subject__icontains=search))
    if before.isascii() and before.isdigit() and len(before) < 19:
        rows = rows.filter(pk__lt=int(before))
    mails = list(rows[: PAGE + 1])
    context = {
        "title": "Mailbox",
        "mails": mails[:PAGE],
        "search": search,
        "before": mails[PAGE - 1].pk if len(mails) > PAGE else None,
        "is_first_page": not before,
        "is_in_use": site.is_mailbox(),
    }
    return _shell(request, "delivery/mailbox.html", context)


@_for_readers
def read(request: HttpRequest, mail_id: int) -> HttpResponse:
    """One mail: its HTML in a sandboxed frame, its text, headers and links."""
    mail = _find(mail_id)
    message = mailbox.parse(mail.body)
    body = _body(message, "html")
    context = {
        "title": mail.subject or "(no subject)",
        "mail": mail,
        "document": _document(request, body) if body else "",
        "text": _body(message, "plain"),
        "headers": [(name, str(value)) for name, value in message.items()],
        "links": _links(body),
    }
    return _shell(request, "delivery/mail.html", context)


@_for_readers
def source(request: HttpRequest, mail_id: int) -> HttpResponse:
    """The mail byte for byte, as a download."""
    mail = _find(mail_id)
    response = HttpResponse(bytes(mail.body), content_type="message/rfc822")
    response["Content-Disposition"] = f'attachment; filename="mail-{mail.pk}.eml"'
    return response


def _document(request: HttpRequest, body: str) -> str:
    """The mail as a document of its own: pictures from this site only, no script, no form, links open beside it.

    A sandboxed document has no origin, so "'self'" would match nothing in it.
    """
    here = f"{request.scheme}://{request.get_host()}"
    policy = f"default-src 'none'; img-src {here} data:; style-src 'unsafe-inline'; form-action 'none'"
    return (
        f'<meta http-equiv="Content-Security-Policy" content="{html.escape(policy)}">'
        f'<meta charset="utf-8"><base target="_blank">{body}'
    )


def _find(mail_id: int) -> MailboxMessage:
    mail = MailboxMessage.objects.filter(pk=mail_id).first() if mail_id < 2**63 else None
    if mail is None:
        raise Http404("There is no such mail.")
    return mail


def _body(message: EmailMessage, kind: str) -> str:
    part = message.get_body((kind,))
    try:
        return str(part.get_content()) if part is not None else ""
    except (LookupError, UnicodeError, KeyError):
        return "This part cannot be read."


def _links(body: str) -> list[str]:
    """Where people can go; the link that only machines see would make one of whoever tries it here."""
    trap = reverse("delivery:trap", args=["-"])[:-1]
    found = (html.unescape(match[1] or match[2] or "") for match in LINK.finditer(body))
    return [link for link in dict.fromkeys(found) if link.startswith(("http://", "https://")) and trap not in link]


def _shell(request: HttpRequest, template: str, context: dict[str, Any]) -> HttpResponse:
    request.current_app = admin.site.name  # type: ignore[attr-defined]
    response = TemplateResponse(request, template, {**admin.site.each_context(request), "subtitle": None, **context})
    # The shell runs Alpine, which evaluates expressions.
    response._csp_update = {"script-src": ["'self'", "'unsafe-eval'"]}  # type: ignore[attr-defined]
    return response
