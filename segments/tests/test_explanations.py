"""Random rules over random people: every node of an explanation says what the oracle says of that node."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest
from django.db import transaction
from hypothesis import given, settings
from hypothesis import strategies as st

from accounts.models import Organization
from common import clock
from segments import rules
from segments.rules import explain as explaining
from segments.rules.explain import Node
from segments.tests import oracle, test_oracle
from segments.tests.test_oracle import CASES, KINDS, MOMENT


def nodes(node: Node, raw: Any) -> Iterator[tuple[Node, Any]]:
    """The nodes of an explanation beside the JSON they speak of."""
    yield node, raw
    for child, part in zip(node.children, raw.get("rules", []), strict=True):
        yield from nodes(child, part)


@pytest.mark.parametrize("seed", [4, 5])
def test_every_node_agrees_with_the_oracle(organization: Organization, seed: int) -> None:
    Organization.objects.filter(pk=organization.pk).update(timezone=oracle.HOME.key)
    population, segment_ids = test_oracle._population(seed)

    @settings(max_examples=CASES, deadline=None, database=None, derandomize=True)
    @given(rule=test_oracle._rules(segment_ids), now=MOMENT, who=st.sampled_from(sorted(population)))
    def agree(rule: dict[str, Any], now: datetime, who: int) -> None:
        with clock.freeze(now), transaction.atomic():
            found = explaining.explain(rules.parse(json.loads(json.dumps(rule))), who, now)
        assert found is not None
        for node, raw in nodes(found, rule):
            assert node.is_true is oracle.is_true(raw, population[who], now, KINDS), (node.path, raw)
            assert node.flips_at is None or node.flips_at > now
            assert bool(node.match) == bool(node.children)
            assert node.match or node.evidence is not None

    agree()
