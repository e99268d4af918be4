"""The packed retail history of the demo, written straight into the tables."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import msgspec
from django.db import connection

from audience.services import partitions
from common import tenancy
from marketing_site.demo import retail
from segments.tests.people import definition

LAST_DAY = date(2026, 11, 20)
NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)

PEOPLE_SQL = """
INSERT INTO audience_contact
  (organization_id, name, user_id, country, first_seen_at, last_seen_at, created_at, updated_at)
SELECT %(organization)s, 'Customer ' || number, 'customer-' || number, country, first_at, first_at, first_at, first_at
FROM unnest(%(customers)s::int[], %(countries)s::text[], %(first)s::timestamptz[]) row(number, country, first_at)"""
EVENTS_SQL = """
INSERT INTO audience_event
  (organization_id, contact_id, definition_id, message_key, happened_at, received_at, properties)
SELECT %(organization)s, contact.id, row.definition, gen_random_uuid(), row.at, row.at, row.properties::jsonb
FROM unnest(%(customers)s::text[], %(definitions)s::bigint[], %(at)s::timestamptz[], %(properties)s::text[])
     row(customer, definition, at, properties)
JOIN audience_contact contact ON contact.user_id = row.customer AND contact.organization_id = %(organization)s"""


def load() -> None:
    """4 372 customers with their 22 190 orders and refunds, the last one on LAST_DAY."""
    invoices = list(retail.invoices(LAST_DAY))
    first: dict[int, retail.Invoice] = {}
    for invoice in invoices:
        first.setdefault(invoice.customer, invoice)
    order = definition("order_completed", order_id="text", total="number", currency="text", item_count="number",
                       lines="list")  # fmt: skip
    refund = definition("order_refunded", total="number", currency="text", lines="list")
    with tenancy.engine(), connection.cursor() as cursor:
        partitions.ensure_months([invoice.happened_at for invoice in invoices])
        cursor.execute(PEOPLE_SQL, {
            "organization": tenancy.required(), "customers": list(first),
            "countries": [invoice.country for invoice in first.values()],
            "first": [invoice.happened_at for invoice in first.values()],
        })  # fmt: skip
        cursor.execute("ANALYZE audience_contact")
        cursor.execute(EVENTS_SQL, {
            "organization": tenancy.required(),
            "customers": [f"customer-{invoice.customer}" for invoice in invoices],
            "definitions": [refund if invoice.is_cancellation else order for invoice in invoices],
            "at": [invoice.happened_at for invoice in invoices],
            "properties": [_properties(invoice) for invoice in invoices],
        })  # fmt: skip
        cursor.execute("ANALYZE audience_event")


def _properties(invoice: retail.Invoice) -> str:
    lines: list[dict[str, Any]] = [{"sku": line.sku, "name": line.name} for line in invoice.lines]
    document = {"order_id": invoice.number, "total": abs(invoice.total_minor) / 100, "currency": retail.CURRENCY,
                "item_count": sum(line.quantity for line in invoice.lines), "lines": lines}  # fmt: skip
    return msgspec.json.encode(document).decode()
