"""The payer bank: says again what became of payments, in whole and in part, and asks how its batches stand."""

import time
from collections import defaultdict
from datetime import UTC, datetime
from typing import Final

from locust import task
from locust.exception import RescheduleTask

from loadtests.locust.users.paying import Payer, order_of, people_of

PAYMENTS: Final = 40
XML: Final = {"Content-Type": "application/xml", "X-Message-Name": "pain.002.001.10"}


class PayerBank(Payer):
    """Has a small batch of its own, about which it reports again and again: nothing of it may change anything."""

    weight = 1
    own_pause = 0.25

    def prepare(self) -> None:
        """Pay the batch, and write the reports on its messages."""
        people = people_of(self.speak(), PAYMENTS)
        self.onboard("/register-beneficiary", people)
        order = order_of(people, PAYMENTS, self.terms.currency, 0)
        sent = time.time()
        self.batch, said = self.pay_v1(order)
        if said is None:
            self.chase(self.batch)
            raise RescheduleTask
        self.record(sent, said, order)
        messages: dict[str, list[str]] = defaultdict(list)
        for each in self.details_of(self.batch):
            messages[each["workflowInstanceKey"]].append(each["transactionId"])
        self.token = self.process.tokens.institutions.get(self.terms.payer_bank, "")
        self.messages = list(messages.items())
        self.turn = 0

    @task(6)
    def repeat(self) -> None:
        """Send the whole report again."""
        message, payments = self._next()
        self._report(report(message, payments), "again")

    @task(3)
    def repeat_in_part(self) -> None:
        """Send a report on some of the payments."""
        message, payments = self._next()
        self._report(report(message, payments[: len(payments) // 2 + 1]), "in part")

    @task(1)
    def report_on_unknown(self) -> None:
        """Send a report on a message that nobody sent: it is refused."""
        self._report(report(f"LOAD{self.process.new_id()}", ["NOBODY"]), "unknown", good=(400,))

    @task(3)
    def inquire(self) -> None:
        """Ask how the batch stands."""
        self.status_of(self.batch)

    def _next(self) -> tuple[str, list[str]]:
        self.turn += 1
        return self.messages[self.turn % len(self.messages)]

    def _report(self, body: bytes, kind: str, good: tuple[int, ...] = (200,)) -> None:
        path = f"/fsp/{self.terms.payer_bank}/iso20022"
        _, answer = self.ask("POST", path, f"/fsp/{{code}}/iso20022 ({kind})", body=body, headers=XML, good=good)
        if answer.get("status") == "processed":
            self.process.count("repeats that changed something")


def report(message: str, payments: list[str]) -> bytes:
    """Write a pain.002.001.10 that says of each payment, by end-to-end id, that it is settled."""
    now = datetime.now(UTC)
    settled = "".join(
        f"<TxInfAndSts><OrgnlEndToEndId>{each}</OrgnlEndToEndId><TxSts>ACSC</TxSts></TxInfAndSts>"
        for each in payments
    )
    return (
        '<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.002.001.10"><CstmrPmtStsRpt>'
        f"<GrpHdr><MsgId>LOAD{now:%H%M%S%f}</MsgId><CreDtTm>{now:%Y-%m-%dT%H:%M:%SZ}</CreDtTm></GrpHdr>"
        f"<OrgnlGrpInfAndSts><OrgnlMsgId>{message}</OrgnlMsgId><OrgnlMsgNmId>pain.001.001.09</OrgnlMsgNmId>"
        "</OrgnlGrpInfAndSts>"
        f"<OrgnlPmtInfAndSts><OrgnlPmtInfId>{message}</OrgnlPmtInfId>{settled}</OrgnlPmtInfAndSts>"
        "</CstmrPmtStsRpt></Document>"
    ).encode()
