"""Why a message does not go, in the words that the ledger keeps. Lists filter by how a sentence begins."""

from __future__ import annotations

ERASED = "The contact was erased."
MERGED = "The contact was merged into another one."
NO_ADDRESS = "The contact has no usable e-mail address."
NO_PHONE = "The contact has no usable phone number."
NO_DEVICE = "The contact has no device that takes push messages."
SUPPRESSED = "The address is on the suppression list."
EXPIRED = "Its shelf life ran out before it could go."
WITHDRAWN = "The contact unsubscribed."
UNCONFIRMED = "The contact has not confirmed the subscription yet."
NO_CONSENT = "The contact has not agreed to marketing e-mail."
PAUSED = "The contact paused messages for a while."
HELD_OUT = "Held out: the contact is in the group that gets nothing, so that the effect can be measured."
OVER_CAP = "The contact has had as many messages as allowed"
TOO_SOON = "Too soon after"
OWN_CAP = "The contact wants fewer messages"

REFUSALS = (
    ERASED, MERGED, NO_ADDRESS, NO_PHONE, NO_DEVICE, SUPPRESSED, EXPIRED, WITHDRAWN, UNCONFIRMED, NO_CONSENT,
    PAUSED, HELD_OUT, OVER_CAP,
    TOO_SOON, OWN_CAP,
)  # fmt: skip

# Why a queued message waits.
QUIET = "It is quiet where the contact lives."
WAITS = "Waits for its turn. "
