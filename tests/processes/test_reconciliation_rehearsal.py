"""Reconciliation as an operator rehearses it: real processes, simulated banks whose statements get payments wrong."""

import asyncio
import csv
import sys
import time
from datetime import UTC, datetime

import aiohttp

from connector.cli.instance import fresh_instance

SOURCE = "MINISTRY0001"
FATES = {
    "0100": {"statement": "missing"},
    "0200": {"statement": "differing"},
    "0300": {"statement": "unexpected"},
}
ACCOUNTS = ["10000000000100", "20000000000200", "10000000000300", "10000000009904", "20000000000500"]


async def post(http, url, body):
    async with http.request("PUT" if "/rules" in url else "POST", url, json=body) as answer:
        assert answer.status < 300, await answer.text()
        return await answer.json()


async def got(http, url):
    async with http.get(url) as answer:
        assert answer.status == 200, await answer.text()
        return await answer.json()


async def pay(http, base):
    people = [
        {"PayeeFunctionalID": f"P{number:019d}", "PaymentModality": "00", "FinancialAddress": account}
        for number, account in enumerate(ACCOUNTS)
    ]
    credits_ = [
        {
            "InstructionID": f"INSTR{number:011d}",
            "PayeeFunctionalID": person["PayeeFunctionalID"],
            "Amount": 10 + number,
            "Currency": "USD",
            "Narration": "May",
        }
        for number, person in enumerate(people)
    ]
    common = {"SourceBBID": SOURCE}
    await post(http, f"{base}/register-beneficiary", {**common, "RequestID": "REQ000000001", "Beneficiaries": people})
    order = {**common, "RequestID": "REQ000000002", "BatchID": "BATCH0000001", "CreditInstructions": credits_}
    await post(http, f"{base}/bulk-payment", order)
    deadline = time.monotonic() + 30
    while (await got(http, f"{base}/admin/batches"))["items"][0]["state"] != "completed":
        assert time.monotonic() < deadline
        await asyncio.sleep(0.05)


async def command(*arguments):
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "connector.cli", "reconcile", *arguments),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    output, errors = await process.communicate()
    return process.returncode, output.decode(), errors.decode()


async def test_wrong_statements_are_found_out_and_honest_ones_match(tmp_path):
    async with (
        fresh_instance(tmp_path / "data", lambda _: None, log_level="ERROR") as (settings, _),
        aiohttp.ClientSession() as http,
    ):
        base, banks = settings.api_url, f"{settings.simulators_base}/sim"
        day = f"{datetime.now(UTC):%F}"
        await pay(http, base)
        rules = [{"when": {"account": f"{end}$"}, "then": then} for end, then in FATES.items()]
        await post(http, f"{banks}/TREAXU22/rules", rules)
        await post(http, f"{banks}/clock", {"days": 1})
        table = tmp_path / "found.csv"
        options = ("--programme", "SANDBOX", "--from", day, "--url", base)
        code, output, errors = await command(*options, "--csv", str(table))
        assert (code, errors) == (1, ""), output
        rows = list(csv.DictReader(table.read_text().splitlines()))
        found = {row["instruction_id"] or row["end_to_end_id"]: (row["kind"], row["difference"]) for row in rows}
        assert found == {
            "INSTR00000000000": ("missing", ""),
            "INSTR00000000001": ("differing", "amount"),
            "INSTR00000000002": ("matched", ""),
            "INSTR00000000004": ("matched", ""),
            "XINSTR00000000002": ("unexpected", ""),
            "": ("unexpected", ""),  # the opening deposit
        }
        everything = table.read_text() + output
        assert not [account for account in (*ACCOUNTS, "9000000001") if account in everything]
        (listed,) = (await got(http, f"{base}/admin/reconciliations?programme=PENSIONS"))["items"]
        sharing = ["FOODAID", "PENSIONS", "RELIEF", "SANDBOX", "VOUCHERS"]  # all that pay out of this account
        assert (listed["state"], listed["programmes"]) == ("finished", sharing)
