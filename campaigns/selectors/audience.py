"""Who a campaign addresses: the set, and how many of it delivery would refuse today."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from campaigns.models import Campaign
from common import tenancy

# Everybody living in any chosen segment and in none of those left out. `DISTINCT` because people stand in several.
CONTACTS_SQL = """
SELECT DISTINCT membership.contact_id
FROM segments_membership membership
JOIN audience_contact contact ON contact.id = membership.contact_id
WHERE membership.organization_id = %(organization)s AND membership.left_at IS NULL
  AND membership.segment_id = ANY(%(include)s)
  AND contact.organization_id = %(organization)s AND contact.merged_into_id IS NULL
  AND NOT EXISTS (
      SELECT 1 FROM segments_membership excluded
      WHERE excluded.organization_id = %(organization)s AND excluded.left_at IS NULL
        AND excluded.segment_id = ANY(%(exclude)s) AND excluded.contact_id = membership.contact_id)
"""


@dataclass(frozen=True)
class Chosen:
    """Ids of the segments that are in and out."""

    include: list[int] = field(default_factory=list)
    exclude: list[int] = field(default_factory=list)


def segment_ids(campaign: Campaign) -> Chosen:
    """The campaign's segments, in and out."""
    rows = list(campaign.audience.order_by("segment_id").values_list("segment_id", "is_excluded"))
    return Chosen([pk for pk, out in rows if not out], [pk for pk, out in rows if out])


def parameters(chosen: Chosen) -> dict[str, Any]:
    """What CONTACTS_SQL binds."""
    return {"organization": tenancy.required(), "include": chosen.include, "exclude": chosen.exclude}
