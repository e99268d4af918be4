"""The tables of this room, by noun."""

from delivery.models.content import Content, MessageKind
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
from delivery.models.mailbox import MailboxMessage
from delivery.models.messages import Attempt, Claim, Hold, Message, MessageStatus, Priority, SourceType
from delivery.models.policy import DeliveryPolicy
from delivery.models.providers import Provider
from delivery.models.senders import Sender

__all__ = [
    "Attempt",
    "Claim",
    "Content",
    "DeliveryPolicy",
    "DkimKey",
    "Engagement",
    "EngagementKind",
    "Hold",
    "LaneDay",
    "MailboxDomain",
    "MailboxMessage",
    "Message",
    "MessageKind",
    "MessageStatus",
    "PauseScope",
    "Priority",
    "Provider",
    "ReputationCheck",
    "Sender",
    "SendingDomain",
    "SendingPause",
    "SlowLane",
    "SourceType",
]
