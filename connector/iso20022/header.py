"""The business application header (head.001) that may stand beside a Document."""

import re
from typing import Final, NamedTuple

from connector.iso20022.formats import escaped
from connector.iso20022.parsing import Element

LONGEST_IDENTIFIER: Final = 35
_BIC: Final = re.compile(r"[A-Z0-9]{4}[A-Z]{2}[A-Z0-9]{2}([A-Z0-9]{3})?")


class BusinessHeader(NamedTuple):
    """What a head.001 says; fields that it leaves out are "".

    sender and receiver: BIC, clearing member id, other id or name, the first that is given; created: as it stands
    there.
    """

    sender: str = ""
    receiver: str = ""
    business_message_id: str = ""
    message: str = ""
    created: str = ""
    service: str = ""


def read_header(element: Element) -> BusinessHeader:
    """Read an AppHdr of any version and in any namespace."""
    return BusinessHeader(
        sender=_identifier(element.find("{*}Fr")),
        receiver=_identifier(element.find("{*}To")),
        business_message_id=_text(element, "BizMsgIdr"),
        message=_text(element, "MsgDefIdr"),
        created=_text(element, "CreDt"),
        service=_text(element, "BizSvc"),
    )


def header_path(where: str) -> str:
    """The place of a schema fault, as a path from the AppHdr on."""
    return f"AppHdr/{where}".rstrip("/")


def write_header(header: BusinessHeader, namespace: str, signature: str = "", *, bics: bool = True) -> str:
    """Write an AppHdr of the version that has this namespace; signature: what stands in Sgntr.

    bics: institutions are named by BIC where their identifier has the form of one.

    The result is for validation: an empty sender, for example, is not noticed here. Raises ``Refused`` for control
    characters.
    """
    parts = [
        f'<AppHdr xmlns="{namespace}">',
        f"<Fr>{_party(header.sender, bics)}</Fr><To>{_party(header.receiver, bics)}</To>",
        f"<BizMsgIdr>{_safe(header.business_message_id)}</BizMsgIdr>",
        f"<MsgDefIdr>{_safe(header.message)}</MsgDefIdr>",
        f"<BizSvc>{_safe(header.service)}</BizSvc>" if header.service else "",
        f"<CreDt>{_safe(header.created)}</CreDt>",
        f"<Sgntr>{signature}</Sgntr>" if signature else "",
        "</AppHdr>",
    ]
    return "".join(parts)


def _party(identifier: str, bics: bool) -> str:
    """Name an institution by its identifier, and an organisation by its name: that has spaces, or is longer."""
    given = _safe(identifier)
    if " " in identifier or len(identifier) > LONGEST_IDENTIFIER:
        return f"<OrgId><Nm>{given}</Nm></OrgId>"
    inner = f"<BICFI>{given}</BICFI>" if bics and _BIC.fullmatch(identifier) else f"<Othr><Id>{given}</Id></Othr>"
    return f"<FIId><FinInstnId>{inner}</FinInstnId></FIId>"


def _safe(text: str) -> str:
    return escaped([text], "AppHdr")[0]


def _identifier(party: Element | None) -> str:
    """The first identifying text below Fr or To, whichever of the many ways was chosen."""
    if party is None:
        return ""
    for name in ("BICFI", "AnyBIC", "MmbId", "Id", "Nm"):
        for element in party.iter(f"{{*}}{name}"):
            text = (element.text or "").strip()
            if text:
                return text
    return ""


def _text(element: Element, name: str) -> str:
    return (element.findtext(f"{{*}}{name}") or "").strip()
