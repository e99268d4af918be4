"""The rule language: JSON → tree → SQL and words. Everybody who filters contacts uses this door."""

from __future__ import annotations

from typing import Any

from segments.rules import catalogue, parser
from segments.rules.sentences import sentence
from segments.rules.tree import Rule

__all__ = ["Rule", "parse", "parse_stored", "sentence"]


def parse(rule_json: Any) -> Rule:
    """Read a rule for the current organisation; raises `Invalid` with the place of every problem."""
    return parser.parse(rule_json, catalogue.load())


def parse_stored(rule_json: Any) -> Rule:
    """Read a rule that was checked when it was saved."""
    return parser.parse(rule_json, catalogue.load(), is_stored=True)
