"""The business application header (head.001) that may stand beside a Document."""

from typing import NamedTuple

from connector.iso20022.parsing import Element


class BusinessHeader(NamedTuple):
    """What a head.001 says; fields that it leaves out are "".

    sender and receiver: BIC, clearing member id or other id, the first that is given.
    """

    sender: str = ""
    receiver: str = ""
    business_message_id: str = ""
    message: str = ""
    created: str = ""


def read_header(element: Element) -> BusinessHeader:
    """Read an AppHdr of any version and in any namespace."""
    return BusinessHeader(
        sender=_identifier(element.find("{*}Fr")),
        receiver=_identifier(element.find("{*}To")),
        business_message_id=_text(element, "BizMsgIdr"),
        message=_text(element, "MsgDefIdr"),
        created=_text(element, "CreDt"),
    )


def _identifier(party: Element | None) -> str:
    """The first identifying text below Fr or To, whichever of the many ways was chosen."""
    if party is None:
        return ""
    for name in ("BICFI", "AnyBIC", "MmbId", "Id"):
        for element in party.iter(f"{{*}}{name}"):
            text = (element.text or "").strip()
            if text:
                return text
    return ""


def _text(element: Element, name: str) -> str:
    return (element.findtext(f"{{*}}{name}") or "").strip()
