import json
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.urls import reverse

from accounts import services as accounts
from accounts.domain.roles import Role
from accounts.models import AuditEntry, Member
from audience.models import PredictionDefinition
from automations import recipes
from automations.models import Automation
from automations.services import recipes as service
from automations.steps import STEPS
from campaigns.models import EmailTemplate
from common.errors import Invalid, NotFound
from segments.models import Segment

pytestmark = pytest.mark.django_db
URL = "/api/v1/automations/recipes/"
LINK = "https://shop.example/page"


def answers(recipe: recipes.Recipe, member: Member) -> dict[str, Any]:
    """What is missing, answered."""
    by_type = {"members": [member.pk], "member": member.pk, "url": LINK}
    return {need.name: by_type[need.type] for need in recipe.needs if need.default is None}


def _counts() -> tuple[int, ...]:
    models = (Automation, EmailTemplate, Segment, PredictionDefinition, AuditEntry)
    return tuple(model.objects.count() for model in models)


@pytest.mark.parametrize("key", recipes.ORDER)
def test_a_recipe_installs_switched_off_and_once(key, organization, owner) -> None:
    recipe = recipes.find(key)
    assert recipe is not None

    installed = service.install(key, answers(recipe, owner))

    assert installed.is_new
    assert (installed.automation.is_active, installed.automation.current_version.number) == (False, 1)
    assert "$" not in json.dumps(installed.automation.current_version.document).replace("${{", "")
    for template in EmailTemplate.objects.all():
        assert template.published is not None
        assert "$" not in template.html + template.subject + json.dumps(template.blocks)
    counts = _counts()
    again = service.install(key, answers(recipe, owner))
    assert (again.is_new, again.automation, again.made) == (False, installed.automation, [])
    assert _counts() == counts


def test_every_file_is_offered() -> None:
    assert sorted(recipes.ORDER) == sorted(path.stem for path in recipes.HERE.glob("*.json"))


def test_what_is_there_is_used_and_never_overwritten(organization, owner) -> None:
    own = Segment.objects.create(slug="recipe-super-connectors", name="My connectors", kind="static")

    recipe = recipes.find("super-connector-invite")
    installed = service.install("super-connector-invite", answers(recipe, owner))

    own.refresh_from_db()
    assert (own.name, own.kind) == ("My connectors", "static")
    assert installed.found == ["the segment “Super-connectors”"]
    assert installed.automation.trigger_configuration == {"segment_id": own.pk}


def test_all_recipes_stand_beside_each_other(organization, owner) -> None:
    for recipe in recipes.offered():
        service.install(recipe.key, answers(recipe, owner))

    assert Automation.objects.count() == len(recipes.ORDER)


@pytest.mark.parametrize(
    ("key", "said", "place"),
    [
        ("cart-recovery", {}, "answers.cart_url"),
        ("cart-recovery", {"cart_url": "javascript:alert(1)"}, "answers.cart_url"),
        ("cart-recovery", {"cart_url": LINK, "cart": "x" * 201}, "answers.cart"),
        ("cart-recovery", {"cart_url": LINK, "cart": "a\0b"}, "answers.cart"),
        ("cart-recovery", {"cart_url": f"{LINK}\0"}, "answers.cart_url"),
        ("cart-recovery", {"cart_url": LINK, "colour": "red"}, "answers.colour"),
        ("priority-assignment", {"team": []}, "answers.team"),
        ("priority-assignment", {"team": [9_999_999]}, "answers.team"),
        ("priority-assignment", {"team": ["1"]}, "answers.team"),
        ("milestone-celebration", {"orders": 1}, "answers.orders"),
        ("milestone-celebration", {"orders": True}, "answers.orders"),
    ],
)
def test_a_missing_or_wrong_answer_is_refused_and_writes_nothing(organization, owner, key, said, place) -> None:
    counts = _counts()

    with pytest.raises(Invalid) as refusal:
        service.install(key, said)

    assert place in refusal.value.details
    assert _counts() == counts


def test_a_name_in_an_answer_is_not_filled_in_again(organization, owner) -> None:
    installed = service.install("cart-recovery", {"cart_url": f"{LINK}?a=${{order}}", "cart": "$order"})

    assert installed.automation.trigger_configuration["name"] == "$order"
    blocks = json.dumps(EmailTemplate.objects.get(slug="recipe-cart-recovery-first").blocks)
    assert "${order}" in blocks


