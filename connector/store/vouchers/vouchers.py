"""All that can be done with vouchers in the store."""

from connector.store.vouchers.rotation import Rotation


class Vouchers(Rotation):
    """Vouchers by serial number; every change is one server-side function with the expected state checked there.

    Numbers (``numbers.py``) → register (create, read) → commands → redemptions → payouts → archive → rotation: each
    part goes on from the one before it.
    """
