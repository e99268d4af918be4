"""Steps of one workflow ask for another to be started: the contacts enter it as its entry rule says."""

from __future__ import annotations

from automations.notices import StartAsked
from automations.services import entries
from automations.services.entries import Entry


def on_start_asked(notice: StartAsked) -> None:
    """The cause names the step of the run that asked, so that it starts them once however often it is told."""
    wanted = [Entry(notice.automation_id, one.contact_id, one.cause, one.facts) for one in notice.asked]
    entries.enter(wanted, immediate={notice.automation_id})
