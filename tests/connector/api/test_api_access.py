"""Who may do what in production, and that the sandbox is open."""

import pytest

from connector.api import Role, Token

from test_api_v1 import BATCH, PEOPLE  # isort: skip

TOKENS = (
    Token.of("ministry", Role.SOURCE, "MINISTRY0001"),
    Token.of("other", Role.SOURCE, "MINISTRY0002"),
    Token.of("treasury", Role.INSTITUTION, "TREAXU22"),
    Token.of("operator", Role.ADMIN, "operator"),
)


def bearing(token):
    return {"Authorization": f"Bearer {token}"}


@pytest.fixture
async def production(make_client):
    return await make_client(profile="production", tokens=TOKENS)


@pytest.mark.parametrize("headers", [{}, bearing("wrong"), bearing(""), {"Authorization": "Basic bWluaXN0cnk="}])
async def test_without_a_known_token_nothing_is_served(production, headers):
    for method, path in (("POST", "/bulk-payment"), ("GET", "/admin/batches"), ("POST", "/fsp/TREAXU22/iso20022")):
        answer = await production.request(method, path, json=BATCH, headers=headers)
        assert answer.status == 401
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")


async def test_health_and_documentation_need_no_token(production):
    for path in ("/healthcheck", "/ready", "/docs", "/openapi.json"):
        assert (await production.get(path)).status == 200


async def test_a_source_acts_for_itself_only(production):
    assert (await production.post("/register-beneficiary", json=PEOPLE, headers=bearing("ministry"))).status == 200
    refused = await production.post("/register-beneficiary", json=PEOPLE, headers=bearing("other"))
    assert refused.status == 403
    assert (await refused.json())["ResponseCode"] == "01"


async def test_a_source_sees_its_own_batches_only(production):
    assert (await production.post("/bulk-payment", json=BATCH, headers=bearing("ministry"))).status == 200
    for token, status in (("ministry", 200), ("other", 404), ("operator", 200)):
        query = "?batchId=BATCH0000001&X-CorrelationID=R1"
        assert (await production.post(f"/api/v1/batch{query}", headers=bearing(token))).status == status


async def test_a_source_may_not_push_a_status(production):
    await production.post("/bulk-payment", json=BATCH, headers=bearing("ministry"))
    query = "?batchId=BATCH0000001&X-CorrelationID=R1"
    answer = await production.post(f"/api/v1/batch{query}", json={"completed": 7}, headers=bearing("ministry"))
    assert answer.status == 403


async def test_an_institution_speaks_for_itself_only(production):
    for path in ("/fsp/UNIOXU22/iso20022", "/fsp/UNIOXU22/callbacks/authorisation/AAAA/0"):
        body = {"clientCorrelationId": "C", "status": "Y"}
        answer = await production.post(path, json=body, headers=bearing("treasury"))
        assert answer.status == 403
    assert (await production.post("/bulk-payment", json=BATCH, headers=bearing("treasury"))).status == 403


async def test_only_operators_administer(production):
    for token, status in (("ministry", 403), ("treasury", 403), ("operator", 200)):
        assert (await production.get("/admin/batches", headers=bearing(token))).status == status


async def test_the_sandbox_is_open_and_heeds_tokens(make_client):
    sandbox = await make_client(tokens=TOKENS)
    assert (await sandbox.post("/register-beneficiary", json=PEOPLE)).status == 200
    assert (await sandbox.post("/register-beneficiary", json=PEOPLE, headers=bearing("unheard-of"))).status == 200
    assert (await sandbox.post("/register-beneficiary", json=PEOPLE, headers=bearing("other"))).status == 403
