"""The documents of one slice on its way: bodies, chunks, orders, reports, as a run in the sandbox makes them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Final, cast

import msgspec

import mappings
import simulators
from connector.cli.people import Person, payable_people
from connector.cli.source_bb import credit_v1, credit_v3
from connector.domain.batch import Batch, BatchKind, CallbackTarget
from connector.domain.beneficiary import Beneficiary
from connector.domain.chunk import Chunk, ChunkStatus, Tally
from connector.domain.directory import Directory
from connector.domain.ids import batch_reference
from connector.domain.instruction import CreditInstruction
from connector.domain.messages import CreditTransfer, StatusReport
from connector.flows.compose import outgoing
from connector.flows.debulk import Debulk
from connector.flows.routing import Way, way_of
from connector.iso20022.engine import Engine
from connector.sandbox import sandbox_directory
from iso20022_schemas import Catalogue
from loadtests.bench.bodies import CURRENCY, amount
from loadtests.bench.paying import PROGRAMME
from loadtests.bench.samples import status_report

ORDER: Final = "pain.001.001.09"
REPORT: Final = "pain.002.001.10"
INTERBANK: Final = "pacs.008.001.08"
SCHEME: Final = "generic"
NOW: Final = datetime(2026, 1, 5, 10, 0, tzinfo=UTC).timestamp()
REF: Final = batch_reference("govstack-v3", "BENCHSOURCE1", "BENCH0000000")


@dataclass(frozen=True)
class Documents:
    """One slice of payments as it comes in, and all that becomes of it; made when it is asked for."""

    payments: int

    @cached_property
    def catalogue(self) -> Catalogue:
        """The schemas."""
        return Catalogue()

    @cached_property
    def engine(self) -> Engine:
        """The connector's engine."""
        return Engine(self.catalogue, Path(mappings.__file__).parent)

    @cached_property
    def bank(self) -> Engine:
        """A simulated bank's engine."""
        return Engine(self.catalogue, Path(simulators.__file__).parent / "profiles")

    @cached_property
    def people(self) -> Sequence[Person]:
        """Who is paid."""
        return list(payable_people(self.payments))

    @cached_property
    def body_v1(self) -> bytes:
        """The request of contract v1.0."""
        credits_ = [credit_v1(number, person, amount(number), CURRENCY) for number, person in enumerate(self.people)]
        return msgspec.json.encode(
            {
                "RequestID": "BENCH0000000",
                "SourceBBID": "BENCHSOURCE1",
                "BatchID": "BENCH0000000",
                "CreditInstructions": credits_,
            }
        )

    @cached_property
    def body_v3(self) -> bytes:
        """The request of contract v3.0."""
        return msgspec.json.encode(
            [credit_v3(number, person, amount(number), CURRENCY) for number, person in enumerate(self.people)]
        )

    @cached_property
    def instructions(self) -> list[CreditInstruction]:
        """What the API makes of either."""
        return [
            CreditInstruction(
                f"I{number:015d}", person.functional_id, amount(number), CURRENCY, narration="Monthly support"
            )
            for number, person in enumerate(self.people)
        ]

    @cached_property
    def beneficiaries(self) -> list[Beneficiary]:
        """What the account mapper knows of the people."""
        return [Beneficiary(each.functional_id, each.modality, "", each.address) for each in self.people]

    @cached_property
    def directory(self) -> Directory:
        """The sandbox."""
        return sandbox_directory("http://127.0.0.1:1")

    @cached_property
    def way(self) -> Way:
        """How the programme pays."""
        return way_of(self.directory, PROGRAMME, BatchKind.DISBURSEMENT)

    @cached_property
    def batch(self) -> Batch:
        """The batch that the slice belongs to."""
        total = sum(instruction.amount_minor for instruction in self.instructions)
        return Batch(
            ref=REF,
            kind=BatchKind.DISBURSEMENT,
            contract="govstack-v3",
            source="BENCHSOURCE1",
            request_id="BENCH0000000",
            batch_id=REF,
            programme=PROGRAMME,
            digest="",
            slices=1,
            expected={CURRENCY: Tally(self.payments, total)},
            accepted_at=NOW,
            callback=CallbackTarget(),
        )

    @cached_property
    def debulk(self) -> Debulk:
        """What cuts slices, for chunks of any size that an order has."""
        return Debulk(self.directory, self.payments)

    @cached_property
    def cut(self) -> list[tuple[Chunk, ChunkStatus]]:
        """The chunks."""
        return self.debulk.slice(REF, 0, 0, self.instructions, self.beneficiaries, NOW)

    @cached_property
    def transfers(self) -> list[CreditTransfer]:
        """What goes out for the chunks."""
        return [self.composed(chunk) for chunk, _ in self.cut]

    def composed(self, chunk: Chunk) -> CreditTransfer:
        """Compose what goes out for one."""
        return cast("CreditTransfer", outgoing(self.batch, chunk, self.way, NOW))

    @cached_property
    def orders(self) -> list[bytes]:
        """The pain.001 of each chunk."""
        return [self.engine.write(SCHEME, ORDER, value) for value in self.transfers]

    @cached_property
    def interbank(self) -> list[bytes]:
        """The pacs.008 in which the payer's bank passes each chunk on."""
        return [self.bank.write(SCHEME, INTERBANK, _passed_on(value)) for value in self.transfers]

    @cached_property
    def reports(self) -> list[StatusReport]:
        """Reports with a status for each payment, of which one in fifty is rejected."""
        return [replace(status_report(value), message=REPORT) for value in self.transfers]

    @cached_property
    def written_reports(self) -> list[bytes]:
        """The pain.002 of each chunk."""
        return [self.bank.write(SCHEME, REPORT, value) for value in self.reports]


def _passed_on(value: CreditTransfer) -> CreditTransfer:
    named = [
        each._replace(transaction_id=f"{value.message_id}-{number}") for number, each in enumerate(value.transfers)
    ]
    return replace(
        value, transfers=named, instructing_agent=value.debtor_agent, instructed_agent=value.creditor_agent
    )
