"""What a campaign was when somebody opened it, worked out from the audit log; and what two edits make together."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from copy import copy
from dataclasses import asdict, dataclass, replace
from decimal import Decimal
from typing import Any

from django.db.models import DecimalField

from accounts import audit
from accounts.models import AuditEntry
from campaigns.domain.merging import Merge, three_way
from campaigns.models import Campaign
from campaigns.services import campaigns
from campaigns.services.campaigns import Audience
from campaigns.services.offer_drafts import OfferDraft
from common.errors import Conflict
from experiments.services import ArmDraft

MOST_EDITS = 200
OFFER_PLACES = 2


@dataclass(frozen=True)
class Edit:
    """What somebody wants to write, as `update_campaign` takes it; None: untouched."""

    changes: Mapping[str, Any]
    audience: Audience | None = None
    offers: Sequence[OfferDraft] | None = None
    arms: Sequence[ArmDraft] | None = None

    def only(self, names: set[str]) -> Edit:
        """Just these parts of it; the audience is one part, though it is compared in two."""
        return Edit(
            {name: value for name, value in self.changes.items() if name in names},
            self.audience if names & {"include", "exclude"} else None,
            self.offers if "offers" in names else None,
            self.arms if "arms" in names else None,
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
    return Merged(three_way(base, theirs, mine, theirs.keys()), _names(entries), campaign.version)


@contextmanager
def mergeable(
    campaign: Campaign, edit: Edit, opened_version: int | None, current: Callable[[], Mapping[str, Any]]
) -> Iterator[None]:
    """Where the block is refused because somebody was quicker, say in `details` what a client needs to merge."""
    try:
        yield
    except Conflict as error:
        if error.code == "version_conflict" and opened_version is not None:
            stored = Campaign.objects.get(pk=campaign.pk)
            error.details |= {"current": current()} | _told(merged(stored, edit, opened_version))
        raise


def _told(found: Merged | None) -> dict[str, Any]:
    """Nothing where the log does not reach back."""
    if found is None:
        return {}
    theirs = [*found.merge.kept, *found.merge.clashes]
    return {
        "changed": {one.name: one.base for one in theirs if one.name not in ("version", "updated_at")},
        "clashes": [one.name for one in found.merge.clashes],
    }


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
        setattr(imagined, name, _as_stored(name, value))
    whole = audit.snapshot(imagined)
    pictured = {name: whole[name] for name in edit.changes}
    if edit.audience is not None:
        pictured |= {"include": sorted(edit.audience.include), "exclude": sorted(edit.audience.exclude)}
    if edit.offers is not None:
        offers = [replace(offer, value=round(Decimal(offer.value), OFFER_PLACES)) for offer in edit.offers]
        pictured["offers"] = [{key: str(value) for key, value in asdict(offer).items()} for offer in offers]
    if edit.arms is not None:
        pictured["arms"] = [asdict(arm) for arm in edit.arms]
    return pictured


def _as_stored(name: str, value: Any) -> Any:
    """A decimal with the digits that the database keeps, so that 0 and 0.0 are no difference."""
    field = Campaign._meta.get_field(name.removesuffix("_id"))
    if isinstance(field, DecimalField) and value is not None:
        return round(Decimal(value), field.decimal_places)
    return value


def _names(entries: Sequence[AuditEntry]) -> list[str]:
    return list(dict.fromkeys(entry.actor for entry in reversed(entries)))
