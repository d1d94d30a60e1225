"""The report of vouchers and budgets: sums by programme and currency, and the table as CSV (RFC 4180, UTF-8)."""

import csv
import io
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final

from connector.domain.money import amount_text, exponent, is_currency
from connector.domain.voucher import VoucherState
from connector.flows.vouchers.groups import OUT
from connector.flows.vouchers.queries import StockLine
from connector.store.funds import FundsBalance

COLUMNS: Final = (
    "programme", "group", "state", "currency", "vouchers", "face_value", "in_stock", "outstanding", "redeemed",
    "ended", "budget", "reserved", "spent", "available",
)  # fmt: skip

_MONEY: Final = ("in_stock", "outstanding", "redeemed", "ended", "budget", "reserved", "spent", "available")
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


def report_sums(
    lines: Sequence[StockLine],
    programme_of: Mapping[str, str],
    balances: Mapping[str, Mapping[str, FundsBalance]],
) -> list[dict[str, Any]]:
    """Sum up by programme and currency, in minor units; balances: of each programme, by currency."""
    sums: dict[tuple[str, str], Counter[str]] = {
        (programme, currency): Counter() for programme, found in balances.items() for currency in found
    }
    for line in lines:
        sum_ = sums.setdefault((programme_of.get(line.group, ""), line.currency), Counter())
        sum_["vouchers"] += line.vouchers
        sum_["face"] += line.minor
        sum_[_class(line.state)] += line.minor
    nothing = FundsBalance(0, 0, 0, 0)
    return [
        {
            "programme": programme,
            "currency": currency,
            "vouchers": sum_["vouchers"],
            **{f"{name}_minor": sum_[name] for name in ("face", "in_stock", "outstanding", "redeemed", "ended")},
            **{
                f"{name}_minor": getattr(balances.get(programme, {}).get(currency, nothing), name)
                for name in ("budget", "reserved", "spent", "available")
            },
        }
        for (programme, currency), sum_ in sorted(sums.items())
    ]


def table(lines: Sequence[StockLine], sums: Sequence[Mapping[str, Any]], programme_of: Mapping[str, str]) -> bytes:
    """Write a line a group, state and currency, and one a programme and currency with its sums and budget."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    for line in lines:
        name, face = programme_of.get(line.group, ""), _amount(line.minor, line.currency)
        cells = (name, line.group, line.state.value, line.currency, str(line.vouchers), face)
        writer.writerow([*map(_harmless, cells), *[""] * len(_MONEY)])
    for sum_ in sums:
        currency = str(sum_["currency"])
        money = [_amount(sum_[f"{name}_minor"], currency) for name in _MONEY]
        face = _amount(sum_["face_minor"], currency)
        writer.writerow([_harmless(sum_["programme"]), "", "all", currency, str(sum_["vouchers"]), face, *money])
    return text.getvalue().encode()


def _class(state: VoucherState) -> str:
    if state is VoucherState.IN_STOCK:
        return "in_stock"
    if state in OUT:
        return "outstanding"
    return "redeemed" if state is VoucherState.REDEEMED else "ended"


def _harmless(text: str) -> str:
    """Ids come from outside: one that a spreadsheet would take for a formula gets an apostrophe."""
    return f"'{text}" if text.startswith(_FORMULA) else text


def _amount(minor: int, currency: str) -> str:
    digits = amount_text(abs(minor), exponent(currency) if is_currency(currency) else 0)
    return f"-{digits}" if minor < 0 else digits
