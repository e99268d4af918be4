"""Every write of this room."""

from viral.services.clicks import find, follow
from viral.services.codes import code_of, ensure_codes, kit_of, link_of, note_invitations
from viral.services.programs import create_program, delete_program, save_program, update_program
from viral.services.promises import keep_promises
from viral.services.recording import follow_merges, record_events
from viral.services.rewards import approve, reverse

__all__ = [
    "approve",
    "code_of",
    "create_program",
    "delete_program",
    "ensure_codes",
    "find",
    "follow",
    "follow_merges",
    "keep_promises",
    "kit_of",
    "link_of",
    "note_invitations",
    "record_events",
    "reverse",
    "save_program",
    "update_program",
]
