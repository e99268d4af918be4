"""From what a caller sends to what is asked: whose words, in which language, for whom."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

from audience.models import MessageChannel
from campaigns.copy import states
from campaigns.copy.conditional import ORDER
from campaigns.copy.states import Mood
from campaigns.copy.suggesting import Ask
from campaigns.models import Campaign, CopyKind, EmailTemplate
from campaigns.selectors.audience import segment_ids
from campaigns.services import composing, wording
from campaigns.services.composing import Draft
from common.errors import Invalid
from segments import selectors as segments

DRAFT_FIELDS = ("subject", "preheader", "blocks", "html", "text", "locale")


def understood(sent: Mapping[str, Any]) -> Ask:
    """What somebody wants written. Raises `Invalid` by field for what is not there."""
    template = _template(sent.get("template_id"))
    channel = sent.get("channel") or (template.channel if template else MessageChannel.EMAIL)
    kind = sent["kind"]
    if (kind == CopyKind.TEXT) != (channel != MessageChannel.EMAIL):
        sentence = "Short texts are for SMS, WhatsApp, push and in-app; e-mails have a subject and a preheader."
        raise Invalid(sentence, details={"kind": sentence})
    draft = _draft(sent, template)
    return Ask(
        kind=kind,
        draft=draft,
        fields=dict(sent.get("says") or (template.fields if template else {})),
        channel=channel,
        locale=draft.locale,
        template=template,
        mood=_mood(sent),
        shown=frozenset(sent.get("shown", ())),
        state_segments=_state_segments(sent.get("state_segments", {})),
    )


def _template(template_id: int | None) -> EmailTemplate | None:
    if template_id is None:
        return None
    found = EmailTemplate.objects.filter(pk=template_id).first()
    if found is None:
        raise Invalid("There is no such template.", details={"template_id": "There is no such template."})
    return found


def _draft(sent: Mapping[str, Any], template: EmailTemplate | None) -> Draft:
    """The template's words with those sent in their place; HTML that is sent means that there are no blocks."""
    draft = composing.draft_from(wording.words_of(template)) if template and wording.is_mail(template) else Draft()
    changes = {name: sent[name] for name in DRAFT_FIELDS if name in sent}
    if "html" in changes and "blocks" not in changes:
        changes["blocks"] = None
    return replace(draft, **changes)


def _mood(sent: Mapping[str, Any]) -> Mood:
    if "state" in sent:
        return Mood(sent["state"])
    if "campaign_id" in sent:
        campaign = Campaign.objects.filter(pk=sent["campaign_id"]).first()
        if campaign is None:
            raise Invalid("There is no such campaign.", details={"campaign_id": "There is no such campaign."})
        chosen = segment_ids(campaign)
        return states.of_segments(chosen.include, chosen.exclude) if chosen.include else Mood()
    return _mood_of(sent.get("segments", ()))


def _state_segments(asked: Mapping[str, int]) -> dict[str, int]:
    if wrong := sorted(set(asked) - set(ORDER)):
        sentence = f"There is no state {', '.join(wrong)}; there are {', '.join(ORDER)}."
        raise Invalid(sentence, details={"state_segments": sentence})
    _check_segments(asked.values(), "state_segments")
    return dict(asked)


def _check_segments(asked: Collection[int], place: str) -> None:
    missing = sorted(set(asked) - segments.existing(set(asked)))
    if missing:
        sentence = f"There is no segment {', '.join(map(str, missing))}."
        raise Invalid(sentence, details={place: sentence})


def _mood_of(asked: Sequence[int]) -> Mood:
    _check_segments(asked, "segments")
    return states.of_segments(asked) if asked else Mood()
