"""A payer bank that costs next to nothing, in a process of its own: ``python -m loadtests.bench.light_bank PORT``.

It takes each pain.001 whole, finds the ids, the count and the sum in its head by regular expressions, and answers at
once with a pain.002 whose group status settles all payments. It keeps no ledger, only figures: so that what is
measured beside it is the connector, not the bank.
"""

import re
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Final

from aiohttp import web

from loadtests.bench.served import serve, started

LARGEST_BODY: Final = 512 * 1024 * 1024
HEAD_BYTES: Final = 4096
"""The group header of a message is within its first bytes."""

_HEAD: Final = re.compile(
    rb"xsd:(pain\.001\.001\.\d\d).*?<MsgId>([^<]+)</MsgId>.*?<NbOfTxs>(\d+)</NbOfTxs>.*?<CtrlSum>([\d.]+)</CtrlSum>",
    re.DOTALL,
)
_REPORT: Final = (
    b'<?xml version="1.0" encoding="UTF-8"?>\n'
    b'<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.002.001.10"><CstmrPmtStsRpt>'
    b"<GrpHdr><MsgId>L%(number)010d</MsgId><CreDtTm>2026-01-05T10:00:00Z</CreDtTm></GrpHdr>"
    b"<OrgnlGrpInfAndSts><OrgnlMsgId>%(message_id)s</OrgnlMsgId><OrgnlMsgNmId>%(name)s</OrgnlMsgNmId>"
    b"<OrgnlNbOfTxs>%(count)s</OrgnlNbOfTxs><OrgnlCtrlSum>%(total)s</OrgnlCtrlSum><GrpSts>ACSC</GrpSts>"
    b"</OrgnlGrpInfAndSts></CstmrPmtStsRpt></Document>"
)


class LightBank:
    """What came in, and the report on it; a message that comes again is counted as repeated, and paid once."""

    def __init__(self) -> None:
        self.payments = 0
        self.total = Decimal(0)
        self.messages: Counter[bytes] = Counter()

    def report_on(self, body: bytes) -> bytes:
        """Settle every payment of a pain.001; raises ``ValueError`` where its head cannot be found."""
        found = _HEAD.search(body, 0, HEAD_BYTES)
        if found is None:
            raise ValueError("no group header of a pain.001")
        name, message_id, count, total = found.groups()
        if not self.messages[message_id]:
            self.payments += int(count)
            self.total += Decimal(total.decode())
        self.messages[message_id] += 1
        facts = {"name": name, "message_id": message_id, "count": count, "total": total}
        return _REPORT % {b"number": len(self.messages), **{key.encode(): value for key, value in facts.items()}}

    def figures(self) -> dict[str, int | str]:
        """Give what came in so far."""
        return {
            "messages": len(self.messages),
            "repeated": self.messages.total() - len(self.messages),
            "payments": self.payments,
            "total": str(self.total),
        }


@asynccontextmanager
async def light_bank() -> AsyncIterator[tuple[str, int]]:
    """Start one and give its URL and process id; it ends with the block. Raises ``Unavailable``."""
    async with started("loadtests.bench.light_bank", "/healthcheck") as (port, pid):
        yield f"http://127.0.0.1:{port}", pid


def application(bank: LightBank) -> web.Application:
    """Build its doors: every institution's ``/{code}/iso20022``, and ``/figures``."""

    async def receive(request: web.Request) -> web.Response:
        return web.Response(body=bank.report_on(await request.read()), content_type="application/xml")

    async def figures(_: web.Request) -> web.Response:
        return web.json_response(bank.figures())

    made = web.Application(client_max_size=LARGEST_BODY)
    made.router.add_post("/{code}/iso20022", receive)
    made.router.add_get("/figures", figures)
    made.router.add_get("/healthcheck", figures)
    return made


if __name__ == "__main__":
    serve(application(LightBank()))
