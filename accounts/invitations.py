"""Inviting a colleague: a seat, and a link by which they choose their password."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from django.conf import settings
from django.contrib.auth.tokens import default_token_generator
from django.core.mail import send_mail
from django.db import transaction
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode

from accounts import actor, services
from accounts.domain.roles import Role
from accounts.models import Member, Organization, User
from common import tenancy

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Invitation:
    """The new seat, the link (empty when the person can sign in already), and whether the mail was taken."""

    member: Member
    link: str
    mail_problem: str = ""


def invite(email: str, role: Role, *, name: str = "") -> Invitation:
    """Give the person with this address a seat in the current organisation and mail them the way in.

    A new account opens with no password until its owner chooses one by the link. Mail that cannot be sent
    does not undo the seat: `mail_problem` says why, and the inviter passes the link on.
    Raises `Conflict` when they are a member already.
    """
    with transaction.atomic():
        user = services.ensure_user(email, name=name)
        member = services.add_member(user, role)
    link = "" if user.has_usable_password() else password_link(user)
    return Invitation(member, link, _send(member, link))


def password_link(user: User) -> str:
    """Where `user` chooses a password; good for three days and one use."""
    token = default_token_generator.make_token(user)
    uid = urlsafe_base64_encode(force_bytes(user.pk))
    return settings.PUBLIC_URL + reverse("choose-password", args=[uid, token])


def _send(member: Member, link: str) -> str:
    organization = Organization.objects.get(pk=tenancy.required())
    words = {
        "inviter": actor.current().name,
        "organization": organization,
        "role": member.get_role_display(),
        "link": link or settings.PUBLIC_URL + "/",
        "is_new": bool(link),
    }
    try:
        send_mail(
            f"{organization.name} invites you to Groundswell",
            render_to_string("accounts/invitation.txt", words),
            settings.DEFAULT_FROM_EMAIL,
            [member.user.email],
        )
    except OSError as error:  # smtplib's errors are OSErrors, too
        logger.warning("The invitation of %s could not be mailed: %s", member.user.email, error)
        return str(error) or type(error).__name__
    return ""
