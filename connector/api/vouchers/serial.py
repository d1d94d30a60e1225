"""Serial numbers as GovStack's requests write them."""

from connector.domain.voucher import VoucherFault, VoucherRefused, is_serial


def serial_of(text: str) -> int:
    """Read a serial number; what can be none is an unknown one (``VoucherRefused``)."""
    if not is_serial(text):
        raise VoucherRefused(VoucherFault.UNKNOWN_SERIAL, "There is no such voucher.")
    return int(text)
