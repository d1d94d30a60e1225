"""A small world for the flows: a directory, an FSP that speaks real ISO 20022, and a hand that carries the steps."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime

from aiohttp import web

from connector.domain.batch import Batch, BatchKind, CallbackTarget
from connector.domain.beneficiary import Beneficiary
from connector.domain.directory import Directory, Institution, InstitutionKind, Programme, Route, SourceBB
from connector.domain.instruction import CreditInstruction
from connector.domain.messages import (
    BlockStatus,
    CreditTransfer,
    Message,
    Recall,
    RecallAnswer,
    RecallResult,
    Rejection,
    StatusInquiry,
    StatusReport,
    TransactionStatus,
    Verification,
    VerificationReport,
    VerificationRequest,
)
from connector.flows.archive import Swept, sweep
from connector.flows.intake import Submission, submit
from connector.flows.services import Services
from connector.flows.steps import STEPS
from connector.iso20022.engine import Engine
from connector.store import Entry


class Fsp:
    """A payer bank of a few lines: keeps what it got and answers as told."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.mode = "report"  # report | accept | refuse | lose (takes it, answers 500) | down (does not take it)
        self.reject: dict[str, str] = {}  # end-to-end id -> reason
        self.status = "ACSC"
        self.messages: list[CreditTransfer | VerificationRequest] = []
        self.asked: list[str] = []  # message ids whose report was fetched
        self.inquiries: list[StatusInquiry] = []
        self.recalls: list[Recall] = []
        self.names: list[str] = []
        self.resolve: str | None = None  # ACCR | RJCR | PDCR: answer recalls at once so
        self.reject_with: str | None = None  # answer with an admi.002 of this reason
        self.calls: list[tuple[str, dict[str, str], object]] = []
        self.callbacks: list[dict[str, object]] = []
        self.callback_answers: list[int] = []
        self.forgetful = False  # asked about a message, it says that it never saw it
        self.meanwhile: Callable[[CreditTransfer | VerificationRequest], Awaitable[web.Response | None]] | None = None

    def application(self) -> web.Application:
        app = web.Application(client_max_size=1 << 28)
        app.router.add_post("/{code}/iso20022", self._take)
        app.router.add_get("/{code}/iso20022/reports/{id}", self._tell)
        app.router.add_post("/source", self._called_back)
        app.router.add_post("/{code}/{path:.*}", self._json)
        return app

    def by_id(self, message_id: str) -> CreditTransfer | VerificationRequest | None:
        return next((message for message in self.messages if message.message_id == message_id), None)

    def report(self, message: CreditTransfer | VerificationRequest, **changes: object) -> bytes:
        """What the bank says of a message, as XML."""
        if isinstance(message, VerificationRequest):
            return self.engine.write("generic", "acmt.024.001.03", self._verified(message))
        pacs = bool(message.instructing_agent)
        report = StatusReport(
            message="pacs.002.001.10" if pacs else "pain.002.001.10",
            message_id=f"R{message.message_id}",
            created=datetime.now(UTC).replace(microsecond=0),
            original_message_id=message.message_id,
            original_message="pacs.008.001.08" if pacs else "pain.001.001.09",
            transactions=[
                TransactionStatus(
                    transfer.instruction_id,
                    transfer.end_to_end_id,
                    transfer.transaction_id,
                    "RJCT" if transfer.end_to_end_id in self.reject else self.status,
                    self.reject.get(transfer.end_to_end_id, ""),
                )
                for transfer in message.transfers
            ],
            blocks=[] if pacs else [BlockStatus(message.payment_information_id, "")],
            initiating_party="Bank",
            instructing_agent="NSWIXU22" if pacs else "",
            instructed_agent="TREAXU22" if pacs else "",
        )
        report = replace(report, **changes)
        return self.engine.write("generic", report.message, report)

    def _verified(self, message: VerificationRequest) -> VerificationReport:
        results = [
            Verification(account.id, account.id not in self.reject, self.reject.get(account.id, ""))
            for account in message.accounts
        ]
        created = datetime.now(UTC).replace(microsecond=0)
        return VerificationReport(f"R{message.message_id}", created, message.message_id, "Bank", results)

    async def _take(self, request: web.Request) -> web.Response:  # noqa: C901 (one bank, all its moods)
        if self.mode == "down":
            return web.Response(status=503)
        if self.mode == "refuse":
            return web.Response(status=400)
        received = self.engine.read(await request.read())
        message = received.value
        self.names.append(received.message)
        if self.reject_with:
            return self._xml("admi.002.001.01", Rejection(message.message_id, self.reject_with, "Not like this"))
        if isinstance(message, StatusInquiry):
            return self._inquired(message)
        if isinstance(message, Recall):
            self.recalls.append(message)
            answer = self.resolution(message, self.resolve) if self.resolve else None
            return self._xml("camt.029.001.09", answer) if answer else web.Response(status=202)
        assert isinstance(message, CreditTransfer | VerificationRequest)
        self.messages.append(message)
        if self.meanwhile is not None and (answer := await self.meanwhile(message)) is not None:
            return answer
        if self.mode == "lose":
            return web.Response(status=500)
        if self.mode == "accept":
            return web.Response(status=202)
        return web.Response(body=self.report(message), content_type="application/xml")

    def _inquired(self, inquiry: StatusInquiry) -> web.Response:
        self.inquiries.append(inquiry)
        message = self.by_id(inquiry.original_message_id)
        if message is None or self.forgetful:
            return self._xml("pain.002.001.10", unknown(inquiry))
        if self.mode == "accept":
            return web.Response(status=202)
        return web.Response(body=self.report(message), content_type="application/xml")

    def _xml(self, name: str, value: Message) -> web.Response:
        return web.Response(body=self.engine.write("generic", name, value), content_type="application/xml")

    def resolution(self, recall: Recall, status: str, **changes: object) -> RecallAnswer:
        """What the bank says to a recall, of everything in it alike."""
        reason = "LEGL" if status == "RJCR" else ""
        answer = RecallAnswer(
            message_id=f"A{recall.message_id}"[:35],
            created=datetime.now(UTC).replace(microsecond=0),
            case_id=recall.case_id,
            assigner="TREAXU22",
            assignee="Ministry",
            confirmation={"ACCR": "CNCL"}.get(status, status),
            original_message_id=recall.original_message_id,
            original_message=recall.original_message,
            reason="" if recall.transfers else reason,
            results=[
                RecallResult(item.recall_id, item.instruction_id, item.end_to_end_id, "", status, reason)
                for item in recall.transfers
            ],
        )
        return replace(answer, **changes)

    async def _tell(self, request: web.Request) -> web.Response:
        self.asked.append(request.match_info["id"])
        if recall := next((one for one in self.recalls if one.message_id == request.match_info["id"]), None):
            return self._told(recall)
        message = self.by_id(request.match_info["id"])
        if message is None or self.forgetful:
            return web.Response(status=404)
        if self.mode == "accept":
            return web.Response(status=204)
        return web.Response(body=self.report(message), content_type="application/xml")

    def _told(self, recall: Recall) -> web.Response:
        if self.forgetful:
            return web.Response(status=404)
        answer = self.resolution(recall, self.resolve) if self.resolve else None
        return self._xml("camt.029.001.09", answer) if answer else web.Response(status=204)

    async def _json(self, request: web.Request) -> web.Response:
        self.calls.append((request.path_qs, dict(request.headers), await request.json()))
        return web.json_response({"batchId": "PEER-1"}, status=202)

    async def _called_back(self, request: web.Request) -> web.Response:
        body = await request.json()
        self.callbacks.append({**body, "callback_id": request.headers["X-Callback-ID"]})
        return web.Response(status=self.callback_answers.pop(0) if self.callback_answers else 200)