def test_a_recipe_that_is_not_there(organization) -> None:
    with pytest.raises(NotFound, match="There is no recipe"):
        service.install("pizza", {})


# --- API, command, page ------------------------------------------------------------------------------------


def test_recipes_are_listed_and_installed_by_api(api, organization, owner) -> None:
    listed = api.get(URL).data["results"]
    assert [row["recipe"] for row in listed] == list(recipes.ORDER)
    assert all(row["automation_id"] is None for row in listed)
    cart = next(row for row in listed if row["recipe"] == "cart-recovery")
    assert [need["name"] for need in cart["needs"] if need["required"]] == ["cart_url"]

    made = api.post(URL, {"recipe": "cart-recovery", "answers": {"cart_url": LINK}}, format="json")
    assert made.status_code == 201, made.data
    again = api.post(URL, {"recipe": "cart-recovery", "answers": {"cart_url": LINK}}, format="json")
    assert (again.status_code, again.data["automation_id"]) == (200, made.data["automation_id"])
    refused = api.post(URL, {"recipe": "nurture", "answers": {}}, format="json")
    assert (refused.status_code, list(refused.data["details"])) == (400, ["answers.site_url"])
    assert api.post(URL, {"recipe": "pizza"}, format="json").status_code == 404
    assert Automation.objects.count() == 1
    listed = api.get(URL).data["results"]
    assert [row["recipe"] for row in listed if row["automation_id"]] == ["cart-recovery"]


def test_a_recipe_is_installed_by_command(organization, owner) -> None:
    out = StringIO()
    arguments = ["cart-recovery", "--organization", "acme", "--answer", f"cart_url={LINK}"]

    call_command("install_recipe", *arguments, "--dry-run", stdout=out)
    assert not Automation.objects.exists()
    call_command("install_recipe", *arguments, "--json", stdout=(told := StringIO()))
    assert json.loads(told.getvalue())["is_new"] is True
    call_command("install_recipe", *arguments, stdout=(out := StringIO()))
    assert "is there already" in out.getvalue()
    call_command("install_recipe", "--list", stdout=(out := StringIO()))
    assert all(key in out.getvalue() for key in recipes.ORDER)
    with pytest.raises(CommandError, match="is needed"):
        call_command("install_recipe", "nurture", "--organization", "acme")
    team = ["priority-assignment", "--organization", "acme", "--answer", f"team={owner.pk}"]
    call_command("install_recipe", *team, stdout=StringIO())
    assert Automation.objects.count() == 2


def test_a_recipe_is_installed_with_one_click(admin, organization, owner) -> None:
    page = admin.get(reverse("recipes")).content.decode()
    assert all(recipe.name in page for recipe in recipes.offered())

    answer = admin.post(reverse("recipe-install", args=["milestone-celebration"]))

    made = Automation.objects.get()
    assert answer["Location"] == reverse("admin:automations_automation_change", args=[made.pk])
    assert "Installed" in admin.get(reverse("recipes")).content.decode()


def test_a_missing_answer_is_asked_for_beside_its_field(admin, organization, owner) -> None:
    form = reverse("recipe-install", args=["cart-recovery"])

    refused = admin.post(form, {"cart": "basket_filled"})
    assert refused.status_code == 400
    assert "Is needed: address of the cart" in refused.content.decode()
    assert "basket_filled" in refused.content.decode()
    assert not Automation.objects.exists()
    assert admin.post(form, {"cart": "basket_filled", "cart_url": LINK}).status_code == 302
    assert Automation.objects.get().trigger_configuration["name"] == "basket_filled"


def test_an_analyst_reads_recipes_and_installs_none(client, organization) -> None:
    analyst = accounts.add_member(accounts.ensure_user("ann@example.com"), Role.ANALYST)
    client.force_login(analyst.user)

    assert client.get(reverse("recipes")).status_code == 200
    assert client.post(reverse("recipe-install", args=["milestone-celebration"])).status_code == 403
    assert not Automation.objects.exists()


def test_recipes_use_steps_that_exist() -> None:
    used = set()

    def walk(actions: list[dict[str, Any]]) -> None:
        for action in actions:
            used.add(action["action_type"])
            for branch in action.get("branches", {}).values():
                walk(branch)

    for recipe in recipes.offered():
        walk(recipe.automation["actions"])
    assert used <= set(STEPS)
