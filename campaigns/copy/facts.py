"""Whether a line claims only what the message says. Pure; asked of every line, whoever wrote it."""

from __future__ import annotations

import re

from campaigns.copy.material import PLACEHOLDER, Material

NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
SIGNS = re.compile(r"[%€$£¥]")
WORDS = {
    "span": r"\b\d+ (?:days?|hours?|minutes?|weeks?|tagen?|tage|stunden?|minuten?|wochen?)\b",
    "free": r"\bfree\b", "gratis": r"\b(gratis|kostenlos\w*|kostenfrei\w*)\b", "half": r"\bhalf[- ](price|off)\b",
    "halb": r"\bhalbe[rn]? preis\b", "sale": r"\bsale\b", "discount": r"\b(discounts?|rabatte?)\b",
    "last": r"\b(last (chance|call|day|hours?)|letzte (chance|stunden?|tage?))\b",
    "today": r"\b(today|tonight|heute)\b", "tomorrow": r"\b(tomorrow|morgen)\b",
    "ends": r"\b(ends?|expires?|endet|läuft ab)\b", "only": r"\b(only \d|nur noch)\b",
    "guarantee": r"\bgarant\w+|\bguarant\w+",
    "gift": r"\b(gifts?|geschenke?)\b", "won": r"\b(won|winner|gewonnen|gewinner)\b",
    "new": r"\b(new|neue?[rsnm]?)\b",
    "day": r"\b(mon|tues|wednes|thurs|fri|satur|sun)day\b|\b(mon|diens|donners|frei|sams|sonn)tag\b|\bmittwoch\b",
}  # fmt: skip
CLAIMS = {name: re.compile(pattern, re.IGNORECASE) for name, pattern in WORDS.items()}
NAMED = {
    name: re.compile(rf"\b({pattern})\b", re.IGNORECASE)
    for name, pattern in {
        "2": "two|zwei", "3": "three|drei", "4": "four|vier", "5": "five|fünf", "6": "six|sechs", "7": "seven|sieben",
        "8": "eight|acht", "9": "nine|neun", "10": "ten|zehn",
    }.items()
}  # fmt: skip


def inventions(line: str, material: Material) -> list[str]:
    """What the line claims and the message does not say: numbers, money, days, and words such as “free”.

    The number of products shown counts as said.
    """
    plain, said = PLACEHOLDER.sub(" ", line), material.text
    known = {_number(each) for each in NUMBER.findall(said)} | {str(len(material.products))}
    known |= {name for name, pattern in NAMED.items() if pattern.search(said)}
    found = [each for each in NUMBER.findall(plain) if _number(each) not in known]
    found += [name for name, pattern in NAMED.items() if pattern.search(plain) and name not in known]
    found += sorted(set(SIGNS.findall(plain)) - set(SIGNS.findall(said)))
    found += [each for each in _amounts(plain) if each not in _amounts(said)]
    for pattern in CLAIMS.values():
        known_words = {word[0].lower() for word in pattern.finditer(said)}
        found += [word[0] for word in pattern.finditer(plain) if not known_words & {word[0].lower(), *_kin(word[0])}]
    return list(dict.fromkeys(found))


def _number(text: str) -> str:
    """`1,000` and `1.000` are 1000; `12.50` stays what it is."""
    return re.sub(r"[.,](?=\d{3}(?:\D|$))", "", text).replace(",", ".")


def _amounts(text: str) -> set[str]:
    """Numbers with what they count: `20%`, `€10`. A 20 of days does not make 20 % true."""
    found = re.findall(r"([€$£]\s?\d[\d.,]{0,12}\d?|(?<![\d.,])\d[\d.,]{0,12}\s?(?:%|€|£|\$))", text)
    return {re.sub(r"\s|[.,]$", "", each) for each in found}


def _kin(word: str) -> set[str]:
    """Other forms of a word that say no more."""
    low = word.lower()
    return {
        low.rstrip("s"),
        f"{low}s",
        low.rstrip("rsnme"),
        *(f"{low.rstrip('rsnme')}{end}" for end in ("e", "er", "en", "es")),
    }
