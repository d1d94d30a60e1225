"""An operator's messages: it reads by the institutions' shared profile."""

from connector.iso20022.engine import Received
from simulators.house import PROFILE, House


def read(house: House, body: bytes) -> Received:
    """Read a message; raises ``Refused``."""
    return house.engine.read(body, profile=PROFILE)
