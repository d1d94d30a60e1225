"""The sandbox's fictional country XU: its institutions and programmes, all served by the simulators."""

import hashlib
from collections.abc import Callable
from typing import Final

import aiohttp
import structlog

from connector.demo import DemoData, Loaded, load
from connector.domain.directory import (
    Directory,
    Inquiry,
    Institution,
    InstitutionKind,
    Programme,
    RecallPolicy,
    Route,
    SourceBB,
    Unanswered,
)
from connector.domain.voucher import RETAIL_POLICY, VoucherGroup
from connector.flows import archive, reconciliation
from connector.flows.services import Services
from connector.flows.vouchers import sweep
from connector.store import Store
from connector.store.clearing import clear

DEBTOR_ACCOUNT: Final = "9000000001"
SOURCES: Final = ("Gov_Stack_BB", "bb-digital-registries", "example Gov_Stack_BB")
"""Source BBs that the official conformance tests use; others are let in as well."""

BUDGET_MINOR: Final = 10**14
"""One trillion dollars, in cents: a budget that a rehearsal does not use up, yet that is counted."""

_FURNISHED: Final = "demo"
_KEPT_SECONDS: Final = 100 * 366 * 86_400.0
_RESET_TIMEOUT: Final = aiohttp.ClientTimeout(total=30)
_log = structlog.get_logger(__name__)

_BANK, _MOBILE = InstitutionKind.BANK, InstitutionKind.MOBILE_MONEY
_INSTITUTIONS: Final = (
    ("TREAXU22", "Treasury Bank", _BANK, (r"90\d{8,12}", r"XU\d\dTREA90\d{8}")),
    ("UNIOXU22", "Union Bank", _BANK, (r"10\d{8,12}", r"XU\d\dUNIO10\d{8}")),
    ("HARBXU22", "Harbour Bank", _BANK, (r"20\d{8,12}", r"XU\d\dHARB20\d{8}")),
    ("KASHXU22", "Kash", _MOBILE, (r"\+?99970\d{6,8}",)),
    ("TELAXU22", "Tela Money", _MOBILE, (r"\+?99971\d{6,8}",)),
    ("NSWIXU22", "National Switch", InstitutionKind.SWITCH, ()),
)


_RETAIL: Final = VoucherGroup(
    "RETAIL", "Retail gift card: in parts, with reversal and refund", "SANDBOX", policy=RETAIL_POLICY
)
"""What retail clients (SUV) sell where they name no product: in any currency."""


def sandbox_directory(simulators_url: str, answer_within_seconds: float = 30.0) -> Directory:
    """Describe the sandbox world; every institution answers below ``simulators_url`` under its code.

    answer_within_seconds: after that silence is asked about.
    """
    base = simulators_url.rstrip("/")
    institutions = {
        code: Institution(
            code,
            name,
            kind,
            addresses=addresses,
            url=f"{base}/{code}",
            answer_within_seconds=answer_within_seconds,
            inquiry=Inquiry.MESSAGE_OR_FETCH,
            unanswered=Unanswered.KEEP_ASKING,
        )
        for code, name, kind, addresses in _INSTITUTIONS
    }
    programmes = {programme.id: programme for programme in _programmes()}
    sources = {name: SourceBB(name, name, "SANDBOX") for name in SOURCES}
    given = [VoucherGroup(each.id, f"{each.name} by voucher", each.id) for each in programmes.values()]
    groups = {group.code: group for group in (_RETAIL, *given)}
    return Directory(programmes, institutions, sources, default_programme="SANDBOX", open_sources=True, groups=groups)


def _programmes() -> tuple[Programme, ...]:
    """PENSIONS goes through the payer bank, RELIEF through the switch, SANDBOX takes what comes.

    Each has a voucher group of its own name, of which it gives vouchers to payees with modality 02.
    """
    return (
        Programme(
            id="PENSIONS",
            name="Old age pensions",
            payer_bank="TREAXU22",
            debtor_agent="TREAXU22",
            account=DEBTOR_ACCOUNT,
            account_name="Ministry of Pensions",
            recall=RecallPolicy.ALLOWED,
            budgets={"USD": BUDGET_MINOR},
            voucher_group="PENSIONS",
        ),
        Programme(
            id="RELIEF",
            name="Disaster relief",
            payer_bank="NSWIXU22",
            debtor_agent="TREAXU22",
            account=DEBTOR_ACCOUNT,
            account_name="Ministry of Relief",
            route=Route.SWITCH,
            budgets={"USD": BUDGET_MINOR},
            voucher_group="RELIEF",
        ),
        Programme(
            id="SANDBOX",
            name="Sandbox",
            payer_bank="TREAXU22",
            debtor_agent="TREAXU22",
            account=DEBTOR_ACCOUNT,
            account_name="Sandbox programme",
            recall=RecallPolicy.ALLOWED,
            open_budget=True,
            voucher_group="SANDBOX",
        ),
    )


async def furnish(store: Store, clock: Callable[[], float], directory: Directory, data: DemoData) -> Loaded | None:
    """Fill a sandbox at its first start, and again where its demo data have changed; ``None``: it was filled before.

    Every process may do it, also at the same time.
    """
    await store.directory.seed(directory)
    digest = hashlib.sha256(data.model_dump_json().encode()).hexdigest()
    if await store.records.get(_FURNISHED, "loaded") == digest:
        return None
    loaded = await load(store, clock, data)
    await store.records.put(_FURNISHED, "loaded", digest, _KEPT_SECONDS)
    return loaded


async def reset(services: Services, directory: Directory, data: DemoData, simulators_url: str = "") -> Loaded:
    """Empty a sandbox and fill it again; simulators_url: institutions that forget everything too ("": none)."""
    if simulators_url:
        await _reset_simulators(simulators_url)
    await clear(services.store.link)
    await services.store.archiving.clear()
    loaded = await furnish(services.store, services.clock, directory, data)
    await reconciliation.arm(services)
    await sweep.arm(services)
    await archive.arm(services)
    return loaded or await load(services.store, services.clock, data)


async def _reset_simulators(url: str) -> None:
    """Tell the institutions; a sandbox whose simulators are down is reset all the same."""
    try:
        async with aiohttp.ClientSession(timeout=_RESET_TIMEOUT) as session, session.post(f"{url}/sim/reset") as told:
            told.raise_for_status()
    except (aiohttp.ClientError, TimeoutError) as error:
        _log.warning("simulators not reset", error=type(error).__name__)
