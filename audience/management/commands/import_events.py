from audience.management.importing import ImportCommand


class Command(ImportCommand):
    kind = "events"
    help = """Import events from a CSV or JSON-lines file, through the same door as live events.

  manage.py import_events orders.csv --map invoice=message_id --map customer=user_id --map when=timestamp
  manage.py import_events export.jsonl.gz --organization acme --errors refused.csv --json

Needs a column event and one of user_id, anonymous_id, email; other columns become properties.
A JSON line that is a Segment message (it has a type) is taken as it is.
Events are counted once per message_id; without that column, once per row of the file.
Exit codes: 0 done, 1 not possible, 3 done but some rows were refused, 130 interrupted."""
