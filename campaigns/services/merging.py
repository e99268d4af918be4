"""What a campaign was when somebody opened it, worked out from the audit log; and what two edits make together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import asdict, dataclass
from typing import Any

from accounts import audit
from accounts.models import AuditEntry
from campaigns.domain.merging import Merge, three_way
from campaigns.models import Campaign
from campaigns.services import campaigns
from campaigns.services.campaigns import Audience
from campaigns.services.offer_drafts import OfferDraft

MOST_EDITS = 200


@dataclass(frozen=True)
class Edit:
    """What somebody wants to write: fields, audience and offers (None: untouched), as `update_campaign` takes them."""

    changes: Mapping[str, Any]
    audience: Audience | None = None
    offers: Sequence[OfferDraft] | None = None

    def only(self, names: set[str]) -> Edit:
        """Just these parts of it; the audience is one part, though it is compared in two."""
        return Edit(
            {name: value for name, value in self.changes.items() if name in names},
            self.audience if names & {"include", "exclude"} else None,
            self.offers if "offers" in names else None,
        )


@dataclass(frozen=True)
class Merged:
    """A merge, who changed the campaign meanwhile, and the version that it is based on."""

    merge: Merge
    who: list[str]
    version: int


def merged(campaign: Campaign, edit: Edit, opened_version: int) -> Merged | None:
    """Compare an edit of `opened_version` with what was changed since; None when the log does not reach back."""
    theirs = campaigns.picture(campaign)
    entries = _since(campaign, opened_version)
    base = dict(theirs)
    for entry in entries:  # the newest first
        base |= entry.before or {}
    if base["version"] != opened_version:
        return None
    mine = _pictured(campaign, edit)
    if edit.audience is not None and len(entries) and _audience(mine) == _audience(base):
        mine |= _audience(base)
    return Merged(three_way(base, theirs, mine, mine.keys()), _names(entries), campaign.version)


def _since(campaign: Campaign, opened_version: int) -> list[AuditEntry]:
    """Edits after the one that made `opened_version`, the newest first."""
    entries = AuditEntry.objects.filter(object_type=campaign._meta.label_lower, object_id=str(campaign.pk))
    found = []
    for entry in entries.order_by("-pk")[:MOST_EDITS]:
        version = (entry.after or {}).get("version")
        if version is not None and version <= opened_version:
            break
        found.append(entry)
    return found


def _pictured(campaign: Campaign, edit: Edit) -> dict[str, Any]:
    """The fields of the edit as the audit log would write them."""
    imagined = copy(campaign)
    for name, value in edit.changes.items():
        setattr(imagined, name, value)
    whole = audit.snapshot(imagined)
    pictured = {name: whole[name] for name in edit.changes}
    if edit.audience is not None:
        pictured |= {"include": sorted(edit.audience.include), "exclude": sorted(edit.audience.exclude)}
    if edit.offers is not None:
        pictured["offers"] = [{key: str(value) for key, value in asdict(offer).items()} for offer in edit.offers]
    return pictured


def _audience(picture: Mapping[str, Any]) -> dict[str, Any]:
    return {name: picture.get(name) for name in ("include", "exclude")}


def _names(entries: Sequence[AuditEntry]) -> list[str]:
    return list(dict.fromkeys(entry.actor for entry in reversed(entries)))
