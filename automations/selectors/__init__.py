"""Every read of this room, by noun."""

from automations.selectors.contacts import contact_ids
from automations.selectors.reports import Counts, Line, counts, outline, step_sentence, trigger_sentence

__all__ = ["Counts", "Line", "contact_ids", "counts", "outline", "step_sentence", "trigger_sentence"]
