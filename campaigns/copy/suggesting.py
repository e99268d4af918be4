"""What the assistant does when somebody asks: read the message, write, check, rank, recommend one, keep the log."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from django.db import transaction

from accounts import actor
from campaigns.copy import conditional, endpoint, reading, spending, writing
from campaigns.copy.conditional import Branch
from campaigns.copy.features import plain
from campaigns.copy.forms import FORMS, STATES
from campaigns.copy.learning import Judge, judge_for
from campaigns.copy.material import ADDRESS, MOST_TEXT, Material
from campaigns.copy.reasons import notes, reasons
from campaigns.copy.states import Mood
from campaigns.copy.writing import INBOX, PREHEADER, Brief, Line
from campaigns.models import CopyKind, CopyRequest, CopySettings, EmailTemplate
from campaigns.services.composing import Draft
from common import clock
from common.errors import Conflict, Invalid

# Letters of a short text: what fits into one SMS, what phones show of a push.
LONGEST_TEXT = {"sms": 160, "whatsapp": 300, "push": 150, "in_app": 200}
LONGEST_REASON = 300


@dataclass(frozen=True)
class Ask:
    """What somebody wants written. `draft` of a mail, `fields` of a message of another channel."""

    kind: str
    draft: Draft = field(default_factory=Draft)
    fields: dict[str, Any] = field(default_factory=dict)
    channel: str = "email"
    locale: str = ""
    template: EmailTemplate | None = None
    mood: Mood = field(default_factory=Mood)
    shown: frozenset[str] = frozenset()
    state_segments: dict[str, int] = field(default_factory=dict)  # state → the segment that means it

    @property
    def own(self) -> str:
        """The wording that stands there now."""
        if self.kind == CopyKind.TEXT:
            return str(self.fields.get("body") or self.fields.get("text") or "")
        return self.draft.subject if self.kind == CopyKind.SUBJECT else self.draft.preheader


@dataclass
class Written:
    """Lines, and how they came about."""

    lines: list[Line]
    source: str = "offline"
    reason: str = ""
    model: str = ""
    asked: dict[str, Any] = field(default_factory=dict)
    said: endpoint.Said = field(default_factory=lambda: endpoint.Said(""))
    cost_micro: int = 0


def suggest(ask: Ask) -> CopyRequest:
    """Up to five lines, ranked, the first recommended; kept as a row. Raises `Invalid` with nothing to go by."""
    began = time.monotonic()
    settings = CopySettings.objects.first() or CopySettings()
    language = writing.language_of(ask.locale)
    if not language:
        sentence = f"The assistant writes English and German, not “{ask.locale}”."
        raise Invalid(sentence, code="unknown_language", details={"locale": sentence})
    material = reading.of_message(ask.fields) if ask.kind == CopyKind.TEXT else reading.of_mail(ask.draft)
    if material.is_empty:
        raise Invalid("The message says nothing yet: write a heading or a sentence first.", code="nothing_to_say")
    brief = _brief(ask, settings, language)
    judge = judge_for(language) if ask.kind == CopyKind.SUBJECT else None
    written = _write(ask, settings, material, brief, judge)
    variants = _variants(written.lines, material, brief, judge, ask.mood)
    if judge is not None and ask.state_segments and variants:
        variants += _by_state(ask, material, brief, judge, variants[0]["text"])
    return _kept(ask, judge, language, written, variants, round(1000 * (time.monotonic() - began)))


def _brief(ask: Ask, settings: CopySettings, language: str) -> Brief:
    longest = {CopyKind.SUBJECT: INBOX, CopyKind.PREHEADER: PREHEADER[1]}.get(CopyKind(ask.kind))
    tail = _tail(ask)
    return Brief(
        language=language,
        state=ask.mood.state,
        is_formal=settings.is_formal,
        avoided=frozenset(word.lower() for word in settings.avoided_words),
        shown=frozenset(plain(each).casefold() for each in (*ask.shown, ask.own) if each),
        longest=longest or LONGEST_TEXT.get(ask.channel, 160) - (len(tail) + 1 if tail else 0),
        takes_name=settings.greets_by_name,
    )


def _tail(ask: Ask) -> str:
    """The link of a short text, which stays as it is."""
    found = ADDRESS.search(ask.own[:MOST_TEXT]) if ask.kind == CopyKind.TEXT else None
    return found[0].strip() if found else ""


def _offline(ask: Ask, material: Material, brief: Brief, judge: Judge | None) -> list[Line]:
    if ask.kind == CopyKind.TEXT:
        return writing.texts(material, brief, _tail(ask))
    if ask.kind == CopyKind.PREHEADER:
        return writing.preheaders(material, brief, ask.draft.subject)
    return writing.subjects(material, brief, judge.scores if judge else lambda lines: [0.0] * len(lines))


# --- writing --------------------------------------------------------------------------------------------------


def _write(ask: Ask, settings: CopySettings, material: Material, brief: Brief, judge: Judge | None) -> Written:
    """By the endpoint where it is switched on; whatever it does not give is written here."""
    written = Written([])
    if endpoint.is_there() and settings.uses_endpoint:
        written = _by_endpoint(ask, settings, material, brief)
    if len(written.lines) < writing.HOW_MANY:
        texts = [line.text for line in written.lines]
        more = (line for line in _offline(ask, material, brief, judge) if not writing.is_like(line.text, texts))
        written.lines = [*written.lines, *more][: writing.HOW_MANY]
    return written


def _by_endpoint(ask: Ask, settings: CopySettings, material: Material, brief: Brief) -> Written:
    asked = endpoint.question(material, brief, ask.kind)
    sent, model = endpoint.body(asked), endpoint.model()
    most = endpoint.most_cost(sent)
    month = spending.reserve(most, settings.monthly_cap_minor)
    if month is None:
        return Written(
            [], reason="The month's budget for the language model is used up, or its last call is under way."
        )
    try:
        said = endpoint.call(sent)
    except endpoint.Refused as refused:
        cost = most if refused.was_sent else 0
        spending.settle(month, most, cost)
        return Written(
            [],
            reason=f"The language model was asked. {refused}"[:LONGEST_REASON],
            model=model,
            asked=asked,
            cost_micro=cost,
        )
    cost = _cost(said, most)
    spending.settle(month, most, cost)
    lines, refused_count = endpoint.lines(said.text, material, brief)
    tail = _tail(ask)
    lines = [Line(f"{line.text} {tail}".strip(), line.form, line.preheader) for line in lines] if tail else lines
    return Written(
        lines, "endpoint" if lines else "offline", _dropped(lines, refused_count), model, asked, said, cost
    )


def _cost(said: endpoint.Said, most: int) -> int:
    """What it cost; what it does not say cost the most it can."""
    if said.input_tokens is None or said.output_tokens is None:
        return most
    return min(most, endpoint.cost(said.input_tokens, said.output_tokens))


def _dropped(lines: Sequence[Line], count: int) -> str:
    if not lines:
        return "The language model answered nothing that may stand: too long, broken, or not what the message says."
    if count:
        return f"{count} of its lines were left out: too long, alike, or claiming what the message does not say."
    return ""


# --- ranking --------------------------------------------------------------------------------------------------


def _variants(
    lines: Sequence[Line], material: Material, brief: Brief, judge: Judge | None, mood: Mood
) -> list[dict[str, Any]]:
    """The lines in order, each with its reasons; the first is recommended."""
    texts = [writing.plain(line.text) for line in lines]
    scores = judge.scores(texts) if judge else [0.0] * len(lines)
    chances = judge.chances(texts, scores) if judge else [None] * len(lines)
    # What a phone cuts is not recommended, however well it ranks.
    rows = sorted(
        zip(lines, scores, chances, strict=True),
        key=lambda row: (row[0].length <= brief.longest, row[1]),
        reverse=True,
    )
    made = [_variant(line, chance, material, brief, judge) for line, _, chance in rows]
    for place, variant in enumerate(made):
        variant["is_recommended"] = place == 0
    if mood.state and mood.asked:
        for variant in made:
            if variant["form"] == "state":
                variant["reasons"].append(f"{mood.share:.0%} of those looked at are {STATES[mood.state]}.")
    return made


def _by_state(ask: Ask, material: Material, brief: Brief, judge: Judge, otherwise: str) -> list[dict[str, Any]]:
    """One subject with a wording for each state that has a segment; nothing when none fits."""
    branches = []
    for state, segment in ask.state_segments.items():
        lines = writing.subjects(material, replace(brief, state=state), judge.scores)
        line = next((each for each in lines if each.form == "state"), None)
        if line is not None:
            branches.append(Branch(state, segment, line.text))
    text, held = conditional.written(branches, otherwise)
    if not held:
        return []
    told = [f"For {STATES[each.state]}: “{writing.readable(each.text)}”." for each in held]
    left_out = [STATES[each.state] for each in branches if each not in held]
    told += [f"No room for {', '.join(left_out)}: they get the last wording."] if left_out else []
    return [
        {
            "text": text, "preheader": "", "form": "state", "label": "A wording for each state",
            "length": conditional.longest(held, otherwise), "chance": None, "is_recommended": False,
            "reasons": [*told, f"For everybody else: “{writing.readable(otherwise)}”."],
        }
    ]  # fmt: skip


def _variant(
    line: Line, chance: float | None, material: Material, brief: Brief, judge: Judge | None
) -> dict[str, Any]:
    told = reasons(line, material, brief, judge)
    return {
        "text": line.text,
        "preheader": line.preheader,
        "form": line.form,
        "label": FORMS[line.form].label,
        "length": line.length,
        "chance": None if chance is None else round(float(chance), 3),
        "reasons": told,
    }


def _kept(
    ask: Ask, judge: Judge | None, language: str, written: Written, variants: list[dict[str, Any]], duration_ms: int
) -> CopyRequest:
    return CopyRequest.objects.create(
        template=ask.template,
        kind=ask.kind,
        language=language,
        state=ask.mood.state,
        asked_by=actor.current().name[:200],
        own=ask.own[:MOST_TEXT],
        source=written.source,
        reason=written.reason,
        model=written.said.model or written.model,
        asked=written.asked,
        answer=written.said.text[:20_000],
        variants=variants,
        input_tokens=min(written.said.input_tokens or 0, 2**31 - 1),
        output_tokens=min(written.said.output_tokens or 0, 2**31 - 1),
        cost_micro=written.cost_micro,
        notes=notes(written.reason, len(written.lines), judge),
        duration_ms=duration_ms,
    )


# --- choosing -------------------------------------------------------------------------------------------------


def choose(request_id: int, variant: int) -> CopyRequest:
    """Note which line was taken; the last choice counts. Raises `Conflict` where there is no such line."""
    with transaction.atomic():
        held = CopyRequest.objects.select_for_update().get(pk=request_id)
        if not 0 <= variant < len(held.variants):
            raise Conflict(f"The request has {len(held.variants)} lines, counted from 0.", code="unknown_variant")
        held.chosen, held.chosen_by, held.chosen_at = variant, actor.current().name[:200], clock.now()
        held.save(update_fields=["chosen", "chosen_by", "chosen_at"])
    return held
