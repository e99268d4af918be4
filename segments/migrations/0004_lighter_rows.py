"""Fewer indexes on the tables that take millions of rows; a check is keyed by segment and contact."""

import django.db.models.deletion
import django.db.models.fields.composite
from django.db import migrations, models

import common.tenancy


def _key(model: str, related_name: str, on_delete: object) -> models.ForeignKey:
    return models.ForeignKey(
        db_constraint=False, db_index=False, on_delete=on_delete, related_name=related_name, to=model
    )


class Migration(migrations.Migration):
    dependencies = [("audience", "0001_initial"), ("segments", "0003_membership_history")]

    operations = [
        migrations.AlterField("membership", "segment", _key("segments.segment", "memberships", models.CASCADE)),
        migrations.AlterField("membership", "contact", _key("audience.contact", "memberships", models.CASCADE)),
        migrations.AlterField("recheck", "segment", _key("segments.segment", "+", models.DO_NOTHING)),
        migrations.AlterField("recheck", "contact", _key("audience.contact", "+", models.DO_NOTHING)),
        migrations.DeleteModel("FlipCheck"),
        migrations.CreateModel(
            name="FlipCheck",
            fields=[
                (
                    "organization_id",
                    models.BigIntegerField(
                        db_default=common.tenancy.CurrentOrganization(),
                        default=common.tenancy.current,
                        editable=False,
                    ),
                ),
                (
                    "pk",
                    django.db.models.fields.composite.CompositePrimaryKey(
                        "segment_id", "contact_id", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("segment", _key("segments.segment", "+", models.DO_NOTHING)),
                ("contact", _key("audience.contact", "+", models.DO_NOTHING)),
                ("flips_at", models.DateTimeField()),
            ],
            options={"indexes": [models.Index(fields=["organization_id", "flips_at"], name="flips_due")]},
        ),
    ]
