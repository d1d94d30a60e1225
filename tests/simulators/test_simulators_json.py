"""The payer bank's GovStack JSON interface, with its callbacks."""

import json
from typing import Any

from simulators_sandbox import PAYER, UNION, Sandbox

CALLBACK = "/fsp/TREAXU22/callbacks"


async def _post(sandbox: Sandbox, path: str, body: Any, **headers: str) -> tuple[int, Any]:
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    async with sandbox.http.post(f"{sandbox.url}/{PAYER}{path}", data=json.dumps(body), headers=names) as response:
        text = await response.text()
        return response.status, json.loads(text) if text else None


def _instruction(identifier: str, account: str, amount: float) -> dict[str, Any]:
    return {
        "requestId": identifier,
        "creditParty": [
            {"key": "accountNumber", "value": account},
            {"key": "bankingInstitutionCode", "value": UNION},
        ],
        "debitParty": [{"key": "accountNumber", "value": "9000000001"}],
        "paymentMode": "00",
        "amount": amount,
        "currency": "USD",
    }


async def test_accounts_are_validated(sandbox: Sandbox) -> None:
    url = f"{sandbox.connector_url}{CALLBACK}/validation/B/0"
    body = {
        "batchId": "B1",
        "destinationDFSPID": UNION,
        "creditInstructions": [
            {"instructionID": "I1", "financialAddress": "1012345678"},
            {"instructionID": "I2", "financialAddress": "1012349904"},
        ],
    }
    headers = {"X_Client_Correlation_ID": "C1", "X_Callback_URL": url}
    status, _ = await _post(sandbox, "/beneficiaries?command=validate", body, **headers)
    assert status == 202
    await sandbox.advance()
    ((path, answer),) = sandbox.connector.callbacks
    assert path == f"{CALLBACK}/validation/B/0"
    assert answer == {
        "clientCorrelationId": "C1",
        "batchId": "B1",
        "numberOfFailedCases": 1,
        "failedAccountLookups": [{"instructionID": "I2", "failureReason": "AC04"}],
    }


async def test_funds_are_authorised_where_they_are_there(sandbox: Sandbox) -> None:
    for account, expected in (("9000000001", "Y"), ("9000000004", "N")):
        url = f"{sandbox.connector_url}{CALLBACK}/authorisation/B/0"
        body = {"batchID": "B1", "payerIdentifier": account, "currency": "USD", "amount": 12.5}
        headers = {"X_Client_Correlation_ID": f"C{account}", "X_Callback_URL": url}
        assert (await _post(sandbox, "/batches/B1?command=authorize", body, **headers))[0] == 202
        await sandbox.advance()
        assert sandbox.connector.callbacks[-1][1]["status"] == expected


async def test_a_batch_is_paid_its_status_pushed_and_its_details_given(sandbox: Sandbox) -> None:
    body = [_instruction("I1", "1012345678", 10.5), _instruction("I2", "1012349904", 2)]
    for _ in range(2):
        status, answer = await _post(sandbox, "/batchtransactions?type=raw", body, X_CorrelationID="C1")
        assert (status, answer) == (202, {"batchId": "C1"})
    await sandbox.advance()
    ((path, push),) = sandbox.connector.callbacks
    assert path == "/api/v1/batch?batchId=C1&X-CorrelationID=C1"
    assert (push["completed"], push["failed"], push["ongoing"], push["completed_amount"]) == (1, 1, 0, 10.5)
    async with sandbox.http.get(f"{sandbox.url}/{PAYER}/api/v1/batch/detail?batchId=C1") as response:
        details = await response.json()
    assert [(one["transactionId"], one["status"], one["statusDetail"]) for one in details] == [
        ("I1", "ACCC", ""),
        ("I2", "RJCT", "AC04"),
    ]
    assert await sandbox.balance(UNION, "1012345678") == 1050
    await sandbox.proof()


async def test_a_batch_without_funds_is_refused_in_json(sandbox: Sandbox) -> None:
    item = _instruction("I1", "1012345678", 10.5)
    item["debitParty"][0]["value"] = "9000000004"
    await _post(sandbox, "/batchtransactions?type=raw", [item], X_CorrelationID="C1")
    await sandbox.advance()
    assert sandbox.connector.callbacks[0][1]["failed"] == 1
    async with sandbox.http.get(f"{sandbox.url}/{PAYER}/api/v1/batch/detail?batchId=C1") as response:
        assert [one["statusDetail"] for one in await response.json()] == ["AM04"]


async def test_bad_json_is_refused(sandbox: Sandbox) -> None:
    bad: list[Any] = [{}, [], [{}], [{**_instruction("I1", "1012345678", 1), "amount": -1}], "[" * 500]
    for body in bad:
        status, answer = await _post(sandbox, "/batchtransactions?type=raw", body, X_CorrelationID="C1")
        assert status == 400, body
        assert answer["errors"]
