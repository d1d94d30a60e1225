"""The merchant: vouchers are handed out, activated and redeemed at the till (v1.0)."""

import random
from decimal import Decimal
from typing import Any, Final

import gevent
from locust import task

from connector.domain.money import minor_units
from loadtests.locust.users.role import Role

IN_PROGRESS: Final = 503
TRIES: Final = 20
ACCOUNTS: Final = ("1000006004", "2000006004", "+99970006004", "+99971006004")
"""Of the sandbox's four payee institutions; nothing but the address decides where the money goes."""


class Merchant(Role):
    """Takes one voucher after the other through its life."""

    weight = 2

    def prepare(self) -> None:
        """Take the name of a Source BB that may speak, or of one that the sandbox knows."""
        tokens = self.process.tokens.sources
        self.caller = next(iter(tokens), "bb-digital-registries")
        self.token = tokens.get(self.caller, "")
        self.account = random.choice(ACCOUNTS)  # noqa: S311 - any of them

    @task(5)
    def sell(self) -> None:
        """Hand a voucher out, activate it, look at it, redeem it, and see that it is gone."""
        serial, number, minor = self._activated()
        path = f"/vouchers/voucherstatuscheck/{serial}"
        self.ask("GET", path, "/vouchers/voucherstatuscheck", good=(200,))
        self._redeem(number, minor)
        self.ask("GET", path, "/vouchers/voucherstatuscheck (redeemed)", good=(458,))

    @task(1)
    def keep(self) -> None:
        """Hand a voucher out that nobody redeems yet."""
        self._activated()

    def _activated(self) -> tuple[str, str, int]:
        wanted = {
            "voucher_amount": "25.00",
            "voucher_currency": self.terms.currency,
            "voucher_group": self.terms.voucher_group,
            "Gov_Stack_BB": self.caller,
        }
        path = "/vouchers/voucher_preactivation"
        _, made = self.ask("POST", path, path, body=wanted)
        body = {"voucher_serial_number": made["voucher_serial_number"], "Gov_Stack_BB": self.caller}
        path = "/vouchers/voucher_activation"
        self.ask("PATCH", path, path, body=body)
        minor = minor_units(Decimal(wanted["voucher_amount"]), self.terms.currency)
        return made["voucher_serial_number"], made["voucher_number"], minor

    def _redeem(self, number: str, minor: int) -> None:
        """Redeem it; while the merchant's payment is in progress, the same request goes on with it."""
        path = "/vouchers/voucher_redemption"
        body: dict[str, Any] = {
            "voucher_number": number,
            "Gov_Stack_BB": self.caller,
            "merchant_name": "Load test",
            "merchant_bank_details": self.account,
            "merchant_voucher_group": self.terms.voucher_group,
            "override": False,
        }
        for _ in range(TRIES):
            if self.ask("POST", path, path, body=body, good=(200, IN_PROGRESS))[0] != IN_PROGRESS:
                self.process.count("vouchers redeemed")
                self.process.count("minor units redeemed", minor)
                return
            self.process.count("redemptions that were in progress")
            gevent.sleep(self.terms.poll)
        self.process.count("redemptions unfinished")
