"""Small parts that several pages share."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from django import forms
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.http import urlencode
from django.utils.safestring import SafeString

from accounts.models import Member
from common.errors import AppError, Invalid

RUN_BADGES = {
    "running": "good",
    "held": "warning",
    "completed": "",
    "exited": "",
    "failed": "critical",
    "cancelled": "",
}


class ReadableJSONField(forms.JSONField):
    """JSON as people read it: one thing a line."""

    def prepare_value(self, value: Any) -> Any:
        return value if isinstance(value, str) else json.dumps(value, indent=2, ensure_ascii=False)


def badge(text: str, tone: str = "") -> SafeString:
    """A small label; `tone` is good, warning, critical or nothing."""
    return format_html('<span class="gs-badge{}">{}</span>', f" gs-badge--{tone}" if tone else "", text)


def rows_link(count: int, model: str, **query: Any) -> SafeString:
    """A number that leads to its rows."""
    address = f"{reverse(f'admin:automations_{model}_changelist')}?{urlencode(query)}"
    return format_html('<a href="{}">{}</a>', address, f"{count:,}")


def own_member(request: HttpRequest) -> Member | None:
    """The seat of the person who looks at the page; None for a superuser without one."""
    return Member.objects.filter(user_id=request.user.pk, is_active=True).first()


def beside_fields(error: AppError, aliases: Mapping[str, str]) -> Invalid:
    """The same refusal with `actions[0].configuration.template_id` told at the form's field `actions`.

    `aliases` names the form's field where it is called otherwise.
    """
    told: dict[str, list[str]] = {}
    for place, sentence in error.details.items():
        root = place.split(".", 1)[0].split("[", 1)[0]
        text = str(sentence) if place == root else f"{place}: {sentence}"
        told.setdefault(aliases.get(root, root), []).append(text)
    return Invalid(error.message, details={field: "; ".join(texts) for field, texts in told.items()})
