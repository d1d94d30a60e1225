"""Engines over the real schemas and profiles: the connector's, and the bank's with profiles of its own."""

import os
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from connector.domain.messages import CreditTransfer, StatusReport, TransactionStatus, Transfer
from connector.iso20022.engine import Engine
from iso20022_schemas.catalogue import Catalogue

REPOSITORY = Path(__file__).parents[3]
NOW = datetime(2026, 11, 21, 7, 30, tzinfo=UTC)


@pytest.fixture(scope="session")
def repository() -> Path:
    return REPOSITORY


@pytest.fixture(scope="session")
def catalogue() -> Catalogue:
    return Catalogue()


@pytest.fixture(scope="session")
def official() -> Catalogue:
    folder = Path(os.environ.get("ISOGATE_SHARED", REPOSITORY.parent / "shared")) / "iso20022" / "xsd"
    if not folder.is_dir():
        pytest.skip(f"no official schemas at {folder}")
    return Catalogue(folder)


@pytest.fixture(scope="session")
def samples() -> Path:
    folder = Path(os.environ.get("ISOGATE_SHARED", REPOSITORY.parent / "shared")) / "iso20022" / "samples"
    if not folder.is_dir():
        pytest.skip(f"no sample messages at {folder}")
    return folder


@pytest.fixture(scope="session")
def connector(catalogue: Catalogue) -> Engine:
    return Engine(catalogue, REPOSITORY / "mappings")


@pytest.fixture(scope="session")
def bank(catalogue: Catalogue) -> Engine:
    return Engine(catalogue, REPOSITORY / "simulators" / "profiles")


@pytest.fixture
def transfer() -> CreditTransfer:
    credits = [
        Transfer("I1", "E1", "", 1050, "UNIOXU22", "Ada & Sons", "1012345678", "June", "GOVT"),
        Transfer("I2", "E2", "", 2000, "HARBXU22", "Grace", "2012345678"),
    ]
    return CreditTransfer(
        message_id="MSG1",
        created=NOW,
        currency="USD",
        total_minor=3050,
        initiating_party="Ministry",
        debtor_name="Treasury",
        debtor_account="9000000001",
        debtor_agent="TREAXU22",
        execution_date=date(2026, 11, 22),
        transfers=credits,
        payment_information_id="PMT1",
        category_purpose="GOVT",
    )


@pytest.fixture
def report() -> StatusReport:
    return StatusReport(
        message="pain.002.001.10",
        message_id="RPT1",
        created=NOW,
        original_message_id="MSG1",
        original_message="pain.001.001.09",
        group_status="ACTC",
        original_count=2,
        original_total="30.50",
        transactions=[
            TransactionStatus("I1", "E1", "", "ACSC"),
            TransactionStatus("I2", "E2", "", "RJCT", "AC04", "closed"),
        ],
    )
