"""Account verification on the ordering side: asks each account's institution and puts the answers together."""

import sqlite3
from typing import Final

import msgspec

from connector.domain.errors import NotFound
from connector.domain.messages import AccountToVerify, Verification, VerificationReport, VerificationRequest
from connector.iso20022.scheme import Job as Purpose
from simulators import inbox, outbox
from simulators.house import Answer, House, Outgoing
from simulators.inbox import Envelope, Facts, Kept, Leg, Result, Verdict
from simulators.orders import Reply
from simulators.outbox import Job
from simulators.world import SWITCH_CODE, WORLD, institution_of

_GOOD: Final = "GOOD"
_BAD: Final = "BAD"
_ACCOUNTS: Final = msgspec.msgpack.Decoder(list[AccountToVerify])


class Verifying:
    """The role of the bank that is asked about accounts elsewhere."""

    def __init__(self, house: House) -> None:
        """Take the institution's parts."""
        self._house = house

    def ask(self, request: VerificationRequest, name: str, sender: str, reply: Reply | None = None) -> Answer:
        """Take a request once, and pass it on to the institutions whose accounts they are; the answer comes later."""
        envelope = Envelope(sender, name, request.message_id, inbox.digest_of(inbox.encode(request.accounts)))
        with self._house.database.transaction() as link:
            if inbox.find(link, sender, name, request.message_id) is None:
                self._accept(link, request, envelope, reply or Reply())
        return Answer(202)

    def report(self, link: sqlite3.Connection, kept: Kept, _only: object = ()) -> Answer:
        """Give the results, where they are complete."""
        if kept.state != inbox.FINAL:
            return Answer(204)
        return Answer(200, self._house.write(self._report_name(kept), self._results(link, kept, "F"), kept.sender))

    def compose(self, job: Job) -> Outgoing:
        """Make the question to an institution, or the report to the one who asked."""
        with self._house.database.transaction() as link:
            if job.kind == "verified":
                kept = inbox.read(link, job.message)
                return self._house.to(job.target, self._report_name(kept), self._results(link, kept, "F"))
            kept, leg = inbox.read(link, job.message), inbox.leg(link, job.message, job.leg)
        question = VerificationRequest(
            leg.out_id, self._house.clock.now(), kept.facts.initiating_party, leg.institution, _accounts(leg)
        )
        name = self._house.towards(leg.institution).scheme.message(Purpose.VERIFICATION)
        return self._house.to(leg.institution, name, question)

    def answered(self, report: VerificationReport) -> None:
        """Take in an institution's results; raises ``NotFound`` where nothing was asked under that id."""
        with self._house.database.transaction() as link:
            leg = inbox.leg_of(link, report.original_message_id)
            if leg is None:
                raise NotFound("message", report.original_message_id)
            reasons = {result.id: result.reason for result in report.results if not result.verified}
            self._note(link, leg, reasons)

    def refused_leg(self, message: int, number: int, reason: str) -> None:
        """Give up a question that its institution does not take."""
        with self._house.database.transaction() as link:
            leg = inbox.leg(link, message, number)
            self._note(link, leg, {account.id: reason for account in _accounts(leg)})

    def failed(self, link: sqlite3.Connection, kept: Kept) -> list[tuple[str, str]]:
        """List the ids that were not verified, with their reasons."""
        return [(one.id, one.reason) for one in self._each(link, kept) if not one.verified]

    def _accept(
        self,
        link: sqlite3.Connection,
        request: VerificationRequest,
        envelope: Envelope,
        reply: Reply,
    ) -> None:
        facts = Facts(
            count=len(request.accounts),
            initiating_party=request.initiating_party,
            reply_url=reply.url,
            correlation_id=reply.correlation_id,
            batch_id=reply.batch_id,
        )
        kept = inbox.keep(link, envelope, self._house.clock(), facts)
        places = _by_institution(request)
        for number, (place, accounts) in enumerate(places.items()):
            out_id = f"{self._house.code}{kept.number:08d}L{number}"
            unknown = Result(_BAD, dict.fromkeys(range(len(accounts)), Verdict(_BAD, "RC01")))
            result = None if place else unknown
            inbox.add_leg(link, Leg(kept.number, number, place, out_id, inbox.encode(accounts), result))
            if place:
                outbox.put(link, Job(f"leg-{out_id}", "verify", place, kept.number, number))
        if set(places) <= {""}:
            self._finish(link, kept)

    def _note(self, link: sqlite3.Connection, leg: Leg, reasons: dict[str, str]) -> None:
        if leg.result is not None:
            return
        bad = {
            position: Verdict(_BAD, reasons[account.id])
            for position, account in enumerate(_accounts(leg))
            if account.id in reasons
        }
        if inbox.answer(link, leg, Result(_GOOD, bad)):
            self._finish(link, inbox.read(link, leg.message))

    def _finish(self, link: sqlite3.Connection, kept: Kept) -> None:
        inbox.finish(link, kept.number, inbox.FINAL, kept.at)
        kind = "callback" if kept.facts.reply_url else "verified"
        outbox.put(link, Job(f"report-{kept.number}", kind, kept.sender, kept.number))

    def _report_name(self, kept: Kept) -> str:
        return self._house.towards(kept.sender).report(kept.name, Purpose.VERIFICATION_REPORT)

    def _results(self, link: sqlite3.Connection, kept: Kept, suffix: str) -> VerificationReport:
        return VerificationReport(
            message_id=f"{self._house.code}R{kept.number}{suffix}",
            created=self._house.clock.now(),
            original_message_id=kept.message_id,
            initiating_party=kept.facts.initiating_party,
            results=self._each(link, kept),
        )

    def _each(self, link: sqlite3.Connection, kept: Kept) -> list[Verification]:
        return [
            Verification(account.id, position not in exceptions, exceptions.get(position, Verdict("")).reason)
            for leg in inbox.legs(link, kept.number)
            for exceptions in [leg.result.exceptions if leg.result else {}]
            for position, account in enumerate(_accounts(leg))
        ]


def _accounts(leg: Leg) -> list[AccountToVerify]:
    return _ACCOUNTS.decode(leg.items)


def _by_institution(request: VerificationRequest) -> dict[str, list[AccountToVerify]]:
    places: dict[str, list[AccountToVerify]] = {}
    for account in request.accounts:
        place = account.agent or request.agent or institution_of(account.account)
        known = place in WORLD and place != SWITCH_CODE
        places.setdefault(place if known else "", []).append(account)
    return places
