"""What this room does when others announce something. Each may run twice: it looks at the present state."""

from __future__ import annotations

from audience.notices import ContactsChanged
from integrations import services
from segments.notices import MembershipChanged

# Fields whose change is another identifier, or another answer to whether a contact may be sent.
TOLD = ("email", "phone", "consent.")


def on_membership_changed(notice: MembershipChanged) -> None:
    """Who entered or left a segment that is kept somewhere."""
    services.plan_segment(notice.segment_id, {*notice.entered, *notice.left})


def on_contacts_changed(notice: ContactsChanged) -> None:
    """Other addresses, other consent, merged, gone."""
    touched = {change.contact_id for change in notice.changes if change.attribute.startswith(TOLD)}
    touched.update(notice.deleted)
    for merge in notice.merged:
        touched.update((merge.merged_id, merge.survivor_id))
    services.plan_contacts(touched)
