"""The rhetorical forms in which a message can be announced, in the languages the assistant writes.

A form is tried with each of its wordings; one is usable when the message has every piece that it names. Slots:
headline, product, other (a second product), offer, deadline, counted, count (of products), sentence, asked, action,
code, name. `[du|Sie]` is the familiar and the formal way to say it.

To add a language: a module with a `Language` that has the same forms, its line in `languages`, its cases in
tests/test_copy_writing.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

NAME = "{{{{ contact.first_name|default('{stand_in}') }}}}"


@dataclass(frozen=True)
class Form:
    """`reason` finishes the sentence “Recommended because it …”. `needs` is a piece that makes the form true."""

    label: str
    reason: str
    needs: str = ""


FORMS: dict[str, Form] = {
    "benefit": Form("Benefit", "says what is in it for the reader"),
    "offer": Form("Offer", "names the offer", "offer"),
    "number": Form("Number", "names a number"),
    "question": Form("Question", "asks a question"),
    "urgency": Form("Deadline", "says until when, as the message does", "deadline"),
    "personal": Form("Personal", "greets the reader by name"),
    "news": Form("News", "says that it is new, as the message does", "is_new"),
    "curious": Form("Invitation", "invites to look without giving all away"),
    "plain": Form("Plain", "says plainly what it is"),
    "state": Form("For their state", "speaks to where these people stand"),
}
STATES: dict[str, str] = {
    "": "nobody in particular",
    "engaged": "people who opened or clicked lately",
    "new": "people who are new",
    "quiet": "people who went quiet",
    "at_risk": "customers who are late with their next order",
    "just_bought": "people who just bought",
    "complained": "people who complained",
}
# Forms that would be tactless: nobody who complained is hurried or quizzed, nobody who just bought is sold an offer.
TACTLESS: dict[str, frozenset[str]] = {
    "complained": frozenset({"urgency", "question", "offer", "curious", "news"}),
    "just_bought": frozenset({"urgency"}),
}


@dataclass(frozen=True)
class Language:
    """`subjects`, `texts`: form → wordings; `states`: state → wordings of the form “state”."""

    name: str
    stand_in: str
    subjects: Mapping[str, tuple[str, ...]]
    states: Mapping[str, tuple[str, ...]]
    preheaders: tuple[str, ...]
    texts: Mapping[str, tuple[str, ...]]
    text_states: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def name_slot(self) -> str:
        return NAME.format(stand_in=self.stand_in)
