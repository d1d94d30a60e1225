"""The sandbox's fictional country XU: its institutions and programmes, all served by the simulators."""

from typing import Final

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

DEBTOR_ACCOUNT: Final = "9000000001"
SOURCES: Final = ("Gov_Stack_BB", "bb-digital-registries", "example Gov_Stack_BB")
"""Source BBs that the official conformance tests use; others are let in as well."""

BUDGET_MINOR: Final = 10**14
"""One trillion dollars, in cents: a budget that a rehearsal does not use up, yet that is counted."""

_BANK, _MOBILE = InstitutionKind.BANK, InstitutionKind.MOBILE_MONEY
_INSTITUTIONS: Final = (
    ("TREAXU22", "Treasury Bank", _BANK, (r"90\d{8,12}", r"XU\d\dTREA90\d{8}")),
    ("UNIOXU22", "Union Bank", _BANK, (r"10\d{8,12}", r"XU\d\dUNIO10\d{8}")),
    ("HARBXU22", "Harbour Bank", _BANK, (r"20\d{8,12}", r"XU\d\dHARB20\d{8}")),
    ("KASHXU22", "Kash", _MOBILE, (r"\+?99970\d{6,8}",)),
    ("TELAXU22", "Tela Money", _MOBILE, (r"\+?99971\d{6,8}",)),
    ("NSWIXU22", "National Switch", InstitutionKind.SWITCH, ()),
)


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
    return Directory(programmes, institutions, sources, default_programme="SANDBOX", open_sources=True)


def _programmes() -> tuple[Programme, ...]:
    """PENSIONS goes through the payer bank, RELIEF through the switch, SANDBOX takes what comes."""
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
        ),
    )
