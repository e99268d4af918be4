"""Files that come in and go out: formulas stay text, and what cannot be read is refused in a sentence."""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from accounts.models import Organization
from audience.models import Contact
from tests.hostile.snapshot import as_request, unchanged

FORMULAS = ["=cmd|' /C calc'!A0", "+1+1", "-2+3", "@SUM(A1:A9)", "\t=1+1", '=HYPERLINK("https://evil.example")']


def _run(name: str, path: Path, *options: str) -> str:
    output = io.StringIO()
    call_command(name, str(path), "--organization", "acme", *options, stdout=output, stderr=output)
    return output.getvalue()


def test_formulas_come_in_as_text_and_go_out_as_text(
    organization: Organization, tmp_path: Path, drain: Callable[[], int]
) -> None:
    path, errors = tmp_path / "people.csv", tmp_path / "refused.csv"
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["email", "name", "Note"])
        writer.writerows([f"person{n}@example.com", cell, cell] for n, cell in enumerate(FORMULAS))
        writer.writerows([cell, "Nobody", cell] for cell in FORMULAS)

    with pytest.raises(SystemExit):  # some rows were refused
        _run("import_contacts", path, "--errors", str(errors))
    drain()

    names = set(Contact.objects.exclude(email="").values_list("name", flat=True))
    assert names == {cell.strip() for cell in FORMULAS}
    with errors.open(newline="") as file:
        cells = [cell for row in list(csv.reader(file))[1:] for cell in row]
    assert cells and not [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\t"))]


FILES: dict[str, bytes] = {
    "nothing": b"",
    "only a header": b"email,name\n",
    "binary": bytes(range(256)) * 100,
    "UTF-16": "email,name\na@b.example,A\n".encode("utf-16"),
    "an unfinished quote": b'email,name\n"a@b.example,A\n',
    "broken gzip": gzip.compress(b"email,name\na@b.example,A\n")[:-9],
    "a bomb": gzip.compress(b"email\n" + b"x" * 50_000_000),
    "one endless line": b"email,name\n" + b"x" * 5_000_000,
    "the same column twice": b"email,email\na@b.example,b@b.example\n",
    "no column we know": b"\x00\n\x00\n",
    "NUL bytes": b"email,name\na@b.example,A\x00B\n",
    "a thousand columns": b",".join(b"c%d" % n for n in range(1000)) + b"\n" + b"x," * 999 + b"x\n",
}


@pytest.mark.parametrize("body", FILES.values(), ids=list(FILES))
@pytest.mark.parametrize("command", ["import_contacts", "import_events", "import_costs"])
def test_a_file_that_cannot_be_used_is_refused_in_a_sentence(
    organization: Organization, tmp_path: Path, command: str, body: bytes
) -> None:
    path = tmp_path / ("rows.csv.gz" if body.startswith(b"\x1f\x8b") else "rows.csv")
    path.write_bytes(body)
    ended: list[Any] = []

    def attempt() -> None:
        try:
            ended.append(_run(command, path))
        except (CommandError, SystemExit) as error:
            ended.append(error)

    with_rows = body in (FILES["NUL bytes"], FILES["a thousand columns"], FILES["the same column twice"])
    if with_rows or command != "import_costs":
        as_request(attempt)
    else:
        with unchanged():
            as_request(attempt)
    assert ended
    assert not Contact.objects.filter(name__contains="\ufffd").exists()
