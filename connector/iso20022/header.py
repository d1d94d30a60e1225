"""The business application header (head.001) that may stand beside a Document."""

from typing import NamedTuple


class BusinessHeader(NamedTuple):
    """What a head.001 says; fields that it leaves out are "".

    sender and receiver: BIC, clearing member id or other id, the first that is given.
    """

    sender: str = ""
    receiver: str = ""
    business_message_id: str = ""
    message: str = ""
    created: str = ""
