"""Pages of people and what they do."""

from audience.admin.catalogue import AttributeDefinitionAdmin, EventDefinitionAdmin
from audience.admin.consents import ConsentAdmin, SuppressionAdmin, TopicAdmin
from audience.admin.contacts import ContactAdmin
from audience.admin.intake import ImportAdmin, IngestBatchAdmin, RejectedEventAdmin
from audience.admin.predictions import ContactPredictionAdmin, PredictionDefinitionAdmin

__all__ = [
    "AttributeDefinitionAdmin",
    "ConsentAdmin",
    "ContactAdmin",
    "ContactPredictionAdmin",
    "EventDefinitionAdmin",
    "ImportAdmin",
    "IngestBatchAdmin",
    "PredictionDefinitionAdmin",
    "RejectedEventAdmin",
    "SuppressionAdmin",
    "TopicAdmin",
]
