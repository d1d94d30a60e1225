"""Paying: what a Source BB does to hand a batch over and to learn what became of it."""

import time
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

import gevent
import msgspec

from connector.cli.people import Person, payable_people
from connector.cli.source_bb import credit_v1, credit_v3
from connector.domain.money import minor_units
from loadtests.locust.callbacks import Said
from loadtests.locust.timeline import FINAL, PAYMENTS
from loadtests.locust.users.role import Role

SOURCE = "LOADSOURCE01"
"""Who pays where no tokens name anybody: the contracts want 12 characters."""


class Order(NamedTuple):
    """A batch that can be handed over again and again: as v1.0 and as v3.0 have it; minor: its sum."""

    instructions: list[dict[str, Any]]
    body: bytes
    minor: int


class Payer(Role):
    """Somebody who can pay."""

    abstract = True
    name = SOURCE

    def speak(self) -> int:
        """Choose in whose name to speak; gives the number of the block of people to pay."""
        names = list(self.process.tokens.sources) or [SOURCE]
        block = self.process.new_block()
        self.name = names[block % len(names)]
        self.token = self.process.tokens.sources.get(self.name, "")
        return block

    def pay_v3(self, order: Order) -> tuple[str, Said | None]:
        """Hand a batch over and wait for the final callback; gives the batch's id."""
        headers = {
            "X-CorrelationID": self.process.new_id(),
            "Platform-TenantId": self.name,
            "X-Program-Id": self.terms.programme,
            "X-Registering-Institution-ID": self.name,
            "X-Callback-URL": self.process.callback_url,
        }
        path = "/batchtransactions?type=raw"
        _, answer = self.ask("POST", path, "/batchtransactions", body=order.body, headers=headers)
        batch = str(answer["batchId"])
        return batch, self.process.book.final(batch, self.terms.patience)

    def pay_v1(self, order: Order) -> tuple[str, Said | None]:
        """Hand a batch over and ask for its status until nothing is ongoing; gives the batch's id."""
        batch = self.process.new_id()
        body = {
            "RequestID": batch,
            "SourceBBID": self.name,
            "BatchID": batch,
            "CreditInstructions": order.instructions,
        }
        headers = {"X-Program-Id": self.terms.programme}
        self.ask("POST", "/bulk-payment", "/bulk-payment", body=msgspec.json.encode(body), headers=headers)
        deadline = time.time() + self.terms.patience
        while time.time() < deadline:
            gevent.sleep(self.terms.poll)
            said = self.status_of(batch)
            if said.get("ongoing") == 0:
                return batch, Said(time.time(), said)
        return batch, None

    def status_of(self, batch: str) -> Mapping[str, Any]:
        """Ask how a batch stands (v3.0)."""
        path = f"/api/v1/batch?batchId={batch}&X-CorrelationID={self.process.new_id()}"
        found: Mapping[str, Any] = self.ask("POST", path, "/api/v1/batch")[1]
        return found

    def details_of(self, batch: str) -> list[Mapping[str, Any]]:
        """Fetch the first page of a batch's payments (v3.0)."""
        path = f"/api/v1/batch/detail?batchId={batch}&pageNo=0&pageSize=100"
        headers = {"Platform-TenantId": self.name}
        found: list[Mapping[str, Any]] = self.ask("GET", path, "/api/v1/batch/detail", headers=headers)[1]
        return found

    def onboard(self, path: str, people: Sequence[Person]) -> None:
        """Register people in the account mapper, or say again where they are paid (v1.0)."""
        entries = [
            {"PayeeFunctionalID": one.functional_id, "PaymentModality": one.modality, "FinancialAddress": one.address}
            for one in people
        ]
        body = {"RequestID": self.process.new_id(), "SourceBBID": self.name, "Beneficiaries": entries}
        self.ask("POST", path, path, body=msgspec.json.encode(body))

    def record(self, sent: float, said: Said, order: Order) -> None:
        """Note the end of a batch; what is not paid as it was ordered is counted apart."""
        number, completed = len(order.instructions), int(said.body["completed"])
        minor = self._paid(said.body)
        timeline, seconds = self.process.timeline, said.at - sent
        right = (number, order.minor) == (completed, minor)
        timeline.answer(said.at, FINAL, seconds, failed=not right)
        timeline.count(said.at, PAYMENTS, completed + int(said.body["failed"]))
        timeline.count(said.at, "payments completed", completed)
        timeline.count(said.at, "minor units paid", minor)
        timeline.count(said.at, "payments failed", number - completed)
        self.environment.events.request.fire(
            request_type="END",
            name=FINAL,
            response_time=seconds * 1000,
            response_length=0,
            exception=None if right else ValueError(f"{completed} of {number} paid"),
            context={},
        )

    def chase(self, batch: str) -> None:
        """Tell apart what was not reported in time: finished without a word to us, or not finished."""
        said = self.status_of(batch)
        finished = said.get("ongoing") == 0
        self.process.count("callbacks missing" if finished else "batches unfinished")
        if finished:
            self.process.count("minor units paid", self._paid(said))

    def _paid(self, said: Mapping[str, Any]) -> int:
        return minor_units(Decimal(str(said["completed_amount"])), self.terms.currency)


def order_of(people: Sequence[Person], size: int, currency: str, number: int) -> Order:
    """Write a batch: other people and other amounts for every number."""
    amounts = [1000 + (number * 97 + place) % 9000 for place in range(size)]
    payees = [people[(number * size + place) % len(people)] for place in range(size)]
    v1, v3 = (
        [credit(place, payees[place], amounts[place], currency) for place in range(size)]
        for credit in (credit_v1, credit_v3)
    )
    return Order(v1, msgspec.json.encode(v3), sum(amounts))


def people_of(block: int, number: int) -> list[Person]:
    """Give the people of a block."""
    return list(payable_people(number, block * number))
