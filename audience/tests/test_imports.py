"""Files come in through the same door: mapped, judged, resumable, harmless."""

import csv
import gzip
import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from audience import services
from audience.domain.tables import safe_cell
from audience.models import Consent, Contact, Event, Identity, Import, IngestBatch, RejectedEvent
from audience.services import imports
from audience.tests import helpers
from common import tenancy

pytestmark = pytest.mark.django_db

PEOPLE = """E-Mail,Full name,Zip,Seats,VIP,Notes
ada@example.com,Ada Lovelace,01234,3,true,=HYPERLINK("http://evil.example")
bob@example.com,Bob,98765,4,false,
"""


def run(command: str, path: Path, *arguments: str) -> dict[str, Any]:
    """Run an import with --json; refused rows end it with exit code 3, which is checked by its own test."""
    out = StringIO()
    try:
        call_command(command, str(path), *arguments, "--organization", "acme", "--json", stdout=out)
    except SystemExit as end:
        assert end.code == 3
    return json.loads(out.getvalue())


def write(folder: Path, text: str, name: str = "people.csv") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_people_come_in_with_their_columns_mapped(organization: Any, tmp_path: Path) -> None:
    report = run("import_contacts", write(tmp_path, PEOPLE), "--map", "Zip=postcode", "--consent", "email")

    assert (report["accepted"], report["rejected"]) == (2, 0)
    ada = Contact.objects.get(email="ada@example.com")
    assert ada.name == "Ada Lovelace"
    # A column of which one cell is no number is text throughout; a formula is a text like any other.
    assert ada.attributes == {
        "postcode": "01234", "Seats": 3, "VIP": True, "Notes": '=HYPERLINK("http://evil.example")',
    }  # fmt: skip
    assert Identity.objects.filter(kind="email").count() == 2
    assert {(one.channel, one.state, one.how) for one in Consent.objects.all()} == {("email", "granted", "import")}


def test_a_dry_run_judges_and_writes_nothing(organization: Any, tmp_path: Path) -> None:
    path = write(tmp_path, PEOPLE + "not-an-address,Carl,1,5,true,\nshort,row\n")
    errors = tmp_path / "refused.csv"

    report = run("import_contacts", path, "--dry-run", "--errors", str(errors))

    assert (report["accepted"], report["rejected"]) == (2, 2)
    for model in (Contact, IngestBatch, Import, RejectedEvent):
        assert not model.objects.exists()
    rows = list(csv.DictReader(errors.open()))
    assert [(row["row"], row["code"]) for row in rows] == [("3", "no_identity"), ("4", "malformed_row")]


def test_refused_rows_are_told_with_their_number_and_reason(organization: Any, tmp_path: Path) -> None:
    services.create_contact(email="x@example.com", attributes={"Seats": 1})
    path = write(tmp_path, "email,Seats,=cmd\nada@example.com,many,=1+1\n,2,\nbob@example.com,2,\n")
    errors = tmp_path / "refused.csv"

    report = run("import_contacts", path, "--errors", str(errors))

    assert (report["accepted"], report["rejected"]) == (2, 1)
    rows = list(csv.DictReader(errors.open()))
    assert sorted((row["row"], row["code"]) for row in rows) == [("1", "trait_refused"), ("2", "no_identity")]
    assert Contact.objects.get(email="ada@example.com").attributes == {"=cmd": "=1+1"}


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_what_a_spreadsheet_would_run_is_escaped_when_written(cell: str) -> None:
    assert safe_cell(cell) == "'" + cell


def test_the_same_file_is_imported_once(organization: Any, tmp_path: Path) -> None:
    path = write(tmp_path, PEOPLE)
    run("import_contacts", path)
    again = run("import_contacts", path)

    assert (again["was_finished"], again["accepted"]) == (True, 0)
    assert Contact.objects.count() == 2


