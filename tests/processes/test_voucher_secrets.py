"""Everything that an instance writes is searched for secrets, after vouchers went through all dialects and errors.

Searched: what its processes printed at log level debug, what the administration, the metrics and the documents of the
API answer, every error, and every file: the store's, the archive, the simulated institutions', those of the watched
folder. Only the files with keys are left out, and the answers that are there to tell somebody a number.
"""

import asyncio
import base64
import hashlib
import json
import os
import random
import sys
import time
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import uuid4

import aiohttp
from voucher_fair import CARD, CLOSED, FOOD, Retail, fair, http_session, insist

from connector.cli.instance import answers, free_ports
from connector.cli.source_bb import source_bb
from connector.domain.directory import SourceBB
from connector.flows.vouchers import envelope
from connector.flows.vouchers.exchange_keys import KeyHolder, fresh
from connector.flows.vouchers.secrecy import opened_number

SEED = 4
MINISTRY = "FAIRCALLER01"
V3 = {"X-Registering-Institution-ID": MINISTRY}
PIN, HASHED = "Zq7PinWx93kd", hashlib.sha256(b"Rm4PinTy27bv").hexdigest().upper()
CHOSEN = "7318529640183726"
GUESSED = ("6152738495061728", "5029384756102938")
PASSWORD = "Wq8SuvPassKt55"
KEY = base64.b64encode(hashlib.sha512(b"a key of the ministry").digest()).decode()
PINS = (
    {"type": "CLEAR_PIN", "pin": PIN},
    {"type": "CLEAR_PIN", "pin": f"{PIN}x"},
    {"type": "?", "pin": PIN},
    {"type": "HASHED_PIN", "hash": HASHED},
)
BASIC = {"Authorization": aiohttp.encode_basic_auth("SHOPS", PASSWORD)}
NO_SERIAL = 8_999_999_999_999_999
KEYS = {"keys", "exchange-keys.json"}
"""What of the data folder is there to keep keys, and only to be read by its owner."""


def spellings(number: str) -> set[bytes]:
    """Write a number in every way in which it may be recognised, or turned around from."""
    digits, value, sha = number.encode(), int(number), hashlib.sha256(number.encode())
    groups = [number[at : at + 4] for at in range(0, len(number), 4)]
    found = {
        digits,
        digits[::-1],
        digits.hex().encode(),
        bytes.fromhex(number),
        f"{value:x}".encode(),
        sha.digest(),
    }
    found |= {separator.join(groups).encode() for separator in (" ", "-", ".", "%20", "_")}
    found |= {f"{value:,}".encode(), value.to_bytes(8, "big"), value.to_bytes(8, "little")}
    found |= {sha.hexdigest().encode(), hashlib.md5(digits).digest(), hashlib.sha1(digits).digest()}
    return found | base64_of(digits) | {number.encode("utf-16-le")}


def base64_of(secret: bytes) -> set[bytes]:
    """Give what is the same in base64 of any text that has the secret in it, wherever it begins."""
    found = set()
    for before in range(3):
        text = base64.b64encode(bytes(before) + secret)
        end = len(text) - 4 if (before + len(secret)) % 3 else len(text)
        inner = text[(4 if before else 0) : end]
        found |= {inner, inner.replace(b"+", b"-").replace(b"/", b"_")}
    return found