def unknown(inquiry: StatusInquiry) -> StatusReport:
    """A bank's word that it never saw a message."""
    return StatusReport(
        message="pain.002.001.10",
        message_id=f"R{inquiry.message_id}",
        created=datetime.now(UTC).replace(microsecond=0),
        original_message_id=inquiry.original_message_id,
        original_message=inquiry.original_message,
        group_status="RJCT",
        group_reason="UTNV",
        initiating_party="Bank",
    )


class World:
    """Services over a real store and a real HTTP peer; ``carry`` plays the worker, step by step."""

    def __init__(self, services: Services, fsp: Fsp, url: str) -> None:
        self.services = services
        self.fsp = fsp
        self.url = url
        self.archiving = False  # what is finished is archived after every step

    async def carry(self, rounds: int = 100, *, repeat: bool = False) -> list[str]:
        """Carry what is due until nothing is left; ``repeat`` runs every step twice with the same entry."""
        carried: list[str] = []
        for _ in range(rounds):
            entries = await self.take()
            if not entries:
                return carried
            for entry in entries:
                await STEPS[entry.task.step].run(self.services, entry)
                if repeat:
                    await STEPS[entry.task.step].run(self.services, entry)
                carried.append(entry.task.step)
                if self.archiving:
                    await self.archive()
        raise AssertionError(f"still busy: {carried[-10:]}")

    async def archive(self) -> Swept:
        """Archive every batch that is finished."""
        now = self.services.clock()
        return await sweep(self.services.store, max(now, datetime.now(UTC).timestamp()), now)

    async def take(self, *steps: str) -> list[Entry]:
        await self.services.store.queue.wake_due(self.services.clock())
        return await self.services.store.queue.take(steps or tuple(STEPS), "test", 50, 0.0)

    async def onboard(self, *people: Beneficiary, source: str = "MINISTRY") -> None:
        assert await self.services.store.mapper.register(source, people) == []

    async def submit(self, *instructions: CreditInstruction, **fields: object) -> Batch:
        return await submit(self.services, submission(*instructions, **fields))

    @property
    def callback(self) -> CallbackTarget:
        return CallbackTarget(f"{self.url}/source", "POST", "corr-1")


