"""The magic values of the switch: it reports like a payer bank, and checks amounts like one."""

from typing import Final

from simulators.bank import faults

ROUTER: Final = faults.PAYER
