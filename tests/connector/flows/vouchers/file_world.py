"""A Source BB that writes voucher files and reads the answers, and the services that take them."""

import json
from dataclasses import replace

from connector.domain.directory import SourceBB
from connector.domain.voucher import VoucherGroup
from connector.flows.services import Services
from connector.flows.vouchers import envelope
from connector.flows.vouchers.batch_file import take
from connector.flows.vouchers.exchange_keys import FileExchange, KeyHolder, fresh
from connector.sandbox import sandbox_directory

OURS = KeyHolder.of_text(json.dumps(fresh()))
THEIRS = KeyHolder.of_text(json.dumps(fresh()))
SOURCE = "MINISTRY"


def line(number, **fields):
    return {
        "instructionID": f"I{number}",
        "groupCode": "FOOD",
        "currency": "USD",
        "amount": "10.50",
        "payeeFunctionalID": f"PERSON{number}",
        **fields,
    }


class FileWorld:
    """Services with a voucher group, and the keys of both sides."""

    def __init__(self, services: Services) -> None:
        self.services = replace(services, files=FileExchange(OURS, lines=50, lines_at_once=20))

    async def furnish(self) -> None:
        group = VoucherGroup("FOOD", "Food", "PENSIONS", "USD")
        dear = VoucherGroup("DEAR", "Dear", "POOR", "USD")
        source = SourceBB(SOURCE, SOURCE, "PENSIONS", public_key=json.dumps(THEIRS.public()))
        known = sandbox_directory("http://localhost:1")
        poor = replace(known.programmes["PENSIONS"], id="POOR", budgets={"USD": 1500})
        programmes = {**known.programmes, "POOR": poor}
        directory = replace(known, programmes=programmes, sources={SOURCE: source})
        directory = replace(directory, groups={"FOOD": group, "DEAR": dear}, merchants={})
        await self.services.store.directory.seed(directory)

    def document(self, *lines, **fields):
        claims = {"iss": SOURCE, "aud": OURS.encrypting().thumbprint(), "iat": int(self.services.clock())}
        return {**claims, "requestID": "REQ1", "instructions": list(lines), **fields}

    def file(self, *lines, signer=THEIRS, **fields):
        return envelope.seal(json.dumps(self.document(*lines, **fields)).encode(), envelope.BATCH, signer, OURS)

    async def send(self, file, **options):
        return await take(self.services, file, **options)

    def read(self, answer, kind=envelope.RESPONSE):
        signed = answer if answer.count(b".") == 2 else envelope.opened(answer, THEIRS)
        ours = [envelope.Candidate("isogate", OURS.signing())]
        return json.loads(envelope.verified(signed, kind, lambda _: ours).content)

    async def refused(self, file, **options):
        """Send what must be refused: the faults, and whether the answer was encrypted."""
        taken = await self.send(file, **options)
        assert not taken.id
        return self.read(taken.answer, envelope.REFUSAL)["faults"], taken.answer.count(b".") == 4

    async def vouchers(self):
        return sum(tally.payments for tally in (await self.services.store.vouchers.stock("FOOD")).values())
