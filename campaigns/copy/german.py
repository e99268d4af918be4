"""German wordings of every form; the slots are told in `forms`."""

from __future__ import annotations

from campaigns.copy.forms import Language

GERMAN = Language(
    "German",
    "zusammen",
    {
        "benefit": ("{sentence}", "{product}: {sentence}", "{headline}. {sentence}"),
        "offer": ("{offer}: {headline}", "{headline}: {offer}", "{offer} mit dem Code {code}"),
        "number": (
            "{counted}: {headline}",
            "{headline}: {counted}",
            "{count} zur Auswahl: {headline}",
            "{count} Vorschläge, darunter {product}",
        ),
        "question": (
            "{asked}",
            "{product} oder {other}: was passt zu [dir|Ihnen]?",
            "Schon gesehen? {headline}",
            "{product}: etwas für [dich|Sie]?",
            "{headline}: etwas für [dich|Sie]?",
            "Was [meinst du|meinen Sie]? {headline}",
        ),
        "urgency": (
            "{offer} bis {deadline}",
            "Bis {deadline}: {headline}",
            "{headline}, bis {deadline}",
            "Bis {deadline}: {offer}",
        ),
        "personal": (
            "Hallo {name}: {headline}",
            "Hallo {name}, ein Blick auf {product}",
            "Hallo {name}, vielleicht etwas für [dich|Sie]: {headline}",
            "Hallo {name}, {offer}: {headline}",
        ),
        "news": ("Neu: {headline}", "Neu: {product}", "Neu hier: {product} und {other}"),
        "curious": (
            "Einen Blick wert: {product}",
            "Genauer hingesehen: {headline}",
            "Bevor [du dich entscheidest|Sie sich entscheiden]: {headline}",
            "Einen Blick wert: {headline}",
        ),
        "plain": (
            "{headline}",
            "{product} und {other}",
            "{product}",
            "{action}: {headline}",
            "Kurz gesagt: {headline}",
        ),
    },
    {
        "engaged": ("Weil [du uns gern liest|Sie uns gern lesen]: {headline}", "Für treue Leser: {headline}"),
        "new": ("Ein guter Anfang: {headline}", "Das Wichtigste zuerst: {headline}"),
        "quiet": ("Lange nichts gehört. {headline}", "Was [du|Sie] noch nicht [kennst|kennen]: {headline}"),
        "at_risk": ("Weiter für [dich|Sie] da: {headline}", "Wann immer es passt: {headline}"),
        "just_bought": ("Nach [deiner|Ihrer] Bestellung: {headline}", "Vielen Dank. {headline}"),
        "complained": ("Kurz gesagt: {headline}", "Zur Information: {headline}"),
    },
    (
        "{sentence}",
        "{offer} bis {deadline}. {sentence}",
        "{offer}. {sentence}",
        "{product}, {other} und mehr in dieser Mail",
        "{counted} in dieser Mail. {sentence}",
        "{headline}. {sentence}",
        "{sentence}. {action}",
        "{headline}: mehr in dieser Mail",
        "Mehr dazu in dieser Mail: {product}",
    ),
    {
        "benefit": ("{sentence}", "{headline}. {sentence}"),
        "offer": ("{offer}: {headline}", "{headline}: {offer} mit dem Code {code}", "{headline}. {offer}"),
        "number": ("{counted}: {headline}", "{headline}: {counted}"),
        "question": ("{asked}", "Schon gesehen? {headline}", "{headline}: etwas für [dich|Sie]?"),
        "urgency": ("{offer} bis {deadline}: {headline}", "Bis {deadline}: {headline}", "{headline}, bis {deadline}"),
        "personal": (
            "Hallo {name}, {offer}: {headline}",
            "Hallo {name}: {headline}",
            "Hallo {name}, vielleicht etwas für [dich|Sie]: {headline}",
        ),
        "news": ("Neu: {headline}",),
        "curious": (
            "Einen Blick wert: {headline}",
            "Genauer hingesehen: {headline}",
            "Bevor [du dich entscheidest|Sie sich entscheiden]: {headline}",
        ),
        "plain": ("{headline}", "Kurz gesagt: {headline}", "{action}: {headline}"),
    },
)
