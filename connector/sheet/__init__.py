"""Vouchers on paper: QR code and Code 128 of a number, and sheets to print. Whoever holds one can redeem it."""

from connector.sheet.codes import bars, qr
from connector.sheet.page import Printed, page

__all__ = ["Printed", "bars", "page", "qr"]