class Walk:
    """An instance, what is sent to it, and what it must not give away."""

    def __init__(self, http, base, world):
        self.http = http
        self.base = base
        self.world = world
        self.numbers = {each.number for each in world.vouchers} | {CHOSEN, *GUESSED}
        self.statuses = set()
        self.said = {}
        self.private = fresh()
        self.ours = KeyHolder(())

    async def ask(self, verb, path, body=None, *, secret=False, **headers):
        """Send something; the answer is kept to be searched, unless it may tell a secret to whom it is for."""
        content = {"data": body} if isinstance(body, bytes | str) else {"json": body}
        async with self.http.request(verb, f"{self.base}{path}", headers=headers, **content) as answer:
            text = await answer.read()
        assert answer.status != 500, text
        self.statuses.add(answer.status)
        if not secret:
            self.said[f"{verb} {path} #{len(self.said)}"] = text
        try:
            return answer.status, json.loads(text)
        except ValueError:
            return answer.status, text

    def presented(self, number, merchant="FAIRMERCHANT000", **more):
        return {
            "voucher_number": int(number),
            "Gov_Stack_BB": MINISTRY,
            "merchant_name": f"Stall {merchant}",
            "merchant_bank_details": self.world.accounts[merchant],
            "merchant_voucher_group": FOOD,
            "override": True,
            **more,
        }

    async def v1(self):
        """Pre-activate, activate, redeem, cancel: well, and badly in each way."""
        asked = {"voucher_amount": "4.20", "voucher_currency": "USD", "voucher_group": FOOD, "Gov_Stack_BB": MINISTRY}
        for wrong in (
            {"voucher_amount": "x"},
            {"voucher_currency": "ABC"},
            {"voucher_group": "?"},
            {"Gov_Stack_BB": "?"},
        ):
            assert (await self.ask("POST", "/vouchers/voucher_preactivation", asked | wrong))[0] in range(450, 461)
        _, made = await self.ask("POST", "/vouchers/voucher_preactivation", asked, secret=True)
        self.numbers.add(made["voucher_number"])
        serial = made["voucher_serial_number"]
        for _ in range(2):
            activation = {"voucher_serial_number": int(serial), "Gov_Stack_BB": MINISTRY}
            assert (await self.ask("PATCH", "/vouchers/voucher_activation", activation))[0] == 200
        path, first = "/vouchers/voucher_redemption", self.world.vouchers[0].number
        bodies = [
            self.presented(made["voucher_number"]),
            self.presented(made["voucher_number"]),
            self.presented(first, CLOSED),
            self.presented(first, merchant_bank_details="1000000999", Gov_Stack_BB="?"),
            self.presented(first, voucher_number={"n": first}),
            self.presented(first, voucher_number=f" {first[:8]} {first[8:]}"),
            self.presented(first, override=first),
            *(self.presented(guess) for guess in GUESSED),
            json.dumps(self.presented(first))[:-3],
            f"[{first}]",
        ]
        for body in bodies:
            headers = {"X-CorrelationID": str(uuid4()), "Content-Type": "application/json"}
            await insist(lambda body=body, headers=headers: self._final(path, body, headers))
        cancelled = self.world.vouchers[1].serial
        body = {"voucherserialnumber": cancelled, "Gov_Stack_BB": MINISTRY}
        for _ in range(2):
            await self.ask("PATCH", f"/vouchers/voucherstatuscheck/{cancelled}", body)
        for mistaken in (first, f"{first}x", serial, NO_SERIAL):  # the number, where the serial number belongs
            await self.ask("GET", f"/vouchers/voucherstatuscheck/{mistaken}")
            await self.ask("PATCH", f"/vouchers/voucherstatuscheck/{mistaken}", body, secret=True)

    async def _final(self, path, body, headers):
        status, _ = await self.ask("POST", path, body, **headers)
        return None if status == 503 else status

    async def v3(self, source):
        """Create with callbacks (one to nowhere), redeem, guess, change: well, and badly."""
        line = {"groupCode": FOOD, "currency": "USD", "amount": "3.30", "narration": "for lunch"}
        lines = [{**line, "instructionID": f"I{n:015d}"} for n in range(3)]
        for number, url in enumerate((source.callback_url, "http://127.0.0.1:9/nowhere")):
            body = {"requestID": f"C{number:011d}", "batchID": f"BATCH{number:07d}", "voucherInstructions": lines}
            status, _ = await self.ask("POST", "/vouchers", body, **V3, **{"X-Callback-URL": url})
            assert status == 200
        ministry = SourceBB(MINISTRY, MINISTRY, voucher_key=KEY)
        told = (await insist(lambda: self._told(source)))["voucherInstructions"]
        made = {int(each["serialNumber"]): each["voucherNumber"] for each in told}
        made = {serial: opened_number(ministry, serial, sealed) for serial, sealed in made.items()}
        self.numbers |= set(made.values())
        named = [{"serialNumber": str(serial)} for serial in [*made, NO_SERIAL]]
        for command in ("activate", "suspend", "reactivate"):
            body = {"requestID": f"{command[:3].upper()}{1:09d}", "voucherInstructions": named}
            await self.ask(
                "PUT", f"/vouchers?command={command}", body, **V3, **{"X-Callback-URL": source.callback_url}
            )
        (serial, number), (blocked, _), _ = made.items()
        tries = [(blocked, guess) for guess in GUESSED * 3] + [(serial, number)] * 2 + [(NO_SERIAL, number)]
        for place, (named_serial, presented) in enumerate(tries):
            body = {
                "requestID": f"R{place:011d}",
                "voucherSerialNumber": named_serial,
                "agentID": "FAIRMERCHANT001",
                "voucherSecretNumber": presented,
            }
            for wrong in ({}, {"agentID": presented}, {"voucherSecretNumber": [presented]}):
                await self.ask("POST", "/vouchers?command=redeem", body | wrong, **V3)
        await self.ask("POST", "/vouchers?command=redeem", {"voucherSecretNumber": number, "x": number}, **V3)
        for path in (f"/vouchers/{serial}", "/vouchers/batches/BATCH0000000"):
            await self.ask("GET", f"{path}?fields=status", **V3)
        await self.ask("GET", f"/vouchers/{number}", secret=True, **V3)  # by contract it says for what it was asked

    async def _told(self, source):
        return next(iter(source.callbacks.get("BATCH0000000", ())), None)

    async def suv(self):
        """Sell with code and PIN, redeem with the right one and wrong ones, look up, refund, reverse."""
        till = Retail(self.http, [self.base], "SHOPS", "FAIRMERCHANT002", "", random.Random(SEED))
        codes = await self.sold(till)
        assert len(codes) == 2
        self.numbers |= set(codes)
        for pin in PINS:
            for code in codes:
                await self.redeemed(till, {"code": code, "pin": pin})
        for code in (*codes, *GUESSED, self.world.vouchers[2].number):
            for path in (f"voucherCode={code}", f"voucherSerialNumber={code}&x={code}"):
                await self.ask("GET", f"/suv/v1/vouchers?{path}", **BASIC)
            for wrong in ({"code": code, "number": code}, code, {"code": code}):
                await self.post("/redemptions", till.message(voucher=wrong))
        cut = json.dumps(till.message(voucher={"code": CHOSEN, "pin": PINS[0]}))[:-2]
        await self.post("/redemptions", cut)

    async def sold(self, till):
        """Sell vouchers with all kinds of PINs and a chosen code, each twice; gives the codes."""
        codes = []
        encrypted = {"type": "ENCRYPTED_PIN", "pinBlock": "0123456789ABCDEF"}
        for voucher in ({"code": CHOSEN, "pin": PINS[0]}, {"pin": PINS[-1]}, {"pin": encrypted}, {"code": CHOSEN}):
            money = {"requestAmount": {"amount": 900, "currency": "840"}}
            body = till.message(amounts=money, product={"productId": CARD}, voucher=voucher)
            for _ in range(2):
                status, said = await self.post("/vouchers", body, secret=True)
                codes += [said["voucher"]["code"]] if status == 201 else []
            await self.advise("/vouchers/confirmations", body["id"], tenders=[])
        return codes

    async def redeemed(self, till, voucher):
        """Redeem a part, twice; then confirm and refund it, or reverse it."""
        body = till.message(amounts={"requestAmount": {"amount": 100, "currency": "840"}}, voucher=voucher)
        for _ in range(2):
            await self.post("/redemptions", body)
        await self.ask("GET", f"/suv/v1/redemptions/{body['id']}", **BASIC)
        if voucher["code"] != CHOSEN:
            return await self.advise("/redemptions/reversals", body["id"], reversalReason="TIMEOUT")
        await self.advise("/redemptions/confirmations", body["id"])
        refund = till.message(voucher=voucher, redemptionId=body["id"])
        await self.post("/refunds", refund)
        return await self.advise("/refunds/confirmations", refund["id"])

    async def post(self, path, body, **flags):
        """Send a message of the retail interface."""
        return await self.ask("POST", f"/suv/v1{path}", body, **flags, **BASIC)

    async def advise(self, path, request, **more):
        """Send an advice."""
        advice = {"id": str(uuid4()), "requestId": request, "time": "2030-01-15T10:00:00Z", **more}
        return await self.post(path, {**advice, "thirdPartyIdentifiers": []})

    async def files(self, inbox, outbox):
        """Send an encrypted file over HTTP and through the folder, and a tampered one."""
        _, jwks = await self.ask("GET", "/.well-known/jwks.json")
        self.ours, own = KeyHolder.of_text(json.dumps(jwks)), KeyHolder.of_text(json.dumps(self.private))
        for number in range(2):
            line = {"groupCode": FOOD, "currency": "USD", "amount": "2.20", "activate": True}
            document = {
                "iss": MINISTRY,
                "aud": self.ours.encrypting().thumbprint(),
                "iat": int(time.time()),
                "requestID": f"FILE{number}",
                "instructions": [{**line, "instructionID": "A"}, {**line, "instructionID": "B", "groupCode": "?"}],
            }
            sealed = envelope.seal(json.dumps(document).encode(), envelope.BATCH, own, self.ours)
            if number:
                (inbox / ".file").write_bytes(sealed)
                (inbox / ".file").rename(inbox / "file.jose")
                answer = await insist(lambda: self._answer(outbox))
            else:
                jose = {"Content-Type": "application/jose"}
                _, answer = await self.ask("POST", "/vouchers/batches", sealed, **jose)
                await self.ask("POST", "/vouchers/batches", sealed[:-9] + b"AAAAAAAAA", **jose)
            keys = [envelope.Candidate("isogate", key) for key in [self.ours.signing()] if key]
            said = envelope.verified(envelope.opened(answer, own), envelope.RESPONSE, lambda _: keys)  # noqa: B023 (called here)
            first, failed = json.loads(said.content)["instructions"]
            assert failed["status"] == "failed"
            self.numbers.add(first["number"])

    async def _answer(self, outbox):
        return next((file.read_bytes() for file in outbox.glob("file*.jose")), None)

    async def administration(self):
        """Ask for everything that there is to be asked for, and archive what is over."""
        await self.administration_of_vouchers()
        _, page = await self.ask("GET", "/admin/voucher-settlements")
        for batch in page["items"]:
            for part in ("", "/events", "/chunks", "/payments"):
                await self.ask("GET", f"/admin/batches/{batch['ref']}{part}")
        for path in LISTS:
            await self.ask("GET", path)
        await self.ask("POST", "/admin/vouchers/purge", {"older_than_days": 0})

    async def administration_of_vouchers(self):
        """Show and change vouchers, also under numbers in place of serial numbers."""
        serials = [self.world.vouchers[0].serial, self.world.vouchers[1].serial, *range(10**15, 10**15 + 12)]
        for command in ("block", "unblock", "suspend", "reactivate"):
            body = {"serials": list(map(str, serials)), "reason": "looked at"}
            await self.ask("POST", f"/admin/vouchers?command={command}", body)
        for serial in serials:
            for part in ("", "/history", "/redemptions"):
                await self.ask("GET", f"/admin/vouchers/{serial}{part}")
        wrong = {"serials": [GUESSED[0]], "reason": "x", "number": GUESSED[0]}
        await self.ask("POST", "/admin/vouchers?command=block", wrong)
        for mistaken in (self.world.vouchers[0].number, f"{self.world.vouchers[0].number}x"):
            for part in ("", "/history", "/redemptions"):
                await self.ask("GET", f"/admin/vouchers/{mistaken}{part}")


