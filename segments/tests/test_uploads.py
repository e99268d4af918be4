"""A static segment from a file, and its members as a file."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client

from accounts import services as accounts
from accounts.domain.roles import Role
from accounts.models import AuditEntry, Organization
from audience.models import Identity
from common import clock, tenancy
from common.errors import Conflict, Invalid
from common.models import OutboxNotice
from segments import services
from segments.domain import uploads
from segments.domain.uploads import By
from segments.insight import explanation
from segments.models import Membership, Segment
from segments.tests import people
from segments.tests.people import NOON, city

Drain = Callable[[], int]


@pytest.fixture(autouse=True)
def _noon() -> Iterator[None]:
    with clock.freeze(NOON):
        yield


@pytest.fixture
def vips(organization: Organization) -> Segment:
    return services.create_segment(name="VIPs")


def inside(segment: Segment) -> set[int]:
    return set(Membership.objects.filter(segment=segment, left_at=None).values_list("contact_id", flat=True))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("id\n5\n7\n", [(By.ID, "5"), (By.ID, "7")]),
        ("5\nAda@Shop.example\nshop-9\n", [(By.ID, "5"), (By.EMAIL, "ada@shop.example"), (By.USER_ID, "shop-9")]),
        ("name;E-mail\nAda;ADA@x.example\n\nBob; \n", [(By.EMAIL, "ada@x.example")]),
        ("name,user_id,email\nAda,7,ada@x.example\n", [(By.EMAIL, "ada@x.example")]),
        ("customer_id\n7\n", [(By.USER_ID, "7")]),
        ("id\n99999999999999999999\nx y\n", [(By.USER_ID, "99999999999999999999"), (By.USER_ID, "x y")]),
        ("", []),
    ],
)
def test_a_file_says_by_what_it_names_people(text: str, told: list[tuple[By, str]]) -> None:
    assert list(uploads.read(io.StringIO(text))) == told


def test_ids_addresses_and_user_ids_find_their_people(vips: Segment) -> None:
    ada = people.contact(email="ada@x.example")
    bob = people.contact(user_id="shop-9")
    eve = people.contact()
    Identity.objects.create(contact=eve, kind="email", value="eve@x.example")
    survivor = people.contact()
    merged = people.contact(merged_into=survivor)

    lines = ["ADA@x.example\n", "shop-9\n", "eve@x.example\n", f"{merged.pk}\n", "nobody@x.example\n", "424242\n"]
    done = services.upload_contacts(vips, lines)

    assert inside(vips) == {ada.pk, bob.pk, eve.pk, survivor.pk}
    assert (done.lines, done.people, done.entered, done.left, done.unknown_count) == (6, 4, 4, 0, 2)
    assert sorted(done.unknown) == ["424242", "nobody@x.example"]
    vips.refresh_from_db()
    assert vips.member_count == 4


def test_odd_values_reach_the_table_as_they_are(vips: Segment) -> None:
    odd = [people.contact(user_id=text) for text in ("a\\b", "a\tb", "\\N", "a, “b”")]
    file = io.StringIO()
    csv.writer(file).writerows([["user_id"], *([row.user_id] for row in odd)])

    services.upload_contacts(vips, io.StringIO(file.getvalue(), newline=""))

    assert inside(vips) == {row.pk for row in odd}


def test_a_file_takes_out_and_replaces(vips: Segment) -> None:
    ids = [people.contact().pk for _ in range(5)]
    services.upload_contacts(vips, [f"{pk}\n" for pk in ids[:4]])

    taken = services.upload_contacts(vips, [f"{ids[0]}\n"], "remove")
    assert ((taken.entered, taken.left), inside(vips)) == ((0, 1), set(ids[1:4]))
    replaced = services.upload_contacts(vips, [f"{ids[3]}\n", f"{ids[4]}\n"], "replace")
    assert ((replaced.entered, replaced.left), inside(vips)) == ((1, 2), set(ids[3:]))
    vips.refresh_from_db()
    assert vips.member_count == 2


def test_an_upload_is_announced_and_audited_and_explains_itself(vips: Segment) -> None:
    ada = people.contact(name="Ada")

    services.upload_contacts(vips, [f"{ada.pk}\n", "unknown\n"])

    notice = OutboxNotice.objects.get(kind="MembershipChanged")
    assert (notice.payload["entered"], notice.payload["left"]) == ([ada.pk], [])
    entry = AuditEntry.objects.get(action="upload_add")
    assert entry.after == {
        "contact_count": 1, "contact_ids": [ada.pk], "mode": "add", "lines": 2, "unknown_count": 1,
    }  # fmt: skip
    assert explanation.explain(vips, ada).note == "Put in by system with an uploaded file."


def test_people_of_another_organisation_are_unknown(vips: Segment, stranger: Organization) -> None:
    with tenancy.organization(stranger.pk):
        foreign = people.contact(email="foreign@x.example")

    with pytest.raises(Invalid, match="Nobody in this file is known"):
        services.upload_contacts(vips, [f"{foreign.pk}\n", "foreign@x.example\n"])
    assert Membership.objects.count() == 0


def test_refused_files_write_nothing(vips: Segment, drain: Drain) -> None:
    ada = people.contact(city="Leeds")
    dynamic = services.create_segment(name="Leeds people", rule=city("Leeds"))
    drain()
    entries, notices = AuditEntry.objects.count(), OutboxNotice.objects.count()

    with pytest.raises(Conflict):
        services.upload_contacts(dynamic, [f"{ada.pk}\n"])
    with pytest.raises(Invalid):
        services.upload_contacts(vips, ["x" * 200_000 + "\n"])
    with pytest.raises(Invalid):
        services.upload_contacts(vips, [])
    with pytest.raises(Invalid):
        services.upload_contacts(vips, io.TextIOWrapper(io.BytesIO(b"id\n\xff\xfe5\n"), encoding="utf-8"))

    assert inside(vips) == set()
    assert (AuditEntry.objects.count(), OutboxNotice.objects.count()) == (entries, notices)


def test_many_ids_go_in_and_out_in_set_statements(vips: Segment) -> None:
    with tenancy.engine(), connection.cursor() as cursor:
        cursor.execute(
            """INSERT INTO audience_contact
                 (organization_id, email, first_seen_at, last_seen_at, created_at, updated_at)
               SELECT %s, 'p' || n || '@x.example', now(), now(), now(), now() FROM generate_series(1, 20000) n
               RETURNING id""",
            [tenancy.required()],
        )
        ids = [row[0] for row in cursor.fetchall()]

    done = services.upload_contacts(vips, (f"{pk}\n" for pk in ids))
    assert (done.people, done.entered) == (20_000, 20_000)
    assert OutboxNotice.objects.filter(kind="MembershipChanged").count() == 11
    services.delete_segment(vips)
    assert Membership.objects.count() == 0


# --- on the page -------------------------------------------------------------------------------------


def page(segment: Segment, name: str) -> str:
    return f"/admin/segments/segment/{segment.pk}/{name}/"


def text(response: Any) -> str:
    return response.content.decode()


def test_a_file_is_uploaded_on_the_page_and_strangers_are_named(admin: Client, vips: Segment) -> None:
    ada = people.contact(name="Ada Lovelace", email="ada@x.example")
    file = SimpleUploadedFile("people.csv", b"\xef\xbb\xbfemail\nada@x.example\nwho@x.example\n")

    answer = admin.post(page(vips, "upload"), {"file": file, "mode": "add"})

    assert answer.status_code == 200
    assert "1 person found in 2 lines; 1 entered, 0 left." in text(answer)
    assert "who@x.example" in text(answer)
    assert inside(vips) == {ada.pk}


def test_a_useless_file_is_refused_beside_the_field(admin: Client, vips: Segment) -> None:
    answer = admin.post(page(vips, "upload"), {"file": SimpleUploadedFile("x.csv", b"who\n"), "mode": "add"})

    assert "Nobody in this file is known here" in text(answer)
    assert inside(vips) == set()


def test_members_leave_as_a_file_that_no_spreadsheet_runs(admin: Client, vips: Segment) -> None:
    people.attribute("plan", "text")
    ada = people.contact(
        name="=HYPERLINK(1)", email="ada@x.example", attributes={"plan": "@pro"}, tags=["a", "b"], phone="+44 1"
    )
    bob = people.contact(name="Zoë")
    services.add_contacts(vips, [ada.pk, bob.pk])

    answer: Any = admin.post(page(vips, "export"))

    raw = b"".join(answer.streaming_content).decode("utf-8-sig")
    lines = list(csv.DictReader(io.StringIO(raw)))
    assert [line["id"] for line in lines] == [str(bob.pk), str(ada.pk)]
    assert lines[0]["name"] == "Zoë"
    assert {key: lines[1][key] for key in ("name", "phone", "tags", "plan", "entered_at")} == {
        "name": "'=HYPERLINK(1)", "phone": "'+44 1", "tags": "a, b", "plan": "'@pro",
        "entered_at": "2026-06-15T12:00:00+00:00",
    }  # fmt: skip
    assert answer["Content-Disposition"] == 'attachment; filename="vips.csv"'
    assert AuditEntry.objects.get(action="export").after == {"contact_count": 2}


def test_an_export_goes_on_from_block_to_block(admin: Client, vips: Segment, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("segments.insight.members.EXPORT_BLOCK", 2)
    ids = [people.contact().pk for _ in range(5)]
    services.add_contacts(vips, ids)

    answer: Any = admin.post(page(vips, "export"))

    lines = list(csv.reader(io.StringIO(b"".join(answer.streaming_content).decode("utf-8-sig"))))
    assert [int(line[0]) for line in lines[1:]] == ids[::-1]


def sign_in(client: Client, role: Role) -> None:
    user = accounts.ensure_user(f"{role}@acme.example", password="correct horse battery")
    accounts.add_member(user, role)
    client.force_login(user)


def test_a_role_that_only_reads_uploads_and_restores_nothing(client: Client, vips: Segment) -> None:
    ada = people.contact()
    sign_in(client, Role.ANALYST)
    file = SimpleUploadedFile("people.csv", f"{ada.pk}\n".encode())

    assert client.post(page(vips, "upload"), {"file": file, "mode": "add"}).status_code == 403
    assert client.post(page(vips, "restore"), {"number": "1"}).status_code == 403
    assert client.post(page(vips, "rebuild")).status_code == 403
    assert client.get(page(vips, "members")).status_code == 200
    assert "Upload people" not in text(client.get(page(vips, "members")))
    assert inside(vips) == set()


def test_taking_members_away_is_a_post(admin: Client, vips: Segment) -> None:
    assert admin.get(page(vips, "export")).status_code == 405
    assert AuditEntry.objects.filter(action="export").count() == 0


def test_deleting_says_how_many_it_touches_without_naming_them(admin: Client, vips: Segment) -> None:
    services.add_contacts(vips, [people.contact().pk for _ in range(3)])

    assert "3 contacts are in it" in text(admin.get(page(vips, "delete")))
    admin.post(page(vips, "delete"), {"post": "yes"})
    assert Segment.objects.count() == 0
