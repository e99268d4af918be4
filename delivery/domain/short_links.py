"""Short links in texts: a number and a short signature, for every character of an SMS is paid for.

The number packs organisation, message and the place among the text's addresses, so nothing is looked up to write one,
and a second try writes the same. 40 bits of keyed BLAKE2b sign it: whoever guessed a billion a day would need a year
and a half to count one click that nobody made, and would be led nowhere that we did not write down.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from string import ascii_letters, digits

from delivery.domain import utm

ALPHABET = digits + ascii_letters  # no character at which a phone might end a link
VALUES = {letter: value for value, letter in enumerate(ALPHABET)}
SIGNATURE_BYTES = 5
LONGEST_TOKEN = 48
ADDRESS = re.compile(r'https?://[^\s<>"]+', re.IGNORECASE)
SENTENCE_ENDS = ".,;:!?'’”»"
PAIRS = {")": "(", "]": "["}


@dataclass(frozen=True)
class Place:
    """Which address of which message a short link stands for."""

    organization_id: int
    message_id: int
    place: int


def make(signing_key: bytes, place: Place) -> str:
    """The token of a short link: 13 to 15 characters for most."""
    payload = b"".join(map(_packed, (place.organization_id, place.message_id, place.place)))
    signature = hashlib.blake2b(payload, key=signing_key, digest_size=SIGNATURE_BYTES).digest()
    number = int.from_bytes(payload + signature)
    letters = []
    while number:
        number, value = divmod(number, len(ALPHABET))
        letters.append(ALPHABET[value])
    return "".join(reversed(letters))


def read(keys: Sequence[bytes], token: str) -> Place | None:
    """What a token says, or None when it is not one of ours. The first key signs, the others are older ones."""
    if not 0 < len(token) <= LONGEST_TOKEN or not all(letter in VALUES for letter in token):
        return None
    number = 0
    for letter in token:
        number = number * len(ALPHABET) + VALUES[letter]
    payload = number.to_bytes((number.bit_length() + 7) // 8)[:-SIGNATURE_BYTES]
    numbers = _unpacked(payload)
    if len(numbers) != 3:
        return None
    place = Place(*numbers)
    return place if any(hmac.compare_digest(make(key, place), token) for key in keys) else None


def _packed(number: int) -> bytes:
    """Seven bits a byte, the least first; the highest bit says that more follow."""
    found = bytearray()
    while number > 0x7F:
        found.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*found, number])


def _unpacked(payload: bytes) -> list[int]:
    numbers, number, shift = [], 0, 0
    for byte in payload:
        number |= (byte & 0x7F) << shift
        shift += 7
        if byte <= 0x7F:
            numbers.append(number)
            number, shift = 0, 0
    return numbers


def replaced(text: str, short: Callable[[int], str], kept: Collection[str] = ()) -> tuple[str, list[str]]:
    """The text with `short(place)` for each web address that is not `kept`, and the addresses by their places."""
    places: dict[str, int] = {}

    def one(match: re.Match[str]) -> str:
        address = _without_sentence(match[0])
        if address in kept or not utm.is_web_address(address):
            return match[0]
        return short(places.setdefault(address, len(places))) + match[0][len(address) :]

    return ADDRESS.sub(one, text), list(places)


def _without_sentence(address: str) -> str:
    """Without the full stop or bracket that belongs to the sentence around it."""
    while address and (address[-1] in SENTENCE_ENDS or _closes_nothing(address)):
        address = address[:-1]
    return address


def _closes_nothing(address: str) -> bool:
    opening = PAIRS.get(address[-1])
    return opening is not None and address.count(address[-1]) > address.count(opening)
