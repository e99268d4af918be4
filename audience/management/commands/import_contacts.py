from audience.management.importing import ImportCommand


class Command(ImportCommand):
    kind = "contacts"
    help = """Import people from a CSV or JSON-lines file, through the same door as events.

  manage.py import_contacts people.csv --dry-run
  manage.py import_contacts people.csv.gz --map "E-Mail 1=email" --map "Notes=" --errors refused.csv
  manage.py import_contacts people.jsonl --organization acme --consent email

Columns called email, name, phone, city … become standard fields, all others custom attributes.
Run the same command again after an interruption: it goes on where it stopped.
Exit codes: 0 done, 1 not possible, 3 done but some rows were refused, 130 interrupted."""
