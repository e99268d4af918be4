"""Alerts: opened when a workflow is in trouble, told to who wants it, closed when it is over."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from django.conf import settings as site
from django.core.mail import send_mail
from django.db import transaction
from django.urls import reverse

from accounts.models import Member, Organization
from automations.models import Alert, AlertReader, Automation, Notification, WatchSettings
from automations.selectors.alerts import findings
from common import clock, doorbell, tenancy, turns

logger = logging.getLogger(__name__)


def watch_everywhere() -> None:
    """Look at the workflows of every organisation that has any."""
    for organization_id in sorted(doorbell.organizations_with("automations_automation", "TRUE")):
        with tenancy.organization(organization_id):
            watch()


def watch() -> list[Alert]:
    """Open what is new and close what is over; returns what was opened. Readers are told once for each alert."""
    with turns.taking("automations.alerts"):
        found = {(one.automation_id, str(one.kind)): one for one in findings(watch_settings())}
        standing = {(alert.automation_id, alert.kind): alert for alert in Alert.objects.filter(closed_at=None)}
        now = clock.now()
        over = [alert.pk for key, alert in standing.items() if key not in found]
        Alert.objects.filter(pk__in=over).update(closed_at=now)
        changed = [alert for key, alert in standing.items() if key in found and alert.sentence != found[key].sentence]
        for alert in changed:
            alert.sentence = found[alert.automation_id, alert.kind].sentence
        Alert.objects.bulk_update(changed, ["sentence"])
        opened = Alert.objects.bulk_create(
            Alert(automation_id=one.automation_id, kind=one.kind, sentence=one.sentence, opened_at=now)
            for key, one in found.items()
            if key not in standing
        )
        if opened:
            _tell(opened)
    return opened


def watch_settings() -> WatchSettings:
    """The organisation's settings, or what holds without any."""
    return WatchSettings.objects.first() or WatchSettings()


def read_alerts(member: Member, *, wanted: bool, by_mail: bool) -> None:
    """Whether this colleague is told of alerts, and whether by mail as well."""
    if not wanted:
        AlertReader.objects.filter(member=member).delete()
        return
    AlertReader.objects.update_or_create(member=member, defaults={"by_mail": by_mail})


def _tell(opened: Sequence[Alert]) -> None:
    names = dict(
        Automation.objects.filter(pk__in={alert.automation_id for alert in opened}).values_list("pk", "name")
    )
    readers = list(AlertReader.objects.filter(member__is_active=True).select_related("member__user"))
    Notification.objects.bulk_create(
        (
            Notification(
                member=reader.member,
                automation_id=alert.automation_id,
                message=f"“{names[alert.automation_id]}”: {alert.sentence}",
                source_key=f"alert:{alert.pk}:{reader.member_id}",
            )
            for alert in opened
            for reader in readers
        ),
        ignore_conflicts=True,
    )
    addresses = [reader.member.user.email for reader in readers if reader.by_mail]
    if addresses:
        lines = [f"“{names[alert.automation_id]}”: {alert.sentence}" for alert in opened]
        organization = Organization.objects.get(pk=tenancy.required())
        transaction.on_commit(lambda: _mail(organization.name, lines, addresses))


def _mail(name: str, lines: Sequence[str], addresses: Sequence[str]) -> None:
    """Each reader gets a mail of their own; one that cannot be handed over stops none of the others."""
    page = site.PUBLIC_URL + reverse("automation-troubles")
    text = "\n".join([*lines, "", f"What failed, and what to do: {page}"])
    subject = f"{name}: {len(lines)} {'workflow needs' if len(lines) == 1 else 'workflows need'} a look"
    for address in addresses:
        try:
            send_mail(subject, text, site.DEFAULT_FROM_EMAIL, [address])
        except OSError as error:  # smtplib's errors are OSErrors, too
            logger.warning("The alert for %s could not be mailed: %s", address, error)
