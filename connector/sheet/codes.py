"""Machine-readable images of a voucher number, as SVG without anything that has to be fetched."""

import re
from io import BytesIO
from typing import Final

import segno
from barcode.codex import Code128  # type: ignore[import-untyped] # the library has no types
from barcode.writer import SVGWriter  # type: ignore[import-untyped] # the library has no types

QUIET_MODULES: Final = 4
"""The empty border that ISO/IEC 18004 wants around a QR code."""

_BARS: Final = {"module_width": 0.3, "module_height": 10.0, "quiet_zone": 3.0, "write_text": False}
"""Millimetres; Code C packs two digits into 11 modules, so that 16 digits take about 40 mm."""


def qr(number: str) -> str:
    """Draw a QR code of the number (error correction Q: a quarter may be worn off)."""
    code = segno.make(number, error="q", micro=False)
    return str(code.svg_inline(scale=4, border=QUIET_MODULES, omitsize=True, svgclass="qr", lineclass=None))


def bars(number: str) -> str:
    """Draw a Code 128 of the number."""
    drawn = BytesIO()
    Code128(number, writer=SVGWriter()).write(drawn, _BARS)
    return _inline(drawn.getvalue().decode())


def _inline(svg: str) -> str:
    """Take the element alone, without the document type, which names a file on the network."""
    element = svg[svg.index("<svg") :]
    return re.sub(r"<!--.*?-->", "", element, flags=re.DOTALL).strip()