def submission(*instructions: CreditInstruction, **fields: object) -> Submission:
    plain = Submission(
        contract="govstack-v1",
        kind=BatchKind.DISBURSEMENT,
        source="MINISTRY",
        request_id="REQ000000001",
        batch_id="BATCH0000001",
        instructions=instructions,
        digest="d" * 64,
        programme="PENSIONS",
        origin="test",
    )
    return replace(plain, **fields)


def pay(number: int, minor: int = 1000, currency: str = "USD") -> CreditInstruction:
    return CreditInstruction(f"INSTR{number:011d}", f"PERSON{number:014d}", minor, currency, "March")


def person(number: int, address: str = "", **fields: object) -> Beneficiary:
    plain = Beneficiary(f"PERSON{number:014d}", "00", "", address or f"10{number:08d}", f"Person {number}")
    return plain._replace(**fields)


def directory(url: str) -> Directory:
    bank = InstitutionKind.BANK
    places = [
        Institution("TREAXU22", "Treasury", bank, (r"90\d{8,12}",), f"{url}/TREAXU22", answer_within_seconds=30),
        Institution("UNIOXU22", "Union", bank, (r"10\d{8,12}",)),
        Institution("KASHXU22", "Kash", InstitutionKind.MOBILE_MONEY, (r"\+?99970\d{6,8}",)),
        Institution("NSWIXU22", "Switch", InstitutionKind.SWITCH, (), f"{url}/NSWIXU22"),
    ]
    payer = ("TREAXU22", "TREAXU22", "9000000001", "Ministry")
    budgets = {"USD": 1_000_000}
    programmes = [
        Programme("PENSIONS", "Pensions", *payer, budgets=budgets),
        Programme("ASKING", "Asking", *payer, budgets={**budgets, "EUR": 1_000_000}, authorisation=True),
        Programme("RELIEF", "Relief", "NSWIXU22", *payer[1:], route=Route.SWITCH, budgets=budgets),
    ]
    return Directory(
        {programme.id: programme for programme in programmes},
        {place.code: place for place in places},
        {"MINISTRY": SourceBB("MINISTRY", "Ministry", "PENSIONS")},
        default_programme="PENSIONS",
    )
