"""Who is who: which contact each incoming message belongs to, decided for a whole block in memory.

Rules, in order of trust:
- A user id is one person. Two contacts with different user ids are never merged by themselves.
- An e-mail address is strong too: it joins contacts unless their user ids differ.
- An anonymous or device id is weak (people share devices): it brings an *anonymous* contact into the one that
  signed in, and otherwise only says whose page view it was. Two known contacts that share a cookie stay apart.
- A phone number finds a contact when nothing better is known; it merges nobody.
- An alias is the client's own word that two ids are one person. It folds in a contact that is known by nothing
  but the aliased id; a contact with an e-mail address or another user id needs a person to decide.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from audience.domain.incoming import Incoming, Rejected

Name = tuple[str, str]  # (kind, value) of an identity

USER_ID, EMAIL, PHONE, DEVICE_ID, ANONYMOUS_ID = "user_id", "email", "phone", "device_id", "anonymous_id"


@dataclass(eq=False)
class Person:
    """A contact in this block. `id` is 0 until a new one is stored."""

    id: int = 0
    user_id: str = ""
    email: str = ""
    into: Person | None = None

    @property
    def is_known(self) -> bool:
        return bool(self.user_id or self.email)


@dataclass
class Joined:
    """An existing contact that was found to be another one."""

    loser: Person
    winner: Person
    reason: str


@dataclass
class Resolver:
    """Holds the identities a block touches. Give it every stored one first (`know`), then ask `resolve` in order."""

    owners: dict[Name, Person] = field(default_factory=dict)
    contacts: dict[int, Person] = field(default_factory=dict)
    created: list[Person] = field(default_factory=list)
    attached: dict[Name, Person] = field(default_factory=dict)
    joined: list[Joined] = field(default_factory=list)

    def know(self, kind: str, value: str, contact_id: int, user_id: str, email: str) -> None:
        person = self.know_contact(contact_id, user_id, email)
        self.owners[kind, value] = person

    def know_contact(self, contact_id: int, user_id: str, email: str) -> Person:
        person = self.contacts.get(contact_id)
        if person is None:
            person = self.contacts[contact_id] = Person(contact_id, user_id, email)
        return person

    def resolve(self, message: Incoming) -> Person:
        """The contact a message belongs to, made when nobody fits. Raises `Rejected` when it names nobody."""
        if message.contact_id:
            return self._stored(message.contact_id)
        if message.alias_of:
            return self._alias(message.alias_of, message.user_id, message.is_renamed)
        user_id, email = message.user_id, message.email
        weak = [
            (kind, value)
            for kind, value in ((ANONYMOUS_ID, message.anonymous_id), (DEVICE_ID, message.device_id))
            if value
        ]
        if user_id:
            person = self._by_user_id(user_id, email, weak)
        elif email:
            person = self._by_email(email, weak)
        else:
            person = self._by_weak(weak, message.phone)
        for name in weak:
            self._attach(name, person)
        if message.phone:
            self._attach((PHONE, message.phone), person)
        return person

    def _stored(self, contact_id: int) -> Person:
        person = self.contacts.get(contact_id)
        if person is None:
            raise Rejected("unknown_contact", f"There is no contact {contact_id}.")
        return last(person)

    def _owner(self, name: Name) -> Person | None:
        person = self.owners.get(name)
        return last(person) if person is not None else None

    def _by_user_id(self, user_id: str, email: str, weak: list[Name]) -> Person:
        person = self._owner((USER_ID, user_id))
        by_email = self._owner((EMAIL, email)) if email else None
        if person is None:
            candidates = [by_email, *(self._anonymous(name) for name in weak)]
            person = next((one for one in candidates if one and not one.user_id), None) or self._new()
            person.user_id = user_id
            self._attach((USER_ID, user_id), person)
        if by_email is not None and by_email is not person and not by_email.user_id:
            person = self._join(by_email, person, f"the same e-mail address as user id {user_id}")
        for name in weak:
            person = self._take_in_anonymous(name, person)
        if email:
            self._set_email(person, email)
        return person

    def _by_email(self, email: str, weak: list[Name]) -> Person:
        person = self._owner((EMAIL, email))
        if person is None:
            person = next((one for name in weak if (one := self._anonymous(name))), None)
            person = person or self._new()
        for name in weak:
            person = self._take_in_anonymous(name, person)
        self._set_email(person, email)
        return person

    def _by_weak(self, weak: list[Name], phone: str) -> Person:
        names = [*weak, (PHONE, phone)] if phone else weak
        if not names:
            raise Rejected(
                "no_identity", "The event names nobody: it has no user id, anonymous id or e-mail address."
            )
        # The first name decides; a device alone says little while the browser has an id of its own.
        decisive = self._owner(names[0])
        if decisive is None and names[0][0] == DEVICE_ID and phone:
            decisive = self._owner((PHONE, phone))
        return decisive or self._new()

    def _anonymous(self, name: Name) -> Person | None:
        owner = self._owner(name)
        return owner if owner is not None and not owner.is_known else None

    def _take_in_anonymous(self, name: Name, person: Person) -> Person:
        owner = self._anonymous(name)
        if owner is None or owner is person:
            return person
        return self._join(owner, person, f"{name[0]} {name[1]} signed in")

    def _set_email(self, person: Person, email: str) -> None:
        self._attach((EMAIL, email), person)
        person.email = person.email or email

    def _alias(self, first: str, second: str, is_renamed: bool) -> Person:
        one, other = self._named(first), self._named(second)
        if one is None and other is None:
            one = self._new()
            one.user_id = second
        person = other or one
        assert person is not None
        if one is not None and other is not None and one is not other:
            loser, winner = self._foldable(one, other, first, second)
            person = self._join(loser, winner, f"alias of {first} and {second}")
        elif not person.user_id or (is_renamed and person.user_id == first):
            person.user_id = second
        # Which kind of id an alias names is not said, so both kinds lead to the person from now on.
        for value in (first, second):
            self._attach((USER_ID, value), person)
        self._attach((ANONYMOUS_ID, first), person)
        return person

    def _named(self, value: str) -> Person | None:
        return self._owner((USER_ID, value)) or self._owner((ANONYMOUS_ID, value))

    @staticmethod
    def _foldable(one: Person, other: Person, first: str, second: str) -> tuple[Person, Person]:
        """Which of two contacts goes into the other; raises `Rejected` when both are known in their own right."""
        for loser, winner, name in ((one, other, first), (other, one, second)):
            if not loser.is_known or (loser.user_id == name and not loser.email) or not loser.user_id:
                return loser, winner
        raise Rejected(
            "alias_conflict",
            f'"{first}" and "{second}" are two known contacts, each with an e-mail address or user id of its own; '
            "they are not merged by an alias.",
        )

    def _new(self) -> Person:
        person = Person()
        self.created.append(person)
        return person

    def _attach(self, name: Name, person: Person) -> None:
        """Give a name to a contact unless it is somebody's already."""
        if name not in self.owners:
            self.owners[name] = self.attached[name] = person

    def _join(self, loser: Person, winner: Person, reason: str) -> Person:
        if loser is winner:
            return winner
        # Keep the stored row when the other one is only made in this block.
        if winner.id == 0 and loser.id:
            loser, winner = winner, loser
        winner.user_id = winner.user_id or loser.user_id
        winner.email = winner.email or loser.email
        loser.into = winner
        if loser.id:
            self.joined.append(Joined(loser, winner, reason))
        return winner


def last(person: Person) -> Person:
    """The contact a person became after all merges."""
    while person.into is not None:
        person = person.into
    return person


def names_of(message: Incoming) -> Iterable[Name]:
    """Every identity a message may touch, for the one look-up of a block."""
    if message.user_id:
        yield USER_ID, message.user_id
    if message.anonymous_id:
        yield ANONYMOUS_ID, message.anonymous_id
    if message.device_id:
        yield DEVICE_ID, message.device_id
    if message.email:
        yield EMAIL, message.email
    if message.phone:
        yield PHONE, message.phone
    if message.alias_of:
        yield USER_ID, message.alias_of
        yield ANONYMOUS_ID, message.alias_of
        yield ANONYMOUS_ID, message.user_id
