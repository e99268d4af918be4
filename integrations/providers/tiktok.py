"""TikTok custom audiences, filled through segment mappings.

https://business-api.tiktok.com/portal/docs: `segment/audience` makes an audience, `segment/mapping` adds (`add`) and
takes away (`delete`) rows of identifiers in the order of `id_schema`. Every answer is a 200 with a `code`; 0 is a
yes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from common.errors import Transient
from integrations.domain import identifiers
from integrations.providers.contract import (
    EMAIL,
    PHONE,
    Account,
    AccountRefused,
    Provider,
    Record,
    Setting,
    ask,
)

VERSION = "open_api/v1.3"
SCHEMA = {EMAIL: "EMAIL_SHA256", PHONE: "PHONE_SHA256"}
TOO_OFTEN = {40100, 40133}
SERVER_TROUBLE = 50000  # and above


def _make_audience(account: Account, name: str) -> str:
    body = {"advertiser_id": account["advertiser_id"], "custom_audience_name": name, "action": "create"}
    made = _call(account, "segment/audience/", body).get("audience_id")
    if not made:
        raise Transient("TikTok made no audience and did not say why.")
    return str(made)


def _push(account: Account, audience_id: str, records: Sequence[Record], *, is_removal: bool) -> Mapping[int, str]:
    rows = [[_cell(record[kind], audience_id) for kind in SCHEMA] for record in records]
    body = {
        "advertiser_ids": [account["advertiser_id"]],
        "action": "delete" if is_removal else "add",
        "id_schema": list(SCHEMA.values()),
        "batch_data": rows,
    }
    _call(account, "segment/mapping/", body)
    return {}


def _cell(value: str, audience_id: str) -> dict[str, Any]:
    return {"id": value, "audience_ids": [audience_id]} if value else {}


def _call(account: Account, path: str, body: Any) -> dict[str, Any]:
    headers = {"Access-Token": account["access_token"]}
    url = f"{account.address}/{VERSION}/{path}"
    found = ask("POST", url, headers=headers, body=body, told=lambda said: str(said.get("message", ""))).json
    code = found.get("code") if isinstance(found, dict) else None
    if not isinstance(found, dict) or not isinstance(code, int):
        raise Transient("TikTok answered with something that is not its JSON.")
    sentence = f"{code}: {found.get('message', '')}"[:280]
    if code in TOO_OFTEN or code >= SERVER_TROUBLE:
        raise Transient(sentence)
    if code != 0:
        raise AccountRefused(sentence)
    data = found.get("data")
    return data if isinstance(data, dict) else {}


TIKTOK = Provider(
    label="TikTok custom audiences",
    settings=(
        Setting("advertiser_id", "Advertiser id"),
        Setting("access_token", "Access token", "With the permission Audience Management.", is_secret=True),
    ),
    address="https://business-api.tiktok.com",
    normalisers={EMAIL: identifiers.bare_email, PHONE: identifiers.e164},
    make_audience=_make_audience,
    push=_push,
    most_records=10_000,
)
