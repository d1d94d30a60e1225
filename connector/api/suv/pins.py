"""PINs, clear or hashed, as one text that the engine can keep the keyed hash of."""

from hashlib import sha256
from typing import Final

from connector.api.suv.models import SuvPinClear, SuvPinEncrypted, SuvPinHashed
from connector.domain.retail import RetailFault, RetailKind, RetailRefused

DEFAULT: Final = "SHA256"


def pin_text(pin: SuvPinClear | SuvPinHashed | SuvPinEncrypted | None, kind: RetailKind) -> str:
    """Give a PIN's text, "" for none: a clear one is the same as its SHA-256 hash.

    Raises ``RetailRefused`` PIN for an encrypted one, whose key would have to be in a security module.
    """
    match pin:
        case SuvPinClear():
            return f"{DEFAULT}:{sha256(pin.pin.encode()).hexdigest().upper()}"
        case SuvPinHashed():
            name = pin.hashedPinParameters.name if pin.hashedPinParameters else DEFAULT
            plain = "".join(letter for letter in name.upper() if letter.isalnum())
            return f"{plain}:{pin.hash.replace(',', '').upper()}"
        case SuvPinEncrypted():
            raise RetailRefused(RetailFault.PIN, "Encrypted PINs are not supported.", kind)
    return ""
