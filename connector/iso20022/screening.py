"""Holds a value against its scheme's rules before it is written: limits, characters, lengths, codes.

Names and free texts are transliterated where the scheme says so; ids, accounts and codes never are. What may not be
written is refused with the field, the index of the payment and the position in the text. What was changed or will be
cut is noted, by place and without the text itself.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from operator import attrgetter
from typing import Any, Final, NamedTuple
from unicodedata import name as name_of

from connector.domain.errors import Fault, Refused
from connector.domain.messages import CreditTransfer, Message, PaymentRequest
from connector.domain.money import exponent, is_currency
from connector.iso20022.characters import Alphabet
from connector.iso20022.fields import SHAPES, Shape
from connector.iso20022.profile import Profile, Rule
from connector.iso20022.scheme import Limits, Scheme
from iso20022_schemas.structure import Node

FREE_TEXTS: Final = frozenset(
    {
        *("initiating_party", "assigner", "debtor_name", "creditor_name", "name", "debtor_town", "creditor_town"),
        *("remittance", "information", "group_information", "description"),
    }
)
"""Fields that may be transliterated; all others are written as they are or not at all."""

PAYMENTS: Final = {"CreditTransfer": "transfers", "PaymentRequest": "requests"}
"""The values that pay, and where their payments are; limits and mandatory fields hold for these alone."""


@dataclass(slots=True)
class Written:
    """A text field that a profile writes; cut: the least length that it is cut to somewhere, 0 for nowhere."""

    cut: int = 0


@dataclass(slots=True)
class Use:
    """What a profile writes of one level: its text fields, and its collections."""

    fields: dict[str, Written] = field(default_factory=dict)
    collections: "dict[str, Use]" = field(default_factory=dict)


def uses(profile: Profile, root: Node) -> Use:
    """What the write part of a checked profile writes."""
    top = Use()
    if profile.write is not None:
        shape = SHAPES[profile.value]
        _Walk(top, shape, top, shape).children(profile.write, root)
    return top


class _Walk(NamedTuple):
    """A walk over a profile; ``use`` is the level at hand, ``top`` the message's."""

    top: Use
    top_shape: Shape
    use: Use
    shape: Shape

    def children(self, rule: Rule, node: Node) -> None:
        for child in rule.children:
            below = node.child(child.name)
            if below is not None:
                self.element(child, below)

    def element(self, rule: Rule, node: Node) -> None:
        self.text(rule, node)
        for attribute in rule.attributes:
            self.text(attribute, None)
        within = self.collection(rule) if rule.each else self
        within.children(rule, node)

    def collection(self, rule: Rule) -> "_Walk":
        outer = rule.each.startswith("../")
        use, shape = (self.top, self.top_shape) if outer else (self.use, self.shape)
        name = rule.each.removeprefix("../")
        item = shape.fields[name].item
        if item is None:
            raise rule.place.wrong("was not checked")
        return self._replace(use=use.collections.setdefault(name, Use()), shape=item)

    def text(self, rule: Rule, node: Node | None) -> None:
        outer = rule.source.startswith("../")
        use, shape = (self.top, self.top_shape) if outer else (self.use, self.shape)
        name = rule.source.removeprefix("../")
        if not name or rule.code or shape.fields[name].type is not str:
            return
        simple = node.simple if node else None
        found = use.fields.setdefault(name, Written())
        if simple and rule.cut and simple.max_length:
            found.cut = min(found.cut or simple.max_length, simple.max_length)


class Screen:
    """The rules of one scheme for what one profile writes; safe to use from several threads."""

    def __init__(self, scheme: Scheme, use: Use, alphabet: Alphabet | None) -> None:
        """Take the scheme's facts, what the profile writes, and the scheme's characters."""
        self.scheme = scheme
        self.alphabet = alphabet
        self._use = use

    def minds(self, name: str, written: Written) -> bool:
        """Whether the scheme says anything of a field's texts, or the profile cuts them."""
        return bool(self.alphabet or written.cut or self.scheme.limits.lengths.get(name))

    def check(self, value: Message, message: str) -> tuple[Message, tuple[str, ...]]:
        """The value as it may be written, and notes on what was changed or will be cut.

        Raises ``Refused`` with every fault; where: ``transfers/3/creditor_name``.
        """
        look = _Look(self, [], [])
        if isinstance(value, CreditTransfer | PaymentRequest):
            look.faults.extend(_limits(value, self.scheme, self._use, message))
        (screened,) = look.level(self._use, [value], lambda _: "")
        if look.faults:
            raise Refused(look.faults)
        return screened, tuple(look.notes)


