"""How the users check the certificate of an instance, and what the receiver of callbacks shows for its own."""

import os
import ssl
from typing import Final

CA: Final = "ISOGATE_LOAD_CA"
"""Environment variable: PEM file with the certificates that are trusted; ``none``: any certificate is."""

CERTIFICATE: Final = "ISOGATE_LOAD_CALLBACK_CERTIFICATE"
KEY: Final = "ISOGATE_LOAD_CALLBACK_KEY"
"""Environment variables: PEM files with which callbacks are received under https, as production wants it."""


def callback_context() -> ssl.SSLContext | None:
    """Make the context of the receiver; ``None``: it speaks http."""
    certificate, key = os.environ.get(CERTIFICATE), os.environ.get(KEY)
    if not certificate:
        return None
    made = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    made.load_cert_chain(certificate, key or None)
    return made


def context() -> ssl.SSLContext:
    """Make the context of a connection."""
    trusted = os.environ.get(CA, "")
    made = ssl.create_default_context(cafile=trusted if trusted not in {"", "none"} else None)
    if trusted == "none":
        made.check_hostname, made.verify_mode = False, ssl.CERT_NONE
    return made