def test_an_interrupted_import_goes_on_where_it_stood(organization: Any, tmp_path: Path, monkeypatch: Any) -> None:
    rows = "".join(f"Bought,u{number},m{number}\n" for number in range(10))
    path = write(tmp_path, "event,user_id,message_id\n" + rows)
    monkeypatch.setattr(imports, "BLOCK_ROWS", 3)
    told: list[int] = []

    def stop_after_two_blocks(count: int) -> None:
        told.append(count)
        if len(told) == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        imports.run(imports.plan(path, imports.importing.KINDS["events"], {}), progress=stop_after_two_blocks)
    assert (Import.objects.get().position, Event.objects.count()) == (6, 6)

    report = run("import_events", path)
    assert (report["skipped"], report["accepted"]) == (6, 4)
    assert (Event.objects.count(), Import.objects.get().position) == (10, 10)
    assert Import.objects.get().finished_at is not None


def test_events_come_in_typed_dated_and_with_money(organization: Any, tmp_path: Path) -> None:
    text = "event;customer;when;invoice;total;currency;sku\n"
    text += "Order Completed;17850;2010-12-01T08:26:00;536365;15.30;gbp;01\n"
    path = tmp_path / "orders.csv.gz"
    path.write_bytes(gzip.compress(text.encode()))

    run(
        "import_events", path, "--map", "customer=user_id", "--map", "when=timestamp", "--map", "invoice=message_id",
        "--map", "sku=",
    )  # fmt: skip

    event = Event.objects.get()
    assert (event.value_minor, event.currency, event.happened_at.isoformat()) == (
        1530,
        "GBP",
        "2010-12-01T08:26:00+00:00",
    )
    assert event.properties == {"total": 15.3, "currency": "gbp"}
    assert event.contact.user_id == "17850"


def test_json_lines_may_be_messages_or_plain_objects(organization: Any, tmp_path: Path) -> None:
    lines = [
        {"type": "identify", "userId": "u1", "traits": {"plan": "pro"}},
        {"event": "A", "user_id": "u1", "properties": {"n": 1}, "color": "red"},
        {"event": "B", "email": "ada@example.com"},
        [1],
    ]
    text = "\n".join(json.dumps(line) for line in lines) + "\n{broken\n"

    report = run("import_events", write(tmp_path, text, "export.jsonl"))

    assert (report["accepted"], report["rejected"]) == (3, 2)
    assert helpers.names() == ["A", "B"]
    assert Event.objects.get(definition__name="A").properties == {"n": 1, "color": "red"}
    assert Contact.objects.get(user_id="u1").attributes == {"plan": "pro"}


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "The file is empty"),
        (b"\xff\xfe\x00", "UTF-8"),
        (b"a,a\n1,2\n", "same name"),
        (b"\x1f\x8b\x08broken", "cannot be read"),
        (b"email\nada@example.com\n", "no column Mail"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_in_a_sentence(
    organization: Any, tmp_path: Path, content: bytes, sentence: str
) -> None:
    path = tmp_path / "people.csv"
    path.write_bytes(content)

    with pytest.raises(CommandError, match=sentence):
        call_command("import_contacts", str(path), *(["--map", "Mail=email"] if b"email" in content else []))
    assert not Import.objects.exists()


def test_commands_refuse_an_unknown_organisation(organization: Any, tmp_path: Path) -> None:
    with tenancy.nobody(), pytest.raises(CommandError, match="there are: acme"):
        call_command("import_contacts", str(write(tmp_path, PEOPLE)), "--organization", "nobody")


def test_rejected_events_are_replayed_by_command(organization: Any, write_key: str, drain: Any) -> None:
    helpers.segment(write_key, helpers.track(properties={"total": -1}), helpers.track(""))
    drain()
    out = StringIO()
    call_command("replay_rejected", "--code", "negative_money", "--dry-run", "--json", stdout=out)
    call_command("replay_rejected", "--code", "negative_money", "--json", stdout=out)

    first, second = [json.loads(line) for line in out.getvalue().splitlines()]
    assert (first["replayed"], second["replayed"]) == (1, 1)
    drain()
    assert sorted(RejectedEvent.objects.values_list("code", flat=True)) == [
        "negative_money",
        "negative_money",
        "no_name",
    ]
