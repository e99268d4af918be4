"""A segment that a workflow or a campaign refers to stays; the refusal says who it is and leads there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.urls import reverse

from accounts import services as accounts
from accounts.models import AuditEntry, Organization
from automations import services
from automations.domain import references
from automations.models import Automation, RunStatus
from automations.tests import making
from campaigns.models import TemplateNeed
from campaigns.services import archive_template
from campaigns.tests import making as campaigns
from common import tenancy
from common.errors import Conflict, Invalid
from segments import services as segments
from segments import uses
from segments.models import Membership, Segment
from segments.tests.test_refreshers import at_once


def _standing(segment: Segment | str) -> dict[str, Any]:
    reference = segment if isinstance(segment, str) else segment.pk
    return {"match": "all", "rules": [{"segment": reference, "operator": "in"}]}


def _vips(*members: Any) -> Segment:
    made = segments.create_segment(name="VIPs", kind="static")
    segments.add_contacts(made, [member.pk for member in members])
    return made


def _page(automation: Automation) -> str:
    return reverse("admin:automations_automation_change", args=[automation.pk])


def _refused(segment: Segment) -> Conflict:
    """The refusal to delete, which has written nothing."""
    entries, members = AuditEntry.objects.count(), Membership.objects.count()
    with pytest.raises(Conflict) as caught:
        segments.delete_segment(segment)
    assert Segment.objects.filter(pk=segment.pk).exists()
    assert (AuditEntry.objects.count(), Membership.objects.count()) == (entries, members)
    return caught.value


@pytest.mark.django_db
@pytest.mark.parametrize(
    "made",
    [
        lambda vips: making.automation(making.TAG, trigger_configuration={"filter": _standing(vips)}),
        lambda vips: making.automation(
            making.TAG, trigger_type="segment_exited", trigger_configuration={"segment_id": vips.pk}
        ),
        lambda vips: making.automation(making.branch(_standing(vips), [making.TAG], [])),
        lambda vips: making.automation(
            making.branch(making.where("city", "Leeds"), [making.branch(_standing(vips), [], [])], []),
            is_active=False,
        ),
    ],
    ids=["filter", "trigger", "branch", "inner branch of a workflow that is off"],
)
def test_a_segment_that_a_workflow_refers_to_is_not_deleted(made, organization) -> None:
    vips = _vips(making.contact())
    automation = made(vips)

    error = _refused(vips)

    assert error.message == "“VIPs” is used by workflow “Welcome”; take it out there first."
    assert error.details == {_page(automation): "workflow “Welcome”"}

    services.update_automation(
        automation, {"trigger_type": "manual", "trigger_configuration": {}, "actions": [making.TAG]}
    )
    segments.delete_segment(vips)
    assert not Segment.objects.filter(pk=vips.pk).exists()


@pytest.mark.django_db
def test_people_inside_an_earlier_version_still_need_its_segments(organization) -> None:
    ada = making.contact()
    vips = _vips()
    automation = making.automation(making.wait(days=1), making.branch(_standing(vips), [making.TAG], []))
    services.start(automation, [ada.pk])
    making.work()
    services.update_automation(automation, {"actions": [making.TAG]})

    assert "workflow “Welcome”" in _refused(vips).message

    automation.runs.update(status=RunStatus.CANCELLED)
    segments.delete_segment(vips)


@pytest.mark.django_db
def test_a_campaign_is_named_whether_it_takes_a_segment_in_or_leaves_it_out(organization) -> None:
    vips, everybody = _vips(), campaigns.segment()
    campaign = campaigns.campaign([everybody], [vips])

    page = f"/admin/campaigns/campaign/{campaign.pk}/change/"
    assert _refused(vips).details == {page: "campaign (leaves it out) “Summer sale”"}
    assert _refused(everybody).details == {page: "campaign “Summer sale”"}


@pytest.mark.django_db
def test_a_template_that_shows_a_block_to_a_segment_is_named(organization, monkeypatch: pytest.MonkeyPatch) -> None:
    vips = _vips()
    template = campaigns.template()
    TemplateNeed.objects.create(template=template, segment=vips)

    page = f"/admin/campaigns/emailtemplate/{template.pk}/change/"
    assert _refused(vips).details == {page: "e-mail template “Sale”"}

    # Also where no room names itself: the database holds on to it.
    monkeypatch.setattr(uses, "_finders", [])
    assert _refused(vips).message == "“VIPs” is used by use in an e-mail template; take it out there first."


@pytest.mark.django_db
def test_an_archived_template_protects_a_segment_only_while_it_is_still_sent(organization) -> None:
    vips = _vips()
    block = {"type": "text", "text": "Hi", "show_when": {"segment": vips.pk}}
    template = campaigns.template(html="", blocks={"settings": {}, "blocks": [block]})
    everybody = campaigns.segment()
    campaign = campaigns.campaign([everybody], template_id=template.pk)
    automation = making.automation({"action_type": "send_email", "configuration": {"template_id": template.pk}})
    archive_template(template)

    assert [str(use) for use in uses.of(vips)] == [
        "campaign (its mail asks for it) “Summer sale”", "workflow “Welcome”",
    ]  # fmt: skip
    campaign.delete()
    assert _refused(vips).details == {_page(automation): "workflow “Welcome”"}

    services.delete_automation(automation)
    segments.delete_segment(vips)
    assert not Segment.objects.filter(pk=vips.pk).exists()


@pytest.mark.django_db
def test_the_page_says_who_uses_it_and_does_not_delete(admin, organization) -> None:
    vips = _vips()
    automation = making.automation(making.branch(_standing(vips), [making.TAG], []), name="<b>Hello</b>")
    address = reverse("admin:segments_segment_delete", args=[vips.pk])

    page = admin.get(address).content.decode()
    admin.post(address, {"post": "yes"})

    assert f'Workflow <a href="{_page(automation)}">&lt;b&gt;Hello&lt;/b&gt;</a>' in page
    assert 'name="post"' not in page
    assert Segment.objects.filter(pk=vips.pk).exists()

    services.delete_automation(automation)
    page = admin.get(address).content.decode()
    assert "0 contacts are in it" in page
    admin.post(address, {"post": "yes"})
    assert not Segment.objects.filter(pk=vips.pk).exists()


@pytest.mark.django_db
def test_a_slug_in_a_rule_is_kept_as_an_id_and_may_change(organization) -> None:
    ada = making.contact()
    vips = _vips(ada)
    rule = _standing("vips")
    automation = making.automation(
        making.branch(rule, [making.branch(rule, [making.TAG], [])], []),
        trigger_configuration={"filter": rule},
    )
    document = automation.current_version.document
    assert references.segments(document) == {vips.pk}
    assert automation.trigger_configuration == {"filter": _standing(vips)}

    segments.update_segment(vips, slug="friends")
    services.start(automation, [ada.pk])
    making.work()

    ada.refresh_from_db()
    assert ada.tags == ["met"]


def test_only_conditions_and_triggers_refer_to_segments() -> None:
    document = {
        "trigger": {"type": "segment_entered", "configuration": {"segment_id": 4, "filter": _standing("vip")}},
        "steps": [{"configuration": {"rule": {"match": "none", "rules": [{"segment": 9, "operator": "not_in"}]}}},
                  {"configuration": {"body": {"segment": 11}}}],
    }  # fmt: skip

    assert references.segments(document) == {4, "vip", 9}


@pytest.fixture
def acme(transactional_db: None) -> Iterator[Organization]:
    made = accounts.create_organization("Acme", "acme")
    with tenancy.organization(made.pk):
        yield made


@pytest.mark.django_db(transaction=True)
def test_a_segment_is_not_deleted_while_a_workflow_that_names_it_is_published(acme: Organization) -> None:
    for number in range(5):
        vips = segments.create_segment(name=f"VIPs {number}")

        wrong = at_once(
            acme.pk,
            lambda vips=vips: segments.delete_segment(vips),
            lambda vips=vips, number=number: making.automation(
                making.branch(_standing(vips), [making.TAG], []), name=f"Flow {number}"
            ),
        )

        assert [type(error) for error in wrong] in ([Invalid], [Conflict])
    assert Segment.objects.count() == Automation.objects.count()
