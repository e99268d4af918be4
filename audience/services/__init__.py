"""Every write of this room."""

from audience.domain.internal import InternalEvent
from audience.services.consent import confirm, grant_consent, suppress, unsuppress, withdraw_consent
from audience.services.contacts import (
    add_tags,
    add_to_contacts,
    create_contact,
    delete_contact,
    refusal_of,
    remove_tags,
    update_contact,
    update_contacts,
)
from audience.services.devices import forget_device, forget_devices, register_device
from audience.services.housekeeping import purge
from audience.services.ingest import accept, organization_of, record
from audience.services.opt_in import remind, save_opt_in
from audience.services.predictions import (
    change_definition,
    define_prediction,
    delete_definition,
    record_predictions,
)
from audience.services.process import process
from audience.services.rejected import replay

__all__ = [
    "InternalEvent",
    "accept",
    "add_tags",
    "add_to_contacts",
    "change_definition",
    "confirm",
    "create_contact",
    "define_prediction",
    "delete_contact",
    "delete_definition",
    "forget_device",
    "forget_devices",
    "grant_consent",
    "organization_of",
    "process",
    "purge",
    "record",
    "record_predictions",
    "refusal_of",
    "register_device",
    "remind",
    "remove_tags",
    "replay",
    "save_opt_in",
    "suppress",
    "unsuppress",
    "update_contact",
    "update_contacts",
    "withdraw_consent",
]
