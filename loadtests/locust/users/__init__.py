"""Who uses an instance: one module a role. Importing them patches the sockets of the process."""

from typing import Final

from loadtests.locust.users.merchant import Merchant
from loadtests.locust.users.operator import Operator
from loadtests.locust.users.payer_bank import PayerBank
from loadtests.locust.users.source_bb import SourceBB

__all__ = ["ROLES", "Merchant", "Operator", "PayerBank", "SourceBB"]

ROLES: Final = (SourceBB, Merchant, PayerBank, Operator)
