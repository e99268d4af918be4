"""What the template's pages need to know."""

from __future__ import annotations

from django.db.models import Q

from accounts.models import Member
from audience.models import Contact
from campaigns.models import EmailTemplate


def preview_contact(query: str) -> Contact | None:
    """The contact to show a template as: by id, e-mail, user id or the start of the name; empty: seen last."""
    living = Contact.objects.filter(merged_into=None)
    text = query.strip()
    if not text:
        return living.exclude(email="").order_by("-last_seen_at").first() or living.order_by("-pk").first()
    named = Q(email__iexact=text) | Q(user_id=text)
    if text.isdigit() and len(text) < 19:
        named |= Q(pk=int(text))
    return living.filter(named).first() or living.filter(name__istartswith=text).order_by("-pk").first()


def member_addresses() -> list[str]:
    """The addresses of colleagues, to whom tests may go."""
    members = Member.objects.filter(is_active=True, user__is_active=True)
    return sorted(members.values_list("user__email", flat=True))


def has_unpublished_changes(template: EmailTemplate) -> bool:
    """Whether the draft was edited after it was published."""
    return template.published_id is not None and template.published_edit != template.version
