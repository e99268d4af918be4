"""Senders and limits: what an organisation sets for its messages."""

from __future__ import annotations

from typing import TypeVar

from django.core.exceptions import ValidationError
from django.db import models, transaction

from accounts import audit
from common.errors import Invalid
from delivery.domain import addresses
from delivery.domain.quiet import Window, fills_the_week
from delivery.models import CapRule, DeliveryPolicy, MessageKind, MessagePrice, QuietHours, Sender

Row = TypeVar("Row", bound=models.Model)


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


def save_cap(rule: CapRule) -> CapRule:
    """Set a cap beside the general one. Raises `Invalid` by field."""
    details = _faults(rule)
    if rule.most is None and not rule.hours_between:
        details["most"] = "Say how many, or how many hours apart; this cap would stop nothing."
    if rule.kind == MessageKind.TRANSACTIONAL:
        details["kind"] = "Transactional messages are awaited; no cap holds them."
    same = CapRule.objects.filter(
        kind=rule.kind, channel=rule.channel, topic=rule.topic_id, per_hours=rule.per_hours
    ).exclude(pk=rule.pk)
    if not details and same.exists():
        details["per_hours"] = f"There is a cap of {rule.per_hours} hours for just these messages; change that one."
    return _save(rule, "This cap cannot be used.", details)


def save_quiet_hours(row: QuietHours) -> QuietHours:
    """Set quiet hours of a channel. Raises `Invalid` by field."""
    details = _faults(row)
    if not details:
        others = QuietHours.objects.filter(channel=row.channel).exclude(pk=row.pk)
        whole = [Window(each.quiet_from, each.quiet_until, frozenset(each.weekdays)) for each in (row, *others)]
        if fills_the_week(whole):
            details["quiet_until"] = "With this the channel would be quiet all week, and nothing would ever go."
    return _save(row, "These quiet hours cannot be used.", details)


def save_price(row: MessagePrice) -> MessagePrice:
    """Set what a message of a channel costs. Raises `Invalid` by field."""
    details = _faults(row)
    if not details and MessagePrice.objects.filter(channel=row.channel).exclude(pk=row.pk).exists():
        details["channel"] = f"{row.get_channel_display()} has a price already; change that one."
    return _save(row, "This price cannot be used.", details)


def delete_limit(row: CapRule | QuietHours | MessagePrice) -> None:
    """Take a cap, quiet hours or a price away."""
    with transaction.atomic():
        audit.deleted(row)
        row.delete()


def _faults(row: models.Model) -> dict[str, str]:
    try:
        row.full_clean(exclude=["organization_id"])
    except ValidationError as error:
        return {name: " ".join(sentences) for name, sentences in error.message_dict.items()}
    return {}


def _save(row: Row, sentence: str, details: dict[str, str]) -> Row:
    if details:
        raise Invalid(sentence, details=details)
    with transaction.atomic():
        if row._state.adding:
            row.save()
            audit.created(row)
        else:
            with audit.changing(row):
                row.save()
    return row
