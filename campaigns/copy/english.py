"""English wordings of every form; the slots are told in `forms`."""

from __future__ import annotations

from campaigns.copy.forms import Language

ENGLISH = Language(
    "English",
    "there",
    {
        "benefit": ("{sentence}", "{product}: {sentence}", "{headline}. {sentence}"),
        "offer": ("{offer}: {headline}", "{headline}: {offer}", "{offer} with code {code}"),
        "number": (
            "{counted}: {headline}",
            "{headline}: {counted}",
            "{count} to choose from: {headline}",
            "{count} picks, among them {product}",
        ),
        "question": (
            "{asked}",
            "{product} or {other}: which one is yours?",
            "Have you seen this? {headline}",
            "{product}: is it for you?",
            "{headline}: is it for you?",
            "What do you think? {headline}",
        ),
        "urgency": (
            "{offer} until {deadline}",
            "Until {deadline}: {headline}",
            "{headline}, until {deadline}",
            "Until {deadline}: {offer}",
        ),
        "personal": (
            "Hi {name}: {headline}",
            "Hi {name}, have a look: {product}",
            "Hi {name}, this may be for you: {headline}",
            "Hi {name}, {offer}: {headline}",
        ),
        "news": ("New: {headline}", "New: {product}", "New here: {product} and {other}"),
        "curious": (
            "Worth a look: {product}",
            "A closer look: {headline}",
            "Before you decide: {headline}",
            "Worth a look: {headline}",
        ),
        "plain": ("{headline}", "{product} and {other}", "{product}", "{action}: {headline}", "In short: {headline}"),
    },
    {
        "engaged": ("As you like to read us: {headline}", "For our keenest readers: {headline}"),
        "new": ("A good place to begin: {headline}", "First things first: {headline}"),
        "quiet": ("It has been a while. {headline}", "What you have not seen: {headline}"),
        "at_risk": ("Still here for you: {headline}", "Ready when you are: {headline}"),
        "just_bought": ("After your order: {headline}", "Thank you. {headline}"),
        "complained": ("In short: {headline}", "For your information: {headline}"),
    },
    (
        "{sentence}",
        "{offer} until {deadline}. {sentence}",
        "{offer}. {sentence}",
        "{product}, {other} and more inside",
        "{counted} inside. {sentence}",
        "{headline}. {sentence}",
        "{sentence}. {action}",
        "{headline}: see inside",
        "Open to see: {product}",
    ),
    {
        "benefit": ("{sentence}", "{headline}. {sentence}"),
        "offer": ("{offer}: {headline}", "{headline}: {offer} with code {code}", "{headline}. {offer}"),
        "number": ("{counted}: {headline}", "{headline}: {counted}"),
        "question": ("{asked}", "Have you seen this? {headline}", "{headline}: is it for you?"),
        "urgency": (
            "{offer} until {deadline}: {headline}",
            "Until {deadline}: {headline}",
            "{headline}, until {deadline}",
        ),
        "personal": (
            "Hi {name}, {offer}: {headline}",
            "Hi {name}: {headline}",
            "Hi {name}, this may be for you: {headline}",
        ),
        "news": ("New: {headline}",),
        "curious": ("Worth a look: {headline}", "A closer look: {headline}", "Before you decide: {headline}"),
        "plain": ("{headline}", "In short: {headline}", "{action}: {headline}"),
    },
)