LISTS = (
    *("/admin/batches", "/admin/callbacks", "/admin/callbacks?state=dead", "/admin/queue", "/admin/programmes"),
    *("/admin/programmes/FAIR/funds", "/admin/institutions", "/admin/sources", "/admin/voucher-groups"),
    *("/admin/merchants", "/admin/voucher-stock", "/admin/voucher-report", "/admin/voucher-report?format=csv"),
    *("/metrics", "/openapi.json", "/docs", "/healthcheck", "/ready"),
)


@asynccontextmanager
async def instance(world, folder):
    """Run ``isogate up`` with everything that it prints going into a file."""
    port, simulators = free_ports(2)
    own = {
        "ISOGATE_SIMULATORS_PORT": simulators,
        "ISOGATE_LOG_LEVEL": "DEBUG",
        "ISOGATE_DEMO_DATA": world.write(folder / "fair.json"),
        "ISOGATE_VOUCHER_INBOX": folder / "inbox",
        "ISOGATE_VOUCHER_OUTBOX": folder / "outbox",
        "ISOGATE_CALLBACK_ATTEMPTS": 1,
        "ISOGATE_CALLBACK_FIRST_DELAY_SECONDS": 0.05,
        "ISOGATE_SUV_CLIENTS": json.dumps({"SHOPS": PASSWORD}),
    }
    environment = {**os.environ, **{name: str(value) for name, value in own.items()}}
    base = f"http://127.0.0.1:{port}"
    with (folder / "printed").open("wb") as printed:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "connector.cli", "up", "--port", str(port), "--data-dir", str(folder / "data")),
            env=environment,
            stdout=printed,
            stderr=printed,
        )
        try:
            await insist(lambda: _ready(base))
            yield base
        finally:
            process.terminate()
            await process.wait()


