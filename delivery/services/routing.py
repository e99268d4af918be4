"""Which message leaves through which account, and which accounts are open now."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol, TypeVar

from audience.models import MessageChannel
from common import clock, sealing
from common.errors import Permanent
from delivery import providers
from delivery.models import Provider, Sender
from delivery.providers import contract, site
from delivery.providers.contract import ProviderUnavailable, Settings

MOST_KEPT = 100
# Their messages go to one provider for each kind of device that the contact has.
BY_DEVICE = frozenset({MessageChannel.PUSH})


@dataclass(frozen=True)
class Route:
    """One way out of the house. `key` changes with the account's settings, so a kept connection is never a stale one.

    `settings()` raises `ProviderUnavailable` when the secrets cannot be read.
    """

    key: str
    name: str
    provider: contract.Provider
    settings: Callable[[], Settings]
    account_id: int | None = None
    is_switched_on: bool = True
    is_probe: bool = False  # it is paused, and one message may try whether it works again
    # Of a message that goes to several devices: the ways, by the kind of device that each reaches.
    by_device: Mapping[str, Route] = field(default_factory=dict)


@dataclass(frozen=True)
class Lane:
    """Messages that may be claimed now: those of a channel, with the listed senders or with all but those."""

    channel: str
    senders: tuple[int, ...] = ()
    is_listed: bool = False


EVERY_EMAIL = Lane(MessageChannel.EMAIL)


def _no_connection(settings: Settings) -> contract.Connection:
    raise ProviderUnavailable("each device has a way of its own")


TO_DEVICES = contract.Provider("devices", "Devices", ("push",), (), _no_connection)


class _HasSender(Protocol):
    @property
    def sender_id(self) -> int | None: ...


Sent = TypeVar("Sent", bound=_HasSender)


class Routes:
    """The ways of the current organisation, as they are at this moment: two short queries."""

    def __init__(self) -> None:
        self._rows = {row.pk: row for row in Provider.objects.all()}
        self._senders: dict[int, int | None] = {}
        self._default_sender: int | None = None
        for pk, provider_id, is_default in Sender.objects.values_list("pk", "provider_id", "is_default"):
            self._senders[pk] = provider_id
            if is_default:
                self._default_sender = pk

    def of(self, channel: str, sender_id: int | None = None) -> Route | None:
        """The way of a message; None when nothing is set up for its channel."""
        if channel == MessageChannel.EMAIL:
            known = sender_id if sender_id in self._senders else self._default_sender
            row = self._rows.get(self._senders.get(known) or 0) if known is not None else None
            row = row or self._default(channel)
            return _route(row) if row is not None else _configured()
        if channel in BY_DEVICE:
            return self._to_devices(channel)
        if channel in providers.BUILT_IN:
            return Route(channel, "the built-in inbox", providers.BUILT_IN[channel], dict)
        row = self._default(channel)
        return _route(row) if row is not None else None

    def _to_devices(self, channel: str) -> Route | None:
        ways = {
            provider.device_kind: _route(row)
            for row in self._rows.values()
            if row.channel == channel and row.is_default and (provider := providers.of_kind(row.kind)).device_kind
        }
        if not ways:
            return None
        key = " and ".join(sorted(way.key for way in ways.values()))
        return Route(key, "the push services", TO_DEVICES, dict, by_device=ways)

    def grouped(self, channel: str, recipients: Sequence[Sent]) -> list[tuple[Route, list[Sent]]]:
        """Recipients of one channel by the way that each message takes, in their order."""
        ways = {sender_id: self.of(channel, sender_id) for sender_id in {each.sender_id for each in recipients}}
        groups: dict[str, tuple[Route, list[Sent]]] = {}
        for recipient in recipients:
            route = ways[recipient.sender_id]
            assert route is not None, "messages without a way are not claimed"
            groups.setdefault(route.key, (route, []))[1].append(recipient)
        return list(groups.values())

    def repeatable(self) -> list[str]:
        """Channels of which every provider recognises a message that it has had already."""
        ways = {channel: [self.of(channel)] for channel in MessageChannel.values}
        ways[MessageChannel.EMAIL] += [self.of(MessageChannel.EMAIL, pk) for pk in self._senders]
        return [
            channel
            for channel, routes in ways.items()
            if all(route is not None and route.provider.remembers for route in routes)
        ]

    def unchanged_since(self) -> datetime | None:
        """Since when every message has gone the way that it would go now; None when there never was another."""
        return max((row.updated_at for row in self._rows.values()), default=None)

    def still_open(self, route: Route) -> Route:
        """The route, if nobody paused or changed its account since. Raises `ProviderUnavailable`."""
        row = self._rows.get(route.account_id or 0)
        if row is None:
            if route.provider is site.PROVIDER and Provider.objects.filter(kind=site.PROVIDER.name).exists():
                raise ProviderUnavailable("the mail server was paused")
            return route
        untouched = Provider.objects.filter(pk=row.pk, revision=row.revision, is_active=True)
        untouched = untouched.filter(paused_at=row.paused_at, probe_at=row.probe_at)
        if not untouched.exists():
            raise ProviderUnavailable("the account was paused or changed")
        return route

    def lanes(self, is_resting: Callable[[Route], bool]) -> Iterator[Lane]:
        """What may be claimed now, channel by channel: paused, switched off and resting accounts wait."""

        def is_open(route: Route | None) -> bool:
            if route is not None and route.by_device:
                return any(is_open(way) for way in route.by_device.values())
            return route is not None and route.is_switched_on and not is_resting(route)

        yield from self._lane_of_email(is_open)
        for channel in MessageChannel.values:
            if channel != MessageChannel.EMAIL and is_open(self.of(channel)):
                yield Lane(channel)

    def _lane_of_email(self, is_open: Callable[[Route | None], bool]) -> Iterator[Lane]:
        usual = is_open(self.of(MessageChannel.EMAIL))
        # Senders that fare otherwise than messages without one.
        others = tuple(pk for pk in self._senders if is_open(self.of(MessageChannel.EMAIL, pk)) != usual)
        if usual or others:
            yield Lane(MessageChannel.EMAIL, others, is_listed=not usual)

    def _default(self, channel: str) -> Provider | None:
        rows = [row for row in self._rows.values() if row.channel == channel]
        default = next((row for row in rows if row.is_default), None)
        # Paused once, EMAIL_URL has a row, which stands in as EMAIL_URL does without one.
        return default or next((row for row in rows if row.kind == site.PROVIDER.name), None)


def _configured() -> Route:
    """Where EMAIL_URL leads; shared by all organisations that set up nothing of their own."""
    return Route(f"url {site.url()}", "the mail server", site.PROVIDER, dict)


def _may_probe(row: Provider) -> bool:
    return row.paused_at is not None and row.probe_at is not None and row.probe_at <= clock.now()


def _route(row: Provider) -> Route:
    return Route(
        key=f"account {row.pk} {row.revision}",
        name=row.name,
        provider=providers.of_kind(row.kind),
        settings=lambda: _unsealed(row),
        account_id=row.pk,
        is_switched_on=row.is_active and (row.paused_at is None or _may_probe(row)),
        is_probe=_may_probe(row),
    )


# (account, revision) → its settings with the secrets. Opening the seal costs more than a look here.
_kept: OrderedDict[tuple[int, int], Settings] = OrderedDict()


def _unsealed(row: Provider) -> Settings:
    key = (row.pk, row.revision)
    if key not in _kept:
        try:
            _kept[key] = whole_settings(row)
        except Permanent as error:
            raise ProviderUnavailable(error.message) from error
        if len(_kept) > MOST_KEPT:
            _kept.popitem(last=False)
    return _kept[key]


def whole_settings(row: Provider) -> Mapping[str, Any]:
    """The settings of an account with its secrets, as `Provider.connect` takes them, with its number and channel.

    Raises `Permanent`.
    """
    values = {field.name: field.default for field in providers.of_kind(row.kind).fields}
    stored: dict[str, Any] = row.settings
    return values | stored | sealing.unseal(row.sealed_secrets) | {"account_id": row.pk, "channel": row.channel}
