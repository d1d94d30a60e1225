"""A Source BB as demo, bench and tests need one: sends batches as the contracts say, and receives the callbacks."""

import asyncio
import io
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, BinaryIO, Final

import aiohttp
import msgspec
from aiohttp import web

from connector.cli.people import Person
from connector.domain.errors import Unavailable
from connector.domain.money import amount_text, exponent

JSON: Final = {"Content-Type": "application/json"}
PAGE: Final = 1000


class SourceBB:
    """One Source BB with its callback receiver. Amounts are minor units of ``currency``."""

    def __init__(self, session: aiohttp.ClientSession, base: str, name: str, callback_url: str) -> None:
        """Speak to the instance at ``base`` under the (12 character) ``name``."""
        self._session = session
        self._base = base
        self.name = name
        self.callback_url = callback_url
        self.callbacks: dict[str, list[Mapping[str, Any]]] = {}
        self._news = asyncio.Condition()

    async def register(self, request_id: str, people: Sequence[Person]) -> None:
        """Put people into the account mapper (v1.0)."""
        entries = [
            {
                "PayeeFunctionalID": each.functional_id,
                "PaymentModality": each.modality,
                "FinancialAddress": each.address,
            }
            for each in people
        ]
        await self._post(
            "/register-beneficiary", {"RequestID": request_id, "SourceBBID": self.name, "Beneficiaries": entries}
        )

    async def prevalidate(self, request_id: str, batch_id: str, credits_: Sequence[Mapping[str, Any]]) -> None:
        """Ask whether the payments could be made (v1.0)."""
        answer = await self._post(
            "/prepayment-validation",
            {"RequestID": request_id, "SourceBBID": self.name, "BatchID": batch_id, "CreditInstructions": credits_},
        )
        if answer["ResponseCode"] != "00":
            raise Unavailable("prepayment validation", str(answer["ResponseDescription"]))

    async def validation_result(self, request_id: str, batch_id: str) -> Mapping[str, Any]:
        """Fetch what is known of a prevalidation (v1.0)."""
        body = {"RequestID": request_id, "Source_BatchID": batch_id}
        return await self._post("/prepayment-validation-response", body)

    async def pay(self, body: bytes | Path, programme: str, correlation_id: str, priority: int | None = None) -> str:
        """Hand over a batch (v3.0), its body at hand or in a file, and give back its id; priority: 0 (first) to 9."""
        headers = {
            **JSON,
            "X-CorrelationID": correlation_id,
            "Platform-TenantId": "sandbox",
            "X-Program-Id": programme,
            "X-Registering-Institution-ID": self.name,
            "X-Callback-URL": self.callback_url,
            **({} if priority is None else {"X-Priority": str(priority)}),
        }
        with io.BytesIO(body) if isinstance(body, bytes) else _opened(body) as data:
            answer = await self._send("POST", "/batchtransactions?type=raw", data=data, headers=headers)
        return str(answer["batchId"])

    async def details(self, batch_id: str, status: str = "") -> AsyncIterator[Mapping[str, Any]]:
        """Walk through the records of a batch, page by page (v3.0); status: an ISO status or an outcome."""
        page = 0
        while records := await self._page(batch_id, page, status):
            for record in records:
                yield record
            page += 1

    async def count(self, batch_id: str, status: str) -> int:
        """Count the records of a batch that have a status or outcome."""
        return len([record async for record in self.details(batch_id, status)])

    def settled(self) -> int:
        """How many payments have a final status, by what the callbacks said so far."""
        newest = (bodies[-1] for bodies in self.callbacks.values() if bodies and "ongoing" in bodies[-1])
        return sum(int(body["TotalTransactions"]) - int(body["ongoing"]) for body in newest)

    async def finished(self, batch_id: str, timeout_seconds: float) -> Mapping[str, Any]:
        """Wait for the callback that says that nothing is ongoing any more."""

        def final() -> Mapping[str, Any] | None:
            return next((body for body in self.callbacks.get(batch_id, ()) if not body["ongoing"]), None)

        async with asyncio.timeout(timeout_seconds), self._news:
            await self._news.wait_for(final)
        return final() or {}

    async def receive(self, request: web.Request) -> web.Response:
        """Take a callback."""
        body = await request.json()
        self.callbacks.setdefault(str(body.get("batchId") or body.get("batchID") or ""), []).append(body)
        async with self._news:
            self._news.notify_all()
        return web.json_response({}, status=200)

    async def _page(self, batch_id: str, page: int, status: str) -> list[Mapping[str, Any]]:
        question = f"batchId={batch_id}&pageNo={page}&pageSize={PAGE}&status={status}"
        path = f"/api/v1/batch/detail?{question}"
        found: list[Mapping[str, Any]] = await self._send("GET", path, headers={"Platform-TenantId": "sandbox"})
        return found

    async def _post(self, path: str, body: Mapping[str, Any]) -> Mapping[str, Any]:
        answer: Mapping[str, Any] = await self._send(
            "POST", path, data=io.BytesIO(msgspec.json.encode(body)), headers=JSON
        )
        return answer

    async def _send(self, verb: str, path: str, **content: Any) -> Any:  # noqa: ANN401 - aiohttp's options
        async with self._session.request(verb, self._base + path, **content) as answer:
            if answer.status >= 300:
                raise Unavailable(
                    f"{verb} {path.split('?', maxsplit=1)[0]}",
                    f"answered {answer.status}: {(await answer.text())[:300]}",
                )
            return await answer.json()


def _opened(path: Path) -> BinaryIO:
    return path.open("rb")


@asynccontextmanager
async def source_bb(base: str, name: str, timeout_seconds: float = 300.0) -> AsyncIterator[SourceBB]:
    """Open a Source BB whose callback receiver listens on a free port of this machine."""
    application = web.Application(client_max_size=64 * 1024 * 1024)
    runner = web.AppRunner(application, access_log=None)
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=timeout_seconds)) as session:
        client = SourceBB(session, base, name, "")
        application.router.add_route("*", "/callback", client.receive)
        await runner.setup()
        try:
            site = web.TCPSite(runner, "127.0.0.1", 0)
            await site.start()
            client.callback_url = f"http://127.0.0.1:{runner.addresses[0][1]}/callback"
            yield client
        finally:
            await runner.cleanup()


def credit_v1(number: int, person: Person, minor: int, currency: str) -> dict[str, Any]:
    """Write one credit instruction of contract v1.0."""
    return {
        "InstructionID": f"I{number:015d}",
        "PayeeFunctionalID": person.functional_id,
        "Amount": float(amount_text(minor, exponent(currency))),
        "Currency": currency,
        "Narration": "Monthly support",
    }


def credit_v3(number: int, person: Person, minor: int, currency: str) -> dict[str, Any]:
    """Write one transaction of contract v3.0, the payee by functional id."""
    return {
        "requestId": f"I{number:015d}",
        "creditParty": [{"key": "payeeFunctionalID", "value": person.functional_id}],
        "debitParty": [{"key": "programme", "value": "account"}],
        "paymentMode": "payment",
        "amount": amount_text(minor, exponent(currency)),
        "currency": currency,
        "descriptionText": "Monthly support",
    }