async def _ready(base):
    return await answers(f"{base}/ready") or None


def written(folder: Path) -> dict[str, bytes]:
    """Read every file that the instance wrote, but for the keys."""
    files = [file for file in folder.rglob("*") if file.is_file() and file.name != "fair.json"]
    kept = [file for file in files if KEYS.isdisjoint(file.relative_to(folder).parts)]
    return {str(file.relative_to(folder)): file.read_bytes() for file in kept}


def found_in(places: dict[str, bytes], secrets: dict[str, set[bytes]]) -> list[str]:
    """Say where which secret is, by its name."""
    return [
        f"{name} {spelling[:24]!r} in {place}: ...{content[max(0, at - 60) : at + 40]!r}"
        for name, spelled in secrets.items()
        for spelling in spelled
        for place, content in places.items()
        if (at := content.find(spelling)) >= 0
    ]


async def test_nothing_that_is_written_has_a_secret_in_it(tmp_path):
    world = fair(6, 2, SEED)
    async with instance(world, tmp_path) as base, http_session() as http, source_bb(base, MINISTRY) as source:
        walk = Walk(http, base, world)
        keys = {"name": "Ministry", "programme": "FAIR", "voucher_key": KEY}
        public = json.dumps(KeyHolder.of_text(json.dumps(walk.private)).public())
        assert (await walk.ask("PUT", f"/admin/sources/{MINISTRY}", {**keys, "public_key": public}))[0] == 200
        await walk.v1()
        await walk.v3(source)
        await walk.suv()
        await walk.files(tmp_path / "inbox", tmp_path / "outbox")
        await walk.administration()
    files = written(tmp_path)
    print(f"\n{len(walk.said)} answers, {len(files)} files, {sum(map(len, files.values())):,} bytes")
    assert walk.statuses >= {200, 201, 202, 400, 404, 452, 453, 454, 456, 458, 460, 461, 463, 464}
    assert found_in(files | walk.said, secrets_of(walk, tmp_path)) == []
    accounts = {account: {account.lstrip("+").encode()} for account in world.accounts.values()}
    assert found_in({"printed": files["printed"], **walk.said}, accounts) == []
    check_that_the_search_finds(files)


