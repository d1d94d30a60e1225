"""The Source BB: onboards people, has payments checked, pays in batches, and learns what became of them."""

import time
from itertools import count
from typing import Final

import gevent
import msgspec
from locust import task

from loadtests.locust.users.paying import Payer, order_of, people_of

ONBOARDED_AT_ONCE: Final = 500
UPDATED: Final = 50
PREVALIDATED: Final = 50
BODIES: Final = 4
"""Different batches that a user hands over in turn; they are written beforehand."""


class SourceBB(Payer):
    """Pays people of its own, one batch after the other, and waits for the end of each."""

    weight = 4

    def prepare(self) -> None:
        """Register the people, and write the batches."""
        self.people = people_of(self.speak(), self.terms.people)
        for start in range(0, len(self.people), ONBOARDED_AT_ONCE):
            self.onboard("/register-beneficiary", self.people[start : start + ONBOARDED_AT_ONCE])
        size, currency = self.terms.batch_size, self.terms.currency
        self.orders = [order_of(self.people, size, currency, number) for number in range(BODIES)]
        self.turns = count()
        self.latest = ""

    @task(100)
    def pay(self) -> None:
        """Hand a batch over and wait until nothing of it is ongoing."""
        order = self.orders[next(self.turns) % BODIES]
        sent = time.time()
        batch, said = self.pay_v3(order) if self.terms.sync == "callback" else self.pay_v1(order)
        if said is None:
            return self.chase(batch)
        self.latest = batch
        return self.record(sent, said, order)

    @task(2)
    def prevalidate(self) -> None:
        """Have payments checked, and fetch the result."""
        ids = {"RequestID": self.process.new_id(), "BatchID": self.process.new_id()}
        body = {**ids, "SourceBBID": self.name, "CreditInstructions": self.orders[0].instructions[:PREVALIDATED]}
        self.ask("POST", "/prepayment-validation", "/prepayment-validation", body=msgspec.json.encode(body))
        question = {"RequestID": ids["RequestID"], "Source_BatchID": ids["BatchID"]}
        path, deadline = "/prepayment-validation-response", time.time() + self.terms.patience
        while time.time() < deadline:
            if "NumberFailedCases" in self.ask("POST", path, path, body=question)[1]:
                return
            gevent.sleep(self.terms.poll)
        self.process.count("prevalidations unanswered")

    @task(2)
    def update(self) -> None:
        """Say again where some people are paid."""
        self.onboard("/update-beneficiary-details", self.people[:UPDATED])

    @task(10)
    def ask_status(self) -> None:
        """Ask how the latest batch stands."""
        if self.latest:
            self.status_of(self.latest)

    @task(2)
    def look_at_payments(self) -> None:
        """Look at the first page of the latest batch."""
        if self.latest:
            self.details_of(self.latest)
