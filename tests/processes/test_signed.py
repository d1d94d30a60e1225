"""A scheme that signs, end to end: both sides sign every message, and neither takes one that is not signed."""

import subprocess
import time

import aiohttp

from connector.cli.instance import fresh_instance

SCHEME = """
name: Signed
extends: generic
envelope:
  root: {name: Signed, namespace: 'urn:signed:1'}
  header: head.001.001.02
signature: {make: true, require: true, place: header}
"""
REPORT = b'<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.002.001.10"/>'


def key_pair(folder, name):
    key, certificate = folder / f"{name}.key", folder / f"{name}.crt"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={name}"]
    subprocess.run([*command, "-keyout", key, "-out", certificate], check=True, capture_output=True)
    return key, certificate


def scheme_folder(folder):
    (folder / "signed").mkdir(parents=True)
    (folder / "signed" / "scheme.yaml").write_text(SCHEME)
    return (folder,)


async def asked(http, verb, url, body):
    async with http.request(verb, url, json=body) as answer:
        assert answer.status < 300, await answer.text()
        return await answer.json()


async def speak_signed(http, base, signer):
    """Make the payer bank and the connector use the scheme towards one another."""
    await asked(http, "PUT", f"{base}/sim/TREAXU22/scheme", {"scheme": "signed"})
    institutions = (await asked(http, "GET", f"{base}/admin/institutions", None))["items"]
    bank = next(each for each in institutions if each["code"] == "TREAXU22")
    bank = {name: value for name, value in bank.items() if name != "code"}
    await asked(http, "PUT", f"{base}/admin/institutions/TREAXU22", {**bank, "profile": "signed", "signer": signer})


async def pay(http, base):
    person = {"PayeeFunctionalID": "P" * 20, "PaymentModality": "00", "FinancialAddress": "1000000001"}
    credit = {"InstructionID": "I" * 16, "PayeeFunctionalID": "P" * 20, "Amount": 12.5, "Currency": "USD"}
    source = {"SourceBBID": "MINISTRY0001"}
    people = {**source, "RequestID": "REQ000000001", "Beneficiaries": [person]}
    await asked(http, "POST", f"{base}/register-beneficiary", people)
    order = {**source, "RequestID": "REQ000000002", "BatchID": "BATCH0000001", "CreditInstructions": [credit]}
    await asked(http, "POST", f"{base}/bulk-payment", order)
    deadline = time.monotonic() + 30
    while True:
        batch = (await asked(http, "GET", f"{base}/admin/batches", None))["items"][0]
        if batch["state"] == "completed" or time.monotonic() > deadline:
            return batch


async def test_signed_messages_are_exchanged_and_unsigned_ones_refused(tmp_path):
    (own_key, own_certificate), (bank_key, bank_certificate) = (key_pair(tmp_path, name) for name in ("own", "bank"))
    settings = {
        "profiles": scheme_folder(tmp_path / "profiles"),
        "simulator_profiles": scheme_folder(tmp_path / "bank"),
        "signing_key": own_key,
        "signing_certificate": own_certificate,
        "trusted_certificates": (bank_certificate,),
        "simulator_signing_key": bank_key,
        "simulator_signing_certificate": bank_certificate,
        "log_level": "ERROR",
    }
    async with (
        fresh_instance(tmp_path / "data", lambda _: None, **settings) as (running, _),
        aiohttp.ClientSession() as http,
    ):
        await speak_signed(http, running.api_url, "CN=bank")
        batch = await pay(http, running.api_url)
        assert batch["state"] == "completed"
        assert batch["totals"]["USD"]["completed"]["payments"] == 1
        headers = {"Content-Type": "application/xml"}
        async with http.post(f"{running.api_url}/fsp/TREAXU22/iso20022", data=REPORT, headers=headers) as answer:
            assert answer.status == 400
            assert "signed" in await answer.text()