def secrets_of(walk, folder):
    """List every secret there is by its name, in its spellings."""
    made = json.loads((folder / "data" / "exchange-keys.json").read_text())
    private = [key["d"].encode() for key in (*made["keys"], *walk.private["keys"])]
    at_rest = [line.split(b":")[-1] for file in (folder / "data").glob("keys*") for line in file.read_bytes().split()]
    texts = {"pin": PIN, "hash": HASHED, "password": PASSWORD}
    return {
        **{f"number {number}": spellings(number) for number in walk.numbers},
        **{name: {text.encode(), text.lower().encode(), *base64_of(text.encode())} for name, text in texts.items()},
        "voucher key": {KEY.encode(), base64.b64decode(KEY), base64.b64decode(KEY).hex().encode()},
        "private keys": {*private, *(base64.urlsafe_b64decode(key + b"==") for key in private)},
        "keys at rest": {*at_rest, *(base64.b64decode(key) for key in at_rest)},
    }


def check_that_the_search_finds(files):
    """What has to be there is found: serial numbers in the store's files, and log lines of every process."""
    assert any(b"1000000000000000" in content for name, content in files.items() if "appendonly" in name)
    for process in (b"api", b"worker", b"simulators", b"store"):
        assert process in files["printed"]
    number = "1234567890123456"
    encoded = base64.b64encode(b"ab" + number.encode() + b"cd")
    assert found_in({"x": encoded}, {"n": base64_of(number.encode())})
