"""How institutions misbehave on request: by rules set through the admin API and by published magic values.

A rule says *when* (account, amount, currency, message, share of the payments) and *then* (a status with a reason, a
report that misbehaves, a return days later, an HTTP status). The first rule that fits a payment decides; what no rule
fits is looked up among the magic values of the institution's kind.
"""

import re
import sqlite3
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Final

import msgspec

from connector.domain.messages import Transfer
from simulators.inbox import Verdict

SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS rule (number INTEGER PRIMARY KEY, used INTEGER NOT NULL, body BLOB NOT NULL) STRICT;
"""
TABLES: Final = ("rule",)

REPORTS: Final = frozenset(
    {
        "late",
        "twice",
        "silent",
        "mute",
        "out-of-order",
        "malformed",
        "wrong-totals",
        "unknown-message",
        "parts",
        "pending",
        "lost-answer",
        "lost",
    }
)
RECALLS: Final = frozenset({"accept", "refuse", "pending", "pending-refuse", "silent"})
REQUESTS: Final = frozenset({"accept", "refuse", "pending", "ignore"})
INQUIRIES: Final = frozenset({"silent", "unknown"})
STATEMENTS: Final = frozenset({"missing", "differing", "unexpected"})
RETURN_DAYS: Final = 3.0
LATE_SECONDS: Final = 3600.0
SECONDS_A_DAY: Final = 86_400.0

_WORDS: Final = {
    "report": REPORTS,
    "recall": RECALLS,
    "request": REQUESTS,
    "inquiry": INQUIRIES,
    "statement": STATEMENTS,
}

Share = Annotated[float, msgspec.Meta(ge=0, le=1)]
Seconds = Annotated[float, msgspec.Meta(ge=0, le=10_000_000)]
Code = Annotated[str, msgspec.Meta(max_length=4, pattern=r"^[A-Z0-9]*$")]


class When(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Which payments a rule is for; what is left out fits everything.

    account: regular expression found anywhere in the creditor's account; amount_minor: exactly this amount;
    share: this part of the payments, chosen by a hash of the end-to-end id, so the same ones every time.
    """

    account: str = ""
    amount_minor: int | None = None
    currency: str = ""
    share: Share | None = None


