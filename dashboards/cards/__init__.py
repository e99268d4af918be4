"""The table of cards: one module and one line each."""

from common.registry import Registry
from dashboards.cards import live, money, viral
from dashboards.cards.base import Card

CARDS: Registry[Card] = Registry("card", {card.name: card for card in [*live.CARDS, *money.CARDS, *viral.CARDS]})
