"""What a workflow names by number here and by name elsewhere: templates, segments, colleagues, offers, workflows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from functools import cached_property
from typing import Any

from accounts.models import Member
from automations.models import Automation
from campaigns.models import Campaign, EmailTemplate, Offer
from segments.models import Segment

Table = dict[int, str]
NOUNS = {
    "template": "template", "segment": "segment", "member": "colleague", "members": "colleague", "offer": "offer",
    "campaign": "campaign", "automation": "workflow",
}  # fmt: skip


class Names:
    """The names of this organisation, each kind asked once."""

    def name_of(self, kind: str, number: int) -> str | None:
        """What stands for a number in a file; None where there is no such row."""
        return self._table(kind).get(number)

    def number_of(self, kind: str, name: str) -> int | None:
        """What a name stands for here; None where there is no such row."""
        return self._numbers(kind).get(name)

    def _table(self, kind: str) -> Table:
        return {
            "template": self._templates, "segment": self._segments, "member": self._members,
            "members": self._members, "offer": self._offers, "campaign": self._campaigns,
            "automation": self._automations,
        }[kind]  # fmt: skip

    def _numbers(self, kind: str) -> dict[str, int]:
        return {name: number for number, name in self._table(kind).items()}

    @cached_property
    def _templates(self) -> Table:
        return dict(EmailTemplate.objects.values_list("pk", "slug"))

    @cached_property
    def _segments(self) -> Table:
        return dict(Segment.objects.values_list("pk", "slug"))

    @cached_property
    def _automations(self) -> Table:
        return dict(Automation.objects.values_list("pk", "slug"))

    @cached_property
    def _members(self) -> Table:
        return dict(Member.objects.filter(is_active=True).values_list("pk", "user__email"))

    @cached_property
    def _campaigns(self) -> Table:
        return dict(_counted(Campaign.objects.order_by("pk").values_list("pk", "name")))

    @cached_property
    def _offers(self) -> Table:
        """Offers have no name of their own: that of the campaign and what they give, counted where two are alike."""
        offers = Offer.objects.select_related("campaign").order_by("pk")
        return dict(_counted((offer.pk, f"{offer.campaign}: {offer}") for offer in offers))


def _counted(named: Iterable[tuple[int, str]]) -> Iterator[tuple[int, str]]:
    met: Counter[str] = Counter()
    for number, name in named:
        met[name] += 1
        yield number, name if met[name] == 1 else f"{name} #{met[name]}"


class Kinds:
    """In the place of the rows one may choose from: what kind of row a field names."""

    def of(self, told: str, extra: dict[str, Any]) -> list[dict[str, Any]]:
        return [{"kind": told}] if told in NOUNS else []


# One value in the place of another: (kind, value, place) → value.
Exchange = Callable[[str, Any, str], Any]


def exchanged(fields: list[dict[str, Any]], values: Any, place: str, exchange: Exchange) -> Any:
    """A configuration with every reference in it exchanged; `fields` as the catalogue describes them to `Kinds`."""
    if not isinstance(values, dict):
        return values
    described = {field["name"]: field for field in fields}
    return {
        key: _field(described[key], value, f"{place}.{key}", exchange) if key in described else value
        for key, value in values.items()
    }


def _field(field: dict[str, Any], value: Any, place: str, exchange: Exchange) -> Any:
    kind = next((choice["kind"] for choice in field["choices"] if "kind" in choice), field["type"])
    if kind == "members" and isinstance(value, list):
        return [exchange(kind, item, f"{place}[{index}]") for index, item in enumerate(value)]
    if kind in NOUNS and value is not None:
        return exchange(kind, value, place)
    if kind == "rule":
        return rule_exchanged(value, place, exchange)
    if kind == "object":
        return exchanged(field["fields"], value, place, exchange)
    if kind == "list" and field["fields"] and isinstance(value, list):
        return [exchanged(field["fields"], item, f"{place}[{index}]", exchange) for index, item in enumerate(value)]
    return value


def rule_exchanged(rule: Any, place: str, exchange: Exchange) -> Any:
    """A segment rule with the segments and colleagues in it exchanged."""
    if not isinstance(rule, dict):
        return rule
    if isinstance(rule.get("rules"), list):
        inner = [
            rule_exchanged(item, f"{place}.rules[{index}]", exchange) for index, item in enumerate(rule["rules"])
        ]
        return rule | {"rules": inner}
    if "segment" in rule and "operator" in rule:
        return rule | {"segment": exchange("segment", rule["segment"], f"{place}.segment")}
    if rule.get("field") == "assignee" and "value" in rule:
        return rule | {"value": _members(rule["value"], f"{place}.value", exchange)}
    return rule


def _members(value: Any, place: str, exchange: Exchange) -> Any:
    if isinstance(value, list):
        return [exchange("member", item, f"{place}[{index}]") for index, item in enumerate(value)]
    return exchange("member", value, place)
