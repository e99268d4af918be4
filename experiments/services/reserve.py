"""The people who take part in no experiment at all."""

from __future__ import annotations

import secrets

from django.db import transaction

from accounts import audit, versions
from experiments.models import Reserve


def set_reserve(share: float) -> Reserve:
    """Keep this share of everybody (0 to 0.5) out of what is drawn from now on. Raises `Invalid`.

    The same people for all experiments; a larger share keeps those who are out, and who has an arm keeps it.
    """
    with transaction.atomic():
        held = Reserve.objects.select_for_update().first()
        if held is None:
            held = Reserve(share=share, salt=f"reserve-{secrets.token_hex(8)}")
            versions.clean(held)
            held.save()
            audit.created(held)
            return held
        with audit.changing(held):
            held.share = share
            versions.clean(held)
            held.save(update_fields=["share"])
    return held
