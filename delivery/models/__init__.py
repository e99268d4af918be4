"""The tables of this room, by noun."""

from delivery.models.content import Content, MessageKind
from delivery.models.counts import MailCount
from delivery.models.deliverability import (
    DkimKey,
    LaneDay,
    MailboxDomain,
    PauseScope,
    ReputationCheck,
    SendingDomain,
    SendingPause,
    SlowLane,
)
from delivery.models.engagement import Engagement, EngagementKind
from delivery.models.holdouts import HeldOut, Holdout
from delivery.models.inbox import InboxMessage, Placement
from delivery.models.letters import ConfirmationLetter, Farewell, LeavingReason
from delivery.models.limits import CapRule, Frequency, Preference, QuietHours, Weekday
from delivery.models.mailbox import MailboxMessage
from delivery.models.messages import Attempt, Claim, Hold, Message, MessageStatus, Priority, SourceType, Weight
from delivery.models.policy import DeliveryPolicy
from delivery.models.prices import MessagePrice
from delivery.models.providers import Provider
from delivery.models.reports import ProviderCall, ProviderReport
from delivery.models.senders import Sender
from delivery.models.short_links import ShortLink
from delivery.models.sync import SyncedItem, SyncKind, SyncOutcome
from delivery.models.visits import Visit

__all__ = [
    "Attempt",
    "CapRule",
    "Claim",
    "ConfirmationLetter",
    "Content",
    "DeliveryPolicy",
    "DkimKey",
    "Engagement",
    "EngagementKind",
    "Farewell",
    "Frequency",
    "HeldOut",
    "Hold",
    "Holdout",
    "InboxMessage",
    "LaneDay",
    "LeavingReason",
    "MailCount",
    "MailboxDomain",
    "MailboxMessage",
    "Message",
    "MessageKind",
    "MessagePrice",
    "MessageStatus",
    "PauseScope",
    "Placement",
    "Preference",
    "Priority",
    "Provider",
    "ProviderCall",
    "ProviderReport",
    "QuietHours",
    "ReputationCheck",
    "Sender",
    "SendingDomain",
    "SendingPause",
    "ShortLink",
    "SlowLane",
    "SourceType",
    "SyncKind",
    "SyncOutcome",
    "SyncedItem",
    "Visit",
    "Weekday",
    "Weight",
]
