"""Google Ads Customer Match: user lists, filled by offline user data jobs.

https://developers.google.com/google-ads/api/docs/remarketing/audience-segments/customer-match: a job is created for
a list, takes operations (`create`, `remove`) of up to 10,000 identifiers a request and is run. With partial failure
each refused operation is named by its place in the status' details. Members without consent must not be sent, so all
that are sent carry it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

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

VERSION = "v24"
TOKEN_ADDRESS = "https://oauth2.googleapis.com"  # noqa: S105 — an address, no secret
FIELDS = {EMAIL: "hashedEmail", PHONE: "hashedPhoneNumber"}
LONGEST_DAYS = 540  # of a membership: the most Google Ads allows
CONSENT = {"adUserData": "GRANTED", "adPersonalization": "GRANTED"}


def _told(found: Any) -> str:
    error = found.get("error")
    if isinstance(error, str):  # of the token's endpoint
        return f"{error}: {found.get('error_description', '')}"
    if not isinstance(error, dict):
        return ""
    for detail in error.get("details") or []:
        for each in detail.get("errors") or []:
            if isinstance(each, dict) and each.get("message"):
                return str(each["message"])
    return str(error.get("message", ""))


def _make_audience(account: Account, name: str) -> str:
    made = {"name": name, "membershipLifeSpan": LONGEST_DAYS, "crmBasedUserList": {"uploadKeyType": "CONTACT_INFO"}}
    body = {"operations": [{"create": made}]}
    found = _call(account, _headers(account), f"{_customer(account)}/userLists:mutate", body)
    try:
        return str(found["results"][0]["resourceName"])
    except (KeyError, IndexError, TypeError) as error:
        raise Transient("Google Ads made no user list and did not say why.") from error


def _push(account: Account, audience_id: str, records: Sequence[Record], *, is_removal: bool) -> Mapping[int, str]:
    headers = _headers(account)
    metadata = {"userList": audience_id, **({} if is_removal else {"consent": CONSENT})}
    job = {"type": "CUSTOMER_MATCH_USER_LIST", "customerMatchUserListMetadata": metadata}
    path = f"{_customer(account)}/offlineUserDataJobs:create"
    name = str(_call(account, headers, path, {"job": job}).get("resourceName", ""))
    if not name:
        raise Transient("Google Ads made no upload job and did not say why.")
    change = "remove" if is_removal else "create"
    operations = [{change: {"userIdentifiers": list(_identifiers(record))}} for record in records]
    body = {"operations": operations, "enablePartialFailure": True}
    found = _call(account, headers, f"{name}:addOperations", body)
    refused = dict(_refused(found.get("partialFailureError")))
    if len(refused) < len(records):
        _call(account, headers, f"{name}:run", {})
    return refused


def _identifiers(record: Record) -> Iterator[dict[str, str]]:
    """One object an identifier: two in one object would overwrite each other."""
    for kind, field in FIELDS.items():
        if record[kind]:
            yield {field: record[kind]}


def _refused(failure: Any) -> Iterator[tuple[int, str]]:
    """Places and sentences of a google.rpc.Status with GoogleAdsFailure details."""
    for detail in (failure or {}).get("details") or []:
        for error in detail.get("errors") or []:
            path = (error.get("location") or {}).get("fieldPathElements") or []
            places = [step.get("index", 0) for step in path if step.get("fieldName") == "operations"]
            if places:
                yield int(places[0]), str(error.get("message", "refused"))


def _customer(account: Account) -> str:
    return f"customers/{account['customer_id'].replace('-', '')}"


def _call(account: Account, headers: Mapping[str, str], path: str, body: Any) -> dict[str, Any]:
    found = ask("POST", f"{account.address}/{VERSION}/{path}", headers=headers, body=body, told=_told).json
    if not isinstance(found, dict):
        raise Transient("Google Ads answered with something that is not JSON.")
    return found


def _headers(account: Account) -> dict[str, str]:
    """With a fresh access token: they live for an hour, and a push every few minutes needs no cache."""
    form = {"grant_type": "refresh_token", "client_id": account["client_id"]}
    form |= {"client_secret": account["client_secret"], "refresh_token": account["refresh_token"]}
    sent = {"Content-Type": "application/x-www-form-urlencoded"}
    found = ask("POST", f"{TOKEN_ADDRESS}/token", headers=sent, raw=urlencode(form).encode(), told=_told).json
    token = found.get("access_token") if isinstance(found, dict) else None
    if not token:
        raise AccountRefused("Google gave no access token for this refresh token.")
    headers = {"Authorization": f"Bearer {token}", "developer-token": account["developer_token"]}
    manager = account["login_customer_id"].replace("-", "")
    return headers | ({"login-customer-id": manager} if manager else {})


GOOGLE_ADS = Provider(
    label="Google Ads Customer Match",
    settings=(
        Setting("customer_id", "Customer id", "Of the account that owns the list, such as 123-456-7890."),
        Setting("login_customer_id", "Manager account", "When you sign in through one.", is_required=False),
        Setting("client_id", "OAuth client id"),
        Setting("client_secret", "OAuth client secret", is_secret=True),
        Setting("refresh_token", "Refresh token", "With the scope adwords.", is_secret=True),
        Setting("developer_token", "Developer token", is_secret=True),
    ),
    address="https://googleads.googleapis.com",
    normalisers={EMAIL: identifiers.lower_email, PHONE: identifiers.e164},
    make_audience=_make_audience,
    push=_push,
    most_records=5_000,  # with two identifiers each: 10,000 a request
)
