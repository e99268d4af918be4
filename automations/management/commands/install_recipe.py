"""`manage.py install_recipe`"""

from __future__ import annotations

import json
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from audience.management.organizations import add_argument, working_for
from automations import recipes
from automations.services import recipes as service
from automations.services.recipes import Installed
from common.errors import AppError


class Command(BaseCommand):
    help = """Install a ready workflow with its e-mails and segments; the workflow is switched off.

  manage.py install_recipe --list
  manage.py install_recipe cart-recovery --answer cart_url=https://shop.example/cart
  manage.py install_recipe follow-up-escalation --organization acme --answer team=3,4 --answer manager=2 --json

The second time writes nothing. Exit codes: 0 done, or there already; 1 not possible."""

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        return super().create_parser(prog_name, subcommand, formatter_class=RawDescriptionHelpFormatter, **kwargs)

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("recipe", nargs="?", default="", help="Its name, as --list tells it.")
        parser.add_argument("--answer", action="append", default=[], metavar="NAME=VALUE", help="Members by id.")
        parser.add_argument("--list", action="store_true", help="Tell every recipe and what it needs.")
        parser.add_argument("--dry-run", action="store_true", help="Say what would be made and write nothing.")
        parser.add_argument("--json", action="store_true", help="Print the result as JSON.")
        add_argument(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        if options["list"] or not options["recipe"]:
            self._list(as_json=options["json"])
            return
        recipe = recipes.find(options["recipe"])
        if recipe is None:
            raise CommandError(f'There is no recipe "{options["recipe"]}"; known: {", ".join(recipes.ORDER)}.')
        try:
            with working_for(options["organization"]), transaction.atomic():
                done = service.install(recipe.key, _answers(recipe, options["answer"]))
                transaction.set_rollback(options["dry_run"])
        except AppError as error:
            raise CommandError("; ".join([error.message, *_others(error)])) from error
        self._tell(done, options)

    def _list(self, *, as_json: bool) -> None:
        if as_json:
            rows = [
                {"recipe": recipe.key, "name": recipe.name, "needs": _needs(recipe)} for recipe in recipes.offered()
            ]
            self.stdout.write(json.dumps(rows))
            return
        for recipe in recipes.offered():
            self.stdout.write(f"{recipe.key:<24}{recipe.sentence}")
            for name, what in _needs(recipe).items():
                self.stdout.write(f"{'':<24}--answer {name}=…  {what}")

    def _tell(self, done: Installed, options: dict[str, Any]) -> None:
        if options["json"]:
            row = {"dry_run": options["dry_run"], "is_new": done.is_new, "made": done.made, "found": done.found}
            self.stdout.write(
                json.dumps(row | {"automation_id": done.automation.pk if not options["dry_run"] else None})
            )
            return
        verb = "Would make" if options["dry_run"] else "Made"
        for line in done.made:
            self.stdout.write(f"{verb} {line}.")
        for line in done.found:
            self.stdout.write(f"Left {line} as it is: it is there already.")
        if done.is_new and not options["dry_run"]:
            self.stdout.write("The workflow is switched off; look it through and switch it on in the admin.")


def _needs(recipe: recipes.Recipe) -> dict[str, str]:
    return {
        need.name: need.label + (f" (default {need.default})" if need.default is not None else "")
        for need in recipe.needs
    }


def _others(error: AppError) -> list[str]:
    return [f"{place}: {text}" for place, text in list(error.details.items())[1:]]


def _answers(recipe: recipes.Recipe, said: list[str]) -> dict[str, Any]:
    """`team=3,4` as the service takes it; what is no number stays text, and the service says so."""
    kinds = {need.name: need.type for need in recipe.needs}
    answers: dict[str, Any] = {}
    for pair in said:
        name, is_pair, text = pair.partition("=")
        if not is_pair:
            raise CommandError(f'--answer {pair}: write NAME=VALUE, such as "team=3,4".')
        kind = kinds.get(name)
        if kind == "members":
            answers[name] = [_whole(part) for part in text.split(",") if part.strip()]
        else:
            answers[name] = _whole(text) if kind in ("member", "integer") else text
    return answers


def _whole(text: str) -> int | str:
    stripped = text.strip()
    return int(stripped) if stripped.isascii() and stripped.isdigit() and len(stripped) < 19 else stripped
