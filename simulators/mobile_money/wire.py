"""An operator's messages: read by the scheme of whoever sends."""

from connector.iso20022.engine import Received
from simulators.house import House


def read(house: House, body: bytes, sender: str) -> Received:
    """Read a message; raises ``Refused``."""
    return house.read(body, sender)
