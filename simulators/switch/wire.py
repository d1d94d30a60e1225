"""The switch's messages: pacs in both directions, read by the institutions' shared profile."""

from typing import Final

from connector.iso20022.engine import Received
from simulators.house import PROFILE, House

REPORT: Final = "pacs.002.001.10"


def read(house: House, body: bytes) -> Received:
    """Read a message; raises ``Refused``."""
    return house.engine.read(body, profile=PROFILE)
