"""What models expect of contacts, as tables joined to them: one per name, and only what still holds."""

from __future__ import annotations

from segments.rules.parameters import NOW, ONCE, ORGANIZATION, Parameters


class Predictions:
    """The predictions a statement asks for, joined to the alias `contact`.

    Plans (tests/test_prediction_rules.py holds them): for everybody one pass over the rows of the name; `is_probed`
    is for a few contacts, and keeps to a probe of one_prediction_per_contact each, whatever the planner believes.
    """

    def __init__(self, parameters: Parameters, contact: str, *, is_probed: bool = False) -> None:
        self._parameters = parameters
        self._contact = contact
        self._is_probed = is_probed
        self._aliases: dict[str, str] = {}
        self._required: set[str] = set()

    def alias(self, name: str) -> str:
        """Where `value`, `band` and `valid_until` of a prediction stand; all NULL for whom none holds."""
        return self._aliases.setdefault(name, f"prediction{len(self._aliases)}")

    def require(self, name: str) -> None:
        """Leave out contacts without this prediction."""
        self._required.add(name)

    def joins(self) -> str:
        return "\n".join(self._join(name, alias) for name, alias in self._aliases.items())

    def _join(self, name: str, alias: str) -> str:
        holds = (
            f"{alias}.organization_id = {ORGANIZATION} AND {alias}.name = {self._parameters.bind(name, 'text')} "
            f"AND {alias}.contact_id = {self._contact}.id AND {alias}.valid_until > {NOW}"
        )
        if self._is_probed:
            probe = f"SELECT {alias}.* FROM audience_contactprediction {alias} WHERE {holds} {ONCE}"
            return f"LEFT JOIN LATERAL ({probe}) {alias} ON true"
        return f"{'' if name in self._required else 'LEFT '}JOIN audience_contactprediction {alias} ON {holds}"
