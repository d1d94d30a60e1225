"""A sheet of vouchers to print: one HTML file that fetches nothing."""

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cache
from typing import NamedTuple

from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from markupsafe import Markup

from connector.domain.money import amount_text, exponent
from connector.sheet.codes import bars, qr


class Printed(NamedTuple):
    """A voucher as it is printed. number: the secret; expires_at: Unix seconds, 0 where it is not activated yet."""

    serial: int
    number: str
    amount_minor: int
    currency: str
    title: str
    expires_at: float = 0.0
    validity_seconds: int = 0

    def __repr__(self) -> str:
        """Hide the number."""
        return f"Printed(serial={self.serial})"

    @property
    def grouped(self) -> str:
        """The number in groups of four digits."""
        return " ".join(self.number[start : start + 4] for start in range(0, len(self.number), 4))

    @property
    def amount(self) -> str:
        """The amount with the decimals of its currency."""
        return amount_text(self.amount_minor, exponent(self.currency))

    @property
    def expiry(self) -> str:
        """Until when it can be redeemed."""
        if self.expires_at:
            return f"until {datetime.fromtimestamp(self.expires_at, UTC):%Y-%m-%d}"
        return f"{self.validity_seconds // 86_400} days from activation"

    @property
    def qr(self) -> Markup:
        """The QR code, as SVG of our own making."""
        return Markup(qr(self.number))  # noqa: S704 - drawn from digits

    @property
    def bars(self) -> Markup:
        """The Code 128, as SVG of our own making."""
        return Markup(bars(self.number))  # noqa: S704 - drawn from digits


def page(vouchers: Sequence[Printed], heading: str = "Vouchers") -> str:
    """Lay vouchers out on sheets of A4, eight on each; whoever reads it can redeem them."""
    return _template().render(vouchers=vouchers, heading=heading)


@cache
def _template() -> Template:
    loader = PackageLoader("connector", "sheet")
    return Environment(loader=loader, autoescape=True, undefined=StrictUndefined).get_template("sheet.html")
