"""May this contact be written to on a channel? The last word of the ledger, as delivery reads it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from audience.models import MessageChannel
from audience.selectors import LATEST_CONSENT
from segments.rules import values
from segments.rules.catalogue import Catalogue
from segments.rules.conditions.base import Condition, Misplaced, choices, operator_of
from segments.rules.inputs import Input
from segments.rules.operands import Row
from segments.rules.parameters import NOW, ORGANIZATION, Parameters
from segments.rules.tree import ConsentRule

OPERATORS = {"granted": "has agreed to", "not_granted": "has not agreed to"}
CHANNELS: dict[str, str] = {
    MessageChannel.EMAIL.value: "e-mail",
    MessageChannel.SMS.value: "SMS",
    MessageChannel.PUSH.value: "push",
    MessageChannel.IN_APP.value: "in-app messages",
    MessageChannel.WHATSAPP.value: "WhatsApp",
    MessageChannel.SLACK.value: "Slack",
    MessageChannel.WEBHOOK.value: "webhooks",
}


def _read(raw: Mapping[str, Any], known: Catalogue, is_stored: bool) -> ConsentRule:
    operator = operator_of(raw, OPERATORS)
    channel = raw["consent"]
    if not isinstance(channel, str) or channel not in MessageChannel.values:
        told = f"unknown channel {values.shown(channel)}; known: {', '.join(MessageChannel.values)}"
        raise Misplaced("consent", told)
    slug = raw.get("topic")
    if slug is None:
        return ConsentRule(channel, operator)
    topic = known.topics.get(slug) if isinstance(slug, str) else None
    if topic is None:
        raise Misplaced(
            "topic", f"unknown topic {values.shown(slug)}; known: {', '.join(sorted(known.topics)) or 'none'}"
        )
    return ConsentRule(channel, operator, topic.id, topic.name)


def _truth(rule: ConsentRule, row: Row, parameters: Parameters) -> str:
    """Of the words about all topics and about this one the latest counts. Plan: one pass of consent_latest."""
    if parameters.moment:
        return _past_truth(rule, row, parameters)
    topics = _topics(rule, parameters)
    among = f"AND entry.contact_id {row.among} " if row.among else ""
    agreed = (
        "SELECT last.contact_id FROM (SELECT DISTINCT ON (entry.contact_id) entry.contact_id, entry.state "
        f"FROM audience_consent entry WHERE entry.organization_id = {ORGANIZATION} {among}"
        f"AND entry.channel = {parameters.bind(rule.channel, 'text')} AND {topics} "
        f"ORDER BY entry.contact_id, {LATEST_CONSENT}) last WHERE last.state = 'granted'"
    )
    return f"{row.alias}.id {'NOT IN' if rule.operator == 'not_granted' else 'IN'} ({agreed})"


def _topics(rule: ConsentRule, parameters: Parameters) -> str:
    if rule.topic_id is None:
        return "entry.topic_id IS NULL"
    return f"(entry.topic_id IS NULL OR entry.topic_id = {parameters.bind(rule.topic_id, 'bigint')})"


def _entries(rule: ConsentRule, row: Row, parameters: Parameters) -> str:
    return (
        f"FROM audience_consent entry WHERE entry.organization_id = {ORGANIZATION} "
        f"AND entry.contact_id = {row.alias}.id AND entry.channel = {parameters.bind(rule.channel, 'text')} "
        f"AND {_topics(rule, parameters)}"
    )


def _past_truth(rule: ConsentRule, row: Row, parameters: Parameters) -> str:
    """As the ledger stood at the contact's moment. Plan: one probe of consent_latest each."""
    last = f"SELECT entry.state {_entries(rule, row, parameters)} AND entry.happened_at <= {NOW}"
    granted = f"coalesce(({last} ORDER BY {LATEST_CONSENT} LIMIT 1) = 'granted', false)"
    return f"NOT {granted}" if rule.operator == "not_granted" else granted


def _turns(rule: ConsentRule, row: Row, parameters: Parameters) -> str:
    """When the contact next said something about it."""
    return f"(SELECT min(entry.happened_at) {_entries(rule, row, parameters)} AND entry.happened_at > {NOW})"


def _words(rule: ConsentRule) -> str:
    about = f" about “{rule.topic}”" if rule.topic else ""
    return f"the contact {OPERATORS[rule.operator]} {CHANNELS[rule.channel]}{about}"


def _inputs(known: Catalogue) -> tuple[Input, ...]:
    topics = {slug: topic.name for slug, topic in sorted(known.topics.items())}
    return (
        Input("consent", "choice", "Channel", choices=choices(CHANNELS)),
        Input("topic", "choice", "Topic", is_required=False, choices=choices(topics)),
    )


def _fields(rule: ConsentRule) -> set[str]:
    """The word under which `audience` announces a change of consent."""
    return {f"consent.{rule.channel}"}


CONSENT: Condition[ConsentRule] = Condition(
    "Consent", ("consent", "operator", "topic"), OPERATORS, _inputs, _read, _truth, _words, _fields, turns=_turns
)
