"""What a model expects of a contact crossed a line, or moved into another band; and the same for health scores."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec

from audience.models import PredictionDefinition
from audience.notices import PredictionChange
from automations.configuration import Filter, Wrong, says
from automations.triggers.base import Happening, TriggerKind
from automations.words import quoted

BANDS = {"low": "Low", "medium": "Medium", "high": "High"}
# A health score is a prediction of which more is better; these are the words for its bands.
HEALTH = {"low": "critical", "medium": "at risk", "high": "healthy"}


def key_of(name: str) -> str:
    """What news of this prediction is listened to by."""
    return f"prediction:{name}"


def facts(name: str, change: PredictionChange) -> dict[str, Any]:
    """What a change tells the run that it starts."""
    told = {"name": name, "before": change.before, "after": change.after}
    return {"prediction": told | {"band_before": change.band_before, "band_after": change.band_after}}


class Configuration(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`line`, or `band`. A first prediction that lies beyond crosses too; staying beyond does not cross again."""

    name: Annotated[str, says("Prediction", type="choice", source="prediction", examples=["churn_14d"])]
    direction: Annotated[
        Literal["up", "down"],
        says("Crosses", labels={"up": "Upwards", "down": "Downwards"}, examples=["up"]),
    ] = "up"
    line: Annotated[float | None, says("The line of", "Such as 0.7 of a score.", examples=[0.7])] = None
    band: Annotated[
        Literal["low", "medium", "high"] | None, says("Or comes into the band", "In place of a line.", labels=BANDS)
    ] = None
    filter: Filter = None


class HealthConfiguration(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The health score is whichever prediction is named so; low is critical."""

    becomes: Annotated[
        Literal["low", "medium", "high"] | None,
        says("Becomes", "Left empty: any other.", labels={band: word.capitalize() for band, word in HEALTH.items()},
             examples=["low"]),
    ] = None  # fmt: skip
    name: Annotated[str, says("Health score", type="choice", source="prediction")] = "health_score"
    filter: Filter = None


def check(configuration: Configuration, wrong: Wrong) -> None:
    _check_name(configuration.name, wrong)
    if (configuration.line is None) == (configuration.band is None):
        wrong("line", "name a line or a band, and not both")


def check_health(configuration: HealthConfiguration, wrong: Wrong) -> None:
    _check_name(configuration.name, wrong)


def _check_name(name: str, wrong: Wrong) -> None:
    if not PredictionDefinition.objects.filter(name=name).exists():
        wrong("name", f"there is no prediction {quoted(name)}; define it under Predictions, or name another")


def admits(configuration: Configuration, happening: Happening) -> bool:
    """Whether this very news crosses."""
    told = happening.facts["prediction"]
    before, after, line = told["before"], told["after"], configuration.line
    if line is None:
        return bool(told["band_after"] == configuration.band and told["band_before"] != configuration.band)
    if configuration.direction == "up":
        return bool(after >= line and (before is None or before < line))
    return bool(after < line and (before is None or before >= line))


def admits_health(configuration: HealthConfiguration, happening: Happening) -> bool:
    """Whether it came into another band, the wanted one if there is one."""
    told = happening.facts["prediction"]
    is_moved = told["band_after"] != told["band_before"]
    return is_moved and configuration.becomes in (None, told["band_after"])


def _label(name: str) -> str:
    return PredictionDefinition.objects.filter(name=name).values_list("label", flat=True).first() or name


def sentence(configuration: Configuration) -> str:
    name = quoted(_label(configuration.name))
    if configuration.band is not None:
        return f"When the prediction {name} becomes {configuration.band}"
    way = "reaches" if configuration.direction == "up" else "falls below"
    return f"When the prediction {name} {way} {configuration.line:g}"


def health_sentence(configuration: HealthConfiguration) -> str:
    if configuration.becomes is None:
        return "When the health of a contact changes"
    return f"When the health of a contact becomes {HEALTH[configuration.becomes]}"


TRIGGER = TriggerKind(
    "Prediction crossed a line",
    "Starts when what a model expects of a contact crosses a line, or comes into a band; each crossing once.",
    Configuration,
    key=lambda configuration: key_of(configuration.name),
    sentence=sentence,
    admits=admits,
    check=check,
    group="Predictions",
)
HEALTH_CHANGED = TriggerKind(
    "Health changed",
    "Starts when the health score of a contact becomes critical, at risk or healthy.",
    HealthConfiguration,
    key=lambda configuration: key_of(configuration.name),
    sentence=health_sentence,
    admits=admits_health,
    check=check_health,
    group="Predictions",
)
