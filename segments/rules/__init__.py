"""The rule language: JSON → tree → SQL and words. Everybody who filters contacts uses this door."""

from __future__ import annotations

from typing import Any

from common.errors import Invalid
from segments.rules import catalogue, parser
from segments.rules.catalogue import Catalogue
from segments.rules.sentences import sentence
from segments.rules.tree import Rule

__all__ = ["Rule", "describe", "parse", "parse_stored", "sentence"]


def parse(rule_json: Any, known: Catalogue | None = None) -> Rule:
    """Read a rule for the current organisation; raises `Invalid` with the place of every problem."""
    return parser.parse(rule_json, known or catalogue.load())


def parse_stored(rule_json: Any, known: Catalogue | None = None) -> Rule:
    """Read a rule that was checked when it was saved. Who reads several hands in the catalogue."""
    return parser.parse(rule_json, known or catalogue.load(), is_stored=True)


def describe(rule_json: Any, known: Catalogue | None = None) -> str:
    """The sentence of a stored rule, for lists; says so when an older release wrote what we cannot read."""
    try:
        return sentence(parser.parse(rule_json, known or catalogue.load(), is_stored=True))
    except Invalid as error:
        return f"This rule cannot be read: {error}"
