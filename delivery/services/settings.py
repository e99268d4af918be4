"""Senders and limits: what an organisation sets for its messages."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.db import transaction

from accounts import audit
from common.errors import Invalid
from delivery.domain import addresses
from delivery.models import DeliveryPolicy, Sender


def save_sender(sender: Sender) -> Sender:
    """Create or change a sender. The first one, and one marked so, becomes the default. Raises `Invalid`."""
    for name in ("address", "reply_to"):
        text = getattr(sender, name)
        if (text or name == "address") and addresses.normal(text) is None:
            sentence = f"“{text}” is not an e-mail address."
            raise Invalid(sentence, details={name: sentence})
    with transaction.atomic():
        others = Sender.objects.select_for_update().exclude(pk=sender.pk)
        sender.is_default = sender.is_default or not others.filter(is_default=True).exists()
        if sender.is_default:
            for other in others.filter(is_default=True):
                with audit.changing(other):
                    other.is_default = False
                    other.save(update_fields=["is_default"])
        if sender._state.adding:
            sender.save()
            audit.created(sender)
        else:
            with audit.changing(sender):
                sender.save()
    return sender


def delete_sender(sender: Sender) -> None:
    """Messages that name it go out from the default sender."""
    with transaction.atomic():
        audit.deleted(sender)
        sender.delete()


def save_policy(policy: DeliveryPolicy) -> DeliveryPolicy:
    """Set the organisation's limits; there is one row of them. Raises `Invalid`."""
    try:
        policy.clean_fields(exclude=["organization_id"])
    except ValidationError as error:
        details = {name: " ".join(sentences) for name, sentences in error.message_dict.items()}
        raise Invalid("These limits cannot be used.", details=details) from error
    with transaction.atomic():
        if policy._state.adding:
            if DeliveryPolicy.objects.exists():
                raise Invalid("There are sending limits already; change those.", code="exists")
            policy.save()
            audit.created(policy)
        else:
            with audit.changing(policy):
                policy.save()
    return policy
