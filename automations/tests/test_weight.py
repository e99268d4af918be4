"""What a workflow says of its messages when limits collide."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from accounts.models import Organization
from automations import services
from automations.models import Automation
from automations.services import engine
from automations.tests import making
from campaigns import services as campaigns
from common.errors import Invalid
from delivery.models import Holdout, Message


def test_messages_carry_weight_and_shelf_life_and_the_holdout_is_delivered(organization: Organization) -> None:
    template = making.template()
    campaigns.publish_template(template)
    made = making.automation(
        {"action_type": "send_email", "configuration": {"template_id": template.pk}},
        weight=30,
        shelf_hours=6,
        holdout_percent=Decimal("12.5"),
    )
    services.start(made, [making.contact().pk])
    engine.run(organization.pk)
    message = Message.objects.get()
    services.update_automation(made, {"holdout_percent": 0})

    assert message.weight == 30
    assert message.expires_at == message.run_at + timedelta(hours=6)
    assert list(Holdout.objects.values_list("source_type", "source_id", "percent")) == [("automation", made.pk, 0)]


@pytest.mark.parametrize("values", [{"weight": 7}, {"shelf_hours": 0}, {"holdout_percent": 80}])
def test_settings_that_make_no_sense_are_refused(organization: Organization, values: dict[str, Any]) -> None:
    with pytest.raises(Invalid) as refusal:
        making.automation(making.TAG, **values)

    assert set(refusal.value.details) == set(values)
    assert Automation.objects.count() == 0 and Holdout.objects.count() == 0
