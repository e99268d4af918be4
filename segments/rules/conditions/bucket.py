"""A random part of all contacts that stays the same: a contact's number from 0 to 99 is a hash of salt and id."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from segments.rules import values
from segments.rules.catalogue import Catalogue
from segments.rules.conditions.base import Condition, Misplaced
from segments.rules.inputs import Input
from segments.rules.operands import Row
from segments.rules.parameters import Parameters
from segments.rules.tree import BucketRule
from segments.rules.values import Unfit, expected

KEYS = ("salt", "from", "to")
LONGEST_SALT = 100


def _read(raw: Mapping[str, Any], known: Catalogue, is_stored: bool) -> BucketRule:
    bucket = raw["bucket"]
    if not isinstance(bucket, Mapping) or set(bucket) - set(KEYS):
        raise Misplaced("bucket", str(expected("salt, from and to", bucket)))
    try:
        salt = values.read_text(bucket.get("salt"))
    except Unfit as problem:
        raise Misplaced("bucket.salt", str(problem)) from problem
    if len(salt) > LONGEST_SALT:
        raise Misplaced("bucket.salt", f"the salt is longer than {LONGEST_SALT} characters")
    first, last = (_number(bucket, key) for key in ("from", "to"))
    if last < first:
        raise Misplaced("bucket.to", f"expected a number from {first} to 99, got {last}")
    return BucketRule(salt, first, last)


def _number(bucket: Mapping[str, Any], key: str) -> int:
    number = bucket.get(key)
    if isinstance(number, bool) or not isinstance(number, int) or not 0 <= number <= 99:
        raise Misplaced(f"bucket.{key}", str(expected("a whole number from 0 to 99", number)))
    return number


def _truth(rule: BucketRule, row: Row, parameters: Parameters) -> str:
    """md5, because it says the same on every server and in every release; 0.3 µs a contact."""
    salted = f"md5({parameters.bind(f'{rule.salt}:', 'text')} || {row.alias}.id)"
    number = f"('x' || substr({salted}, 1, 8))::bit(32)::bigint %% 100"
    return f"{number} BETWEEN {parameters.bind(rule.first, 'int')} AND {parameters.bind(rule.last, 'int')}"


def _words(rule: BucketRule) -> str:
    share = rule.last - rule.first + 1
    return f"the contact is among {share} of 100 drawn at random (“{rule.salt}” {rule.first}–{rule.last})"


def _inputs(known: Catalogue) -> tuple[Input, ...]:
    return (
        Input("bucket.salt", "text", "Name of the draw"),
        Input("bucket.from", "whole", "From", default=0),
        Input("bucket.to", "whole", "To", default=49),
    )


BUCKET: Condition[BucketRule] = Condition("Random part", ("bucket",), {}, _inputs, _read, _truth, _words)
