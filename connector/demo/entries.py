"""The directory's entries that demo data describe."""

from decimal import Decimal
from typing import Final

from connector.demo.format import DemoGroup, DemoInstitution, DemoMerchant, DemoPolicy, DemoProgramme, DemoSource
from connector.domain.directory import Institution, Programme, SourceBB
from connector.domain.money import minor_units
from connector.domain.voucher import GOVSTACK_POLICY, RETAIL_POLICY, Merchant, VoucherGroup

DAY_SECONDS: Final = 86_400

_POLICIES: Final = {DemoPolicy.GOVSTACK: GOVSTACK_POLICY, DemoPolicy.RETAIL: RETAIL_POLICY}


def source(said: DemoSource) -> SourceBB:
    """Describe a calling building block."""
    return SourceBB(said.id, said.name or said.id, said.programme, said.callback_url)


def programme(said: DemoProgramme) -> Programme:
    """Describe a programme; raises ``Refused`` for a budget that is no amount of its currency."""
    budgets = {currency: _minor(amount, currency) for currency, amount in said.budgets.items()}
    fields = {name: getattr(said, name) for name in type(said).model_fields}
    return Programme(**{**fields, "budgets": budgets})


def institution(said: DemoInstitution) -> Institution:
    """Describe an institution."""
    fields = {name: getattr(said, name) for name in type(said).model_fields}
    return Institution(**{**fields, "addresses": tuple(said.addresses)})


def voucher_group(said: DemoGroup) -> VoucherGroup:
    """Describe a voucher group; raises ``Refused`` for a price that is no amount of its currency."""
    return VoucherGroup(
        code=said.code,
        name=said.name or said.code,
        programme=said.programme,
        currency=said.currency,
        amount_minor=_minor(said.amount, said.currency),
        validity_seconds=said.validity_days * DAY_SECONDS,
        policy=_POLICIES[said.policy],
        on_demand=said.on_demand,
        limit=said.limit,
        restock_threshold=said.restock_threshold,
        restock_url=said.restock_url,
        accepted_at=tuple(said.accepted_at),
    )


def merchant(said: DemoMerchant) -> Merchant:
    """Describe a merchant or agent."""
    fields = {name: getattr(said, name) for name in type(said).model_fields}
    return Merchant(**{**fields, "groups": tuple(said.groups)})


def _minor(amount: Decimal, currency: str) -> int:
    return minor_units(amount, currency) if amount else 0
