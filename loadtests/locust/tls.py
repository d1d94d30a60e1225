"""How the users check the certificate of an instance: as anybody does, by a CA of one's own, or not at all."""

import os
import ssl
from typing import Final

CA: Final = "ISOGATE_LOAD_CA"
"""Environment variable: PEM file with the certificates that are trusted; ``none``: any certificate is."""


def context() -> ssl.SSLContext:
    """Make the context of a connection."""
    trusted = os.environ.get(CA, "")
    made = ssl.create_default_context(cafile=trusted if trusted not in {"", "none"} else None)
    if trusted == "none":
        made.check_hostname, made.verify_mode = False, ssl.CERT_NONE
    return made