class _Look(NamedTuple):
    """One look at one value."""

    screen: Screen
    faults: list[Fault]
    notes: list[str]

    def level(self, use: Use, rows: Sequence[Any], place: Callable[[int], str]) -> Sequence[Any]:
        """The rows of a level with everything below them; those in which nothing changes are the same objects."""
        changed: dict[int, dict[str, Any]] = {}
        for name, written in use.fields.items():
            if not self.screen.minds(name, written):
                continue
            for index, text in self.column(name, written, list(map(attrgetter(name), rows)), place):
                changed.setdefault(index, {})[name] = text
        for name, inner in use.collections.items():
            for index, row in enumerate(rows):
                items = getattr(row, name)
                screened = self.level(inner, items, _below(place(index), name)) if items else items
                if screened is not items and any(new is not old for new, old in zip(screened, items, strict=True)):
                    changed.setdefault(index, {})[name] = screened
        if not changed:
            return rows
        return [_with(row, changed[index]) if index in changed else row for index, row in enumerate(rows)]

    def column(
        self, name: str, written: Written, texts: Sequence[str], place: Callable[[int], str]
    ) -> Iterator[tuple[int, str]]:
        """The texts of a field that change; most often there are none, which two looks at all of them tell."""
        alphabet, longest = self.screen.alphabet, self.screen.scheme.limits.lengths.get(name, 0)
        if alphabet and alphabet.forbidden.search("\0".join(texts)):
            fixed = self.fixed(name, texts, place, alphabet)
        else:
            fixed = {}
        limit = min(filter(None, (longest, written.cut)), default=0)
        if limit and max(map(len, [*texts, *fixed.values()]), default=0) > limit:
            self.shorten(name, written, longest, texts, fixed, place)
        yield from fixed.items()

    def fixed(
        self, name: str, texts: Sequence[str], place: Callable[[int], str], alphabet: Alphabet
    ) -> dict[int, str]:
        """Transliterate what may be; refuse the rest."""
        found: dict[int, str] = {}
        for index, text in enumerate(texts):
            forbidden = alphabet.forbidden.search(text)
            if forbidden is None:
                continue
            where, fixed = f"{place(index)}{name}", alphabet.fix(text)
            if name not in FREE_TEXTS:
                self.faults.append(self.unfit(where, text, forbidden.start() + 1))
            elif fixed.refused:
                self.faults.append(self.unfit(where, fixed.text, fixed.refused))
            else:
                found[index] = fixed.text
                self.notes.append(f"{where}: {fixed.changed} transliterated, the first at position {fixed.first}.")
        return found

    def unfit(self, where: str, text: str, position: int) -> Fault:
        character = text[position - 1]
        known = f"U+{ord(character):04X} {name_of(character, '')}".strip()
        sentence = f"Character {position} ({known}) is not allowed in scheme {self.screen.scheme.name}."
        return Fault(where, "characters", sentence)

    def shorten(
        self,
        name: str,
        written: Written,
        longest: int,
        texts: Sequence[str],
        fixed: dict[int, str],
        place: Callable[[int], str],
    ) -> None:
        """Note what the profile cuts; refuse what is too long and not to be cut."""
        for index, original in enumerate(texts):
            text = fixed.get(index, original)
            most = longest if longest and len(text) > longest else written.cut
            if not most or len(text) <= most:
                continue
            where = f"{place(index)}{name}"
            if written.cut:
                self.notes.append(f"{where}: cut from {len(text)} to {most} characters.")
                if most == longest:
                    fixed[index] = text[:most]  # the writer cuts the others, each where the schema wants it shorter
            else:
                self.faults.append(Fault(where, "too_long", f"The text is longer than {longest} characters."))


def _below(place: str, name: str) -> Callable[[int], str]:
    return lambda index: f"{place}{name}/{index}/"


def _with(row: Any, changes: Mapping[str, Any]) -> Any:  # noqa: ANN401 - any value or item
    """A copy with some fields changed: of a named tuple or of a dataclass."""
    return row._replace(**changes) if hasattr(row, "_replace") else replace(row, **changes)


def _limits(value: CreditTransfer | PaymentRequest, scheme: Scheme, use: Use, message: str) -> Iterator[Fault]:
    """What a scheme allows of payments: how many, in which currencies, of what amounts, with which fields."""
    limits, name = scheme.limits, PAYMENTS[type(value).__name__]
    rows: Sequence[Any] = getattr(value, name)
    if limits.transactions and len(rows) > limits.transactions:
        sentence = f"Scheme {scheme.name} allows {limits.transactions} transactions in a message."
        yield Fault(message, "too_many", sentence)
    if limits.currencies and value.currency not in limits.currencies:
        yield Fault("currency", "AM03", f"Scheme {scheme.name} has no payments in this currency.")
    elif is_currency(value.currency):
        yield from _amounts(rows, f"{name}/", limits, value.currency)
    yield from _missing(value, rows, name, limits, use)


def _amounts(rows: Sequence[Any], place: str, limits: Limits, currency: str) -> Iterator[Fault]:
    unit = 10 ** exponent(currency)
    least = limits.minimum * unit if limits.minimum is not None else 0
    most = limits.maximum * unit if limits.maximum is not None else None
    amounts = [row.amount_minor for row in rows]
    if not amounts or (min(amounts) >= least and (most is None or max(amounts) <= most)):
        return
    for index, amount in enumerate(amounts):
        if amount < least:
            yield Fault(f"{place}{index}/amount_minor", "AM06", f"The least amount is {limits.minimum} {currency}.")
        elif most is not None and amount > most:
            yield Fault(f"{place}{index}/amount_minor", "AM02", f"The largest amount is {limits.maximum} {currency}.")


def _missing(value: Any, rows: Sequence[Any], name: str, limits: Limits, use: Use) -> Iterator[Fault]:  # noqa: ANN401 - a payment of either kind
    """Mandatory fields that are empty, of those that the profile writes: the payment's own, else the message's."""
    own = use.collections.get(name, Use()).fields
    for field_name in sorted(limits.required):
        sentence = f"{field_name} is mandatory in this scheme."
        if field_name in own:
            empty = [index for index, text in enumerate(map(attrgetter(field_name), rows)) if not text]
            yield from (Fault(f"{name}/{index}/{field_name}", "missing", sentence) for index in empty)
        elif field_name in use.fields and not getattr(value, field_name):
            yield Fault(field_name, "missing", sentence)