class Then(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What happens: to the payment (status, reason, return), to the report about its message, or to the request.

    cut_off: time of day (UTC) after which an order for today is executed tomorrow; recall: what a wish to get the
    payment back comes to, request: what a request to pay comes to (both with ``reason`` and ``delay_seconds``);
    inquiry: how a question about the message is answered; time_out: reason with which the payments are rejected
    whose institution never answers; notify: bookings are notified; statement: how statements get the payment wrong.
    """

    status: Code = ""
    reason: Code = ""
    information: Annotated[str, msgspec.Meta(max_length=105)] = ""
    whole_message: bool = False
    return_after_days: Annotated[float, msgspec.Meta(ge=0, le=365)] | None = None
    report: str = ""
    delay_seconds: Seconds = LATE_SECONDS
    http: Annotated[int, msgspec.Meta(ge=400, le=599)] | None = None
    cut_off: Annotated[str, msgspec.Meta(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")] = ""
    recall: str = ""
    request: str = ""
    inquiry: str = ""
    time_out: Code = ""
    notify: bool = False
    statement: str = ""


class Rule(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A rule; times: for how many messages it is good (left out: for all)."""

    when: When
    then: Then
    times: Annotated[int, msgspec.Meta(ge=1)] | None = None


@dataclass(slots=True)
class Decision:
    """What is to happen to one message.

    verdicts: the payments that are not simply accepted; returns: payments given back later, with days and reason;
    group: the message refused as a whole; report: how the report misbehaves; http: the answer's status instead;
    recalls: what recalling a payment comes to; all else as in ``Then``.
    """

    verdicts: dict[int, Verdict] = field(default_factory=dict)
    returns: dict[int, tuple[float, str]] = field(default_factory=dict)
    group: Verdict | None = None
    report: str = ""
    delay_seconds: float = LATE_SECONDS
    http: int | None = None
    cut_off: str = ""
    recalls: dict[int, Then] = field(default_factory=dict)
    request: Then | None = None
    inquiry: str = ""
    time_out: str = ""
    notify: bool = False


@dataclass(frozen=True, slots=True)
class Magic:
    """The published magic values of an institution's kind: by the account's last four digits, by the amount."""

    accounts: Mapping[str, Then] = field(default_factory=dict)
    amounts: Mapping[int, Then] = field(default_factory=dict)

    def of(self, transfer: Transfer) -> Then | None:
        """Look a payment up, by account first."""
        return self.accounts.get(transfer.creditor_account[-4:]) or self.amounts.get(transfer.amount_minor)


def rejects(codes: Mapping[str, str]) -> dict[str, Then]:
    """Make a table in which each key stands for a rejection with a reason."""
    return {key: Then(status="RJCT", reason=code) for key, code in codes.items()}


class Faults:
    """The rules of one institution, kept in its file; its roles bring their magic values along."""

    def __init__(self, link: sqlite3.Connection) -> None:
        """Load the rules that were set before."""
        self._rules: list[tuple[int, Rule]] = []
        self.load(link)

    def load(self, link: sqlite3.Connection) -> None:
        """Read the rules that are still good for something."""
        rows = link.execute("SELECT number, used, body FROM rule ORDER BY number").fetchall()
        rules = [(number, used, msgspec.json.decode(body, type=Rule)) for number, used, body in rows]
        self._rules = [(number, rule) for number, used, rule in rules if rule.times is None or used < rule.times]

    def rules(self) -> list[Rule]:
        """List the rules in the order in which they are tried."""
        return [rule for _, rule in self._rules]

    def replace(self, link: sqlite3.Connection, rules: Iterable[Rule]) -> None:
        """Put these rules in the place of all others."""
        link.execute("DELETE FROM rule")
        link.executemany(
            "INSERT INTO rule (used, body) VALUES (0, ?)", [(msgspec.json.encode(rule),) for rule in rules]
        )
        self.load(link)

    def decide(
        self, link: sqlite3.Connection, magic: Magic, transfers: Sequence[Transfer], currency: str
    ) -> Decision:
        """Say what is to happen to a message with these payments, and count the rules that it used up."""
        decision = Decision()
        if not self._rules:
            _judge_by_magic(decision, magic, transfers)
            return decision
        used: set[int] = set()
        for position, transfer in enumerate(transfers):
            found = self._rule_for(transfer, currency)
            used.add(found[0] if found else 0)
            then = found[1].then if found else magic.of(transfer)
            if then:
                _apply(decision, position, then)
        self._use_up(link, used)
        return decision

    def foretell(self, magic: Magic, transfer: Transfer, currency: str) -> Then | None:
        """Say what a payment's rule or magic value is, counting nothing."""
        found = self._rule_for(transfer, currency)
        return found[1].then if found else magic.of(transfer)

    def _rule_for(self, transfer: Transfer, currency: str) -> tuple[int, Rule] | None:
        return next((found for found in self._rules if _fits(found[1].when, transfer, currency)), None)

    def _use_up(self, link: sqlite3.Connection, used: set[int]) -> None:
        limited = [(number,) for number, rule in self._rules if number in used and rule.times is not None]
        if limited:
            link.executemany("UPDATE rule SET used = used + 1 WHERE number = ?", limited)
            self.load(link)


def parse(body: bytes) -> list[Rule]:
    """Read rules from JSON; raises ``msgspec.ValidationError`` or ``ValueError`` naming what is wrong."""
    rules = msgspec.json.decode(body, type=list[Rule])
    for rule in rules:
        for name, words in _WORDS.items():
            word = getattr(rule.then, name)
            if word and word not in words:
                raise ValueError(f"{name} is one of {', '.join(sorted(words))}")
        try:
            re.compile(rule.when.account)
        except re.error as fault:
            raise ValueError(f"account is no regular expression: {fault}") from fault
    return rules


def _judge_by_magic(decision: Decision, magic: Magic, transfers: Sequence[Transfer]) -> None:
    """The usual case, kept fast: nearly no payment has a magic value."""
    amounts = magic.amounts
    suspects = [
        position
        for position, transfer in enumerate(transfers)
        if transfer.creditor_account[-4:-2] == "99" or transfer.amount_minor in amounts
    ]
    for position in suspects:
        then = magic.of(transfers[position])
        if then:
            _apply(decision, position, then)


def _fits(when: When, transfer: Transfer, currency: str) -> bool:
    return (
        (not when.account or re.search(when.account, transfer.creditor_account) is not None)
        and (when.amount_minor is None or when.amount_minor == transfer.amount_minor)
        and (not when.currency or when.currency == currency)
        and (when.share is None or zlib.crc32(transfer.end_to_end_id.encode()) < when.share * 2**32)
    )


def _apply(decision: Decision, position: int, then: Then) -> None:
    verdict = Verdict(then.status, then.reason, then.information)
    if then.whole_message:
        decision.group = verdict
    elif then.return_after_days is not None:
        decision.returns[position] = (then.return_after_days, then.reason or "AC04")
    elif then.status:
        decision.verdicts[position] = verdict
    if then.report:
        decision.report, decision.delay_seconds = then.report, then.delay_seconds
    decision.http = then.http or decision.http
    decision.cut_off = then.cut_off or decision.cut_off
    if then.recall:
        decision.recalls[position] = then
    decision.request = decision.request or (then if then.request else None)
    decision.inquiry = then.inquiry or decision.inquiry
    decision.time_out = then.time_out or decision.time_out
    decision.notify = then.notify or decision.notify
