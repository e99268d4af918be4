"""LinkedIn matched audiences: users streamed into a DMP segment.

https://learn.microsoft.com/linkedin/marketing/matched-audiences/create-and-manage-segment-users: BATCH_CREATE of
elements with an action each; every element has a status of its own in the answer. E-mail only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from common.errors import Transient
from integrations.domain import identifiers
from integrations.providers.contract import EMAIL, Account, Provider, Record, Setting, ask, busy

VERSION = "202601"
READY_SECONDS = 15  # a new segment takes users after a few seconds


def _told(found: Any) -> str:
    return str(found.get("message", ""))


def _make_audience(account: Account, name: str) -> str:
    owner = f"urn:li:sponsoredAccount:{account['account_id']}"
    body = {"account": owner, "accessPolicy": "PRIVATE", "name": name, "sourcePlatform": "API", "type": "USER"}
    body_with_places = body | {"destinations": [{"destination": "LINKEDIN"}]}
    url = f"{account.address}/rest/dmpSegments"
    answer = ask("POST", url, headers=_headers(account), body=body_with_places, told=_told)
    made = answer.headers.get("x-restli-id") or answer.headers.get("x-linkedin-id")
    if not made:
        raise Transient("LinkedIn made no segment and did not say why.")
    return made


def _push(account: Account, audience_id: str, records: Sequence[Record], *, is_removal: bool) -> Mapping[int, str]:
    action = "REMOVE" if is_removal else "ADD"
    elements = [
        {"action": action, "userIds": [{"idType": "SHA256_EMAIL", "idValue": record[EMAIL]}]} for record in records
    ]
    url = f"{account.address}/rest/dmpSegments/{audience_id}/users"
    headers = _headers(account) | {"X-RestLi-Method": "BATCH_CREATE"}
    answer = ask("POST", url, headers=headers, body={"elements": elements}, told=_told)
    found = answer.json
    told = found.get("elements") if isinstance(found, dict) else None
    if not isinstance(told, list) or len(told) != len(records):
        raise Transient("LinkedIn did not answer for every record.")
    statuses = [each.get("status", 0) if isinstance(each, dict) else 0 for each in told]
    if any(status == 429 or status >= 500 for status in statuses):
        raise busy("LinkedIn asks for patience with some of the records.", answer)
    return {place: _reason(told[place]) for place, status in enumerate(statuses) if not 200 <= status < 300}


def _reason(element: Any) -> str:
    error = element.get("error") if isinstance(element, dict) else None
    return str((error or {}).get("message") or "refused")[:280]


def _headers(account: Account) -> dict[str, str]:
    return {
        "Authorization": f"Bearer {account['access_token']}",
        "LinkedIn-Version": VERSION,
        "X-Restli-Protocol-Version": "2.0.0",
    }


LINKEDIN = Provider(
    label="LinkedIn matched audiences",
    settings=(
        Setting("account_id", "Ad account", "Its number."),
        Setting("access_token", "Access token", "With the permission rw_dmp_segments.", is_secret=True),
    ),
    address="https://api.linkedin.com",
    normalisers={EMAIL: identifiers.lower_email},
    make_audience=_make_audience,
    push=_push,
    most_records=5_000,
)
