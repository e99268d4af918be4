"""The page on which two edits of a campaign become one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest

from audience.models import Topic
from campaigns.domain.merging import Difference
from campaigns.models import Campaign, EmailTemplate
from campaigns.services.merging import Merged
from delivery.models import Sender
from experiments.models import Experiment
from segments.models import Segment

CHOICE = "choice-"
BASED_ON = "merged_version"
NAMED: dict[str, Any] = {
    "template_id": EmailTemplate, "sender_id": Sender, "topic_id": Topic, "experiment_id": Experiment,
    "include": Segment, "exclude": Segment,
}  # fmt: skip
LABELS = {"include": "Who gets it", "exclude": "Who is left out", "offers": "Offers", "arms": "Arms of the test"}
MOST_SHOWN = 300


class MergeNeeded(Exception):
    """Both changed the same; somebody must choose. Not an error of the request: it is answered by a page."""

    def __init__(self, campaign: Campaign, found: Merged, choices: Mapping[str, str]) -> None:
        super().__init__(str(campaign))
        self.campaign, self.found, self.choices = campaign, found, choices


@dataclass(frozen=True)
class Row:
    """A difference in words."""

    name: str
    label: str
    base: str
    theirs: str
    mine: str
    choice: str = ""


def choices(request: HttpRequest, version: int) -> dict[str, str]:
    """What was chosen on the page, if it was about this version; a third edit asks anew."""
    if request.POST.get(BASED_ON) != str(version):
        return {}
    return {name.removeprefix(CHOICE): str(said) for name, said in request.POST.items() if name.startswith(CHOICE)}


def page_context(request: HttpRequest, needed: MergeNeeded) -> dict[str, Any]:
    """Rows of the three kinds, and everything that was typed, to be sent again with the choices."""
    merge = needed.found.merge
    typed = [
        (name, value)
        for name, values in request.POST.lists()
        if name not in ("csrfmiddlewaretoken", BASED_ON) and not name.startswith(CHOICE)
        for value in values
    ]
    return {
        "campaign": needed.campaign,
        "clashes": [_row(one, needed.choices.get(one.name, "")) for one in merge.clashes],
        "kept": [_row(one) for one in merge.kept if one.name not in ("version", "updated_at")],
        "taken": [_row(one) for one in merge.taken],
        "who": " and ".join(needed.found.who) or "somebody",
        "version": needed.found.version,
        "typed": typed,
        "based_on": BASED_ON,
        "choice": CHOICE,
    }


def _row(one: Difference, choice: str = "") -> Row:
    shown = [_shown(one.name, each) for each in (one.base, one.theirs, one.mine)]
    return Row(one.name, _label(one.name), *shown, choice)


def _label(name: str) -> str:
    if name in LABELS:
        return LABELS[name]
    words = str(Campaign._meta.get_field(name.removesuffix("_id")).verbose_name)
    return words[:1].upper() + words[1:]


def _shown(name: str, value: Any) -> str:
    if value in (None, "", [], {}):
        return "–"
    if name in NAMED:
        ids = value if isinstance(value, list) else [value]
        rows = NAMED[name].objects.in_bulk(ids)
        return ", ".join(str(rows.get(pk, pk)) for pk in ids)
    if name == "offers":
        return ", ".join(f"{each['value']} {each['unit']} {each['kind']}" for each in value)
    if name == "arms":
        return ", ".join(f"{each['name']} ({each['weight']:g})" for each in value)
    return str(value)[:MOST_SHOWN]
