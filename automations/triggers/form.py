"""Somebody filled in a small form of ours."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

import msgspec

from audience.models import Topic
from automations.configuration import Filter, Wrong, says
from automations.triggers.base import TriggerKind
from automations.triggers.event import admits, check_age, key_of
from automations.triggers.webhook import check_key, with_door
from automations.words import quoted

EVENT = "form_submitted"
MOST_FIELDS = 20
LONGEST_LINE, LONGEST_TEXT = 200, 2000
NAME = re.compile(r"[a-z][a-z0-9_]{0,59}")
CONSENT = "consent"  # the box that is ticked
# Who somebody is, is not for a form to say.
RESERVED = ("form", "website", "sent", CONSENT, "automation_id", "message_id", "user_id", "anonymous_id", "device_id")
# What a form may say of somebody it makes; every other answer is an attribute.
STANDARD = frozenset({"email", "name", "phone", "city", "region", "country", "timezone", "locale"})
EXAMPLE = [
    {"name": "email", "label": "E-mail", "kind": "email", "required": True},
    {"name": "company", "label": "Company"},
]


class Question(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`email`, `name`, `phone`, `city` … fill the fields of a new contact, any other name an attribute. Nothing of a
    contact that is there already changes: nobody has proved that the address is theirs."""

    name: Annotated[str, says("Field", "email, name, phone, city, or an attribute of your own.")]
    label: Annotated[str, says("Question")]
    kind: Annotated[
        Literal["line", "email", "text"],
        says("Answer", labels={"line": "One line", "email": "An e-mail address", "text": "Several lines"}),
    ] = "line"
    required: Annotated[bool, says("Needed")] = False


class Configuration(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the form asks and says. One of the questions is the e-mail, by which the contact is known."""

    key: Annotated[
        str, says("Short name", "Part of the address; the same name is the same address.", examples=["newsletter"])
    ]
    title: Annotated[str, says("Title", examples=["Get our newsletter"])]
    questions: Annotated[list[Question], says("Questions", examples=[EXAMPLE])]
    text: Annotated[str, says("Text above", type="long_text")] = ""
    button: Annotated[str, says("Button")] = "Send"
    thanks: Annotated[str, says("Thanks", "Shown when it is sent.", type="long_text")] = "Thank you."
    consent_words: Annotated[
        str,
        says(
            "Box to tick",
            "What they agree to, word for word, such as “Yes, send me your newsletter”. It stands unticked below the"
            " questions, and is kept with the time, the page and the address it came from. Left empty: no box.",
            type="long_text",
        ),
    ] = ""
    consent_topic: Annotated[
        str, says("The box is for", "Left empty: everything by e-mail.", type="choice", source="topic")
    ] = ""
    consent_required: Annotated[bool, says("The box is needed", "Without the tick the form is not taken.")] = False
    within_hours: Annotated[
        int, says("Not older than, hours", "Later ones start nothing.", minimum=1, maximum=8784)
    ] = 24
    filter: Filter = None

    @property
    def name(self) -> str:
        return EVENT


def check(configuration: Configuration, wrong: Wrong) -> None:
    check_key(configuration.key, wrong)
    check_age(configuration.within_hours, wrong)
    for field, longest in (
        ("title", LONGEST_LINE),
        ("button", LONGEST_LINE),
        ("text", LONGEST_TEXT),
        ("thanks", LONGEST_TEXT),
        ("consent_words", LONGEST_TEXT),
    ):
        value = getattr(configuration, field)
        if len(value) > longest or (field in ("title", "button") and not value.strip()):
            wrong(
                field, f"must be {'at most' if field not in ('title', 'button') else '1 to'} {longest:,} characters"
            )
    _check_questions(configuration.questions, wrong)
    _check_consent(configuration, wrong)


def _check_consent(configuration: Configuration, wrong: Wrong) -> None:
    topic = configuration.consent_topic
    if not configuration.consent_words.strip():
        for field in ("consent_topic", "consent_required"):
            if getattr(configuration, field):
                wrong(field, "say first what the box says")
    elif topic and not Topic.objects.filter(slug=topic).exists():
        wrong("consent_topic", f"there is no topic “{topic}”")


def _check_questions(questions: list[Question], wrong: Wrong) -> None:
    if not 1 <= len(questions) <= MOST_FIELDS:
        wrong("questions", f"ask 1 to {MOST_FIELDS} questions")
    seen: set[str] = set()
    for index, question in enumerate(questions[:MOST_FIELDS]):
        if not NAME.fullmatch(question.name) or question.name in RESERVED:
            wrong(f"questions[{index}].name", "must be small letters, digits and _, and no word of ours")
        elif question.name in seen:
            wrong(f"questions[{index}].name", f"“{question.name}” is asked twice")
        if not 1 <= len(question.label.strip()) <= LONGEST_LINE:
            wrong(f"questions[{index}].label", f"must be 1 to {LONGEST_LINE} characters")
        seen.add(question.name)
    if not any(question.name == "email" and question.required for question in questions):
        wrong("questions", "ask for email and make it needed: the contact is known by it")


def sentence(configuration: Configuration) -> str:
    return f"When somebody sends the form {quoted(configuration.title)}"


TRIGGER: TriggerKind[Any] = TriggerKind(
    "Form sent",
    "Starts when somebody fills in a small form that we host.",
    Configuration,
    key=lambda configuration: key_of(EVENT),
    sentence=sentence,
    admits=admits,
    check=check,
    group="From outside",
    where=lambda configuration: with_door("form", configuration.key, []),
)
