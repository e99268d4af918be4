"""Meta Custom Audiences: customer lists by hashed e-mail and phone.

https://developers.facebook.com/docs/marketing-api/audiences/guides/custom-audiences: up to 10,000 rows a request,
keys EMAIL and PHONE hashed with SHA-256, POST adds and DELETE takes away; `num_invalid_entries` counts rows it
cannot read.
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

VERSION = "v25.0"
KEYS = (EMAIL, PHONE)
# Codes of throttling and of passing trouble (https://developers.facebook.com/docs/graph-api/guides/error-handling).
PASSING = {1, 2, 4, 17, 32, 341, 368, 613, 80003}
WAIT_SECONDS = 300


def _told(found: Any) -> str:
    error = found.get("error")
    if not isinstance(error, dict):
        return ""
    if error.get("is_transient") is True or error.get("code") in PASSING:
        raise Transient(str(error.get("message"))[:280], retry_after_seconds=WAIT_SECONDS)
    return str(error.get("error_user_msg") or error.get("message") or "")


def _make_audience(account: Account, name: str) -> str:
    body = {"name": name, "subtype": "CUSTOM", "customer_file_source": "USER_PROVIDED_ONLY"}
    url = f"{account.address}/{VERSION}/act_{account['account_id'].removeprefix('act_')}/customaudiences"
    found = ask("POST", url, headers=_headers(account), body=body, told=_told).json
    if not isinstance(found, dict) or not found.get("id"):
        raise Transient("Meta made no audience and did not say why.")
    return str(found["id"])


def _push(account: Account, audience_id: str, records: Sequence[Record], *, is_removal: bool) -> Mapping[int, str]:
    payload = {"schema": [key.upper() for key in KEYS], "data": [[record[key] for key in KEYS] for record in records]}
    url = f"{account.address}/{VERSION}/{audience_id}/users"
    method = "DELETE" if is_removal else "POST"
    found = ask(method, url, headers=_headers(account), body={"payload": payload}, told=_told).json
    if not isinstance(found, dict) or "num_received" not in found:
        raise Transient("Meta answered without saying what it took.")
    if int(found.get("num_invalid_entries") or 0) < len(records):
        return {}  # it counts rows it cannot read and names samples, not places
    raise AccountRefused("Meta could read none of the records; look whether this is a customer list audience.")


def _headers(account: Account) -> dict[str, str]:
    return {"Authorization": f"Bearer {account['access_token']}"}


META = Provider(
    label="Meta Custom Audiences",
    settings=(
        Setting("account_id", "Ad account", "The number of the ad account, with or without act_."),
        Setting("access_token", "Access token", "Of a system user with ads_management.", is_secret=True),
    ),
    address="https://graph.facebook.com",
    normalisers={EMAIL: identifiers.lower_email, PHONE: identifiers.digits},
    make_audience=_make_audience,
    push=_push,
    most_records=10_000,
)
