"""Every read of this room, by noun."""

from automations.selectors.contacts import contact_ids, named
from automations.selectors.counts import Inside, inside, step_counts
from automations.selectors.periods import Flow, flows_within, versions_of
from automations.selectors.reports import Counts, Line, counts, outline, step_sentence, trigger_sentence
from automations.selectors.versions import VersionReport, version_reports

__all__ = [
    "Counts",
    "Flow",
    "Inside",
    "Line",
    "VersionReport",
    "contact_ids",
    "counts",
    "flows_within",
    "inside",
    "named",
    "outline",
    "step_counts",
    "step_sentence",
    "trigger_sentence",
    "version_reports",
    "versions_of",
]
