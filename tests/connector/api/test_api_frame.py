"""Around every request: ids, health, metrics, documentation, and errors without innards."""

import asyncio
import gzip
import re

import pytest
from aiohttp import web
from msgspec.json import encode

from connector.api import ApiSettings
from connector.api.application import OPERATIONS
from connector.api.docs import curl
from connector.api.json_body import decode
from connector.api.suv.examples import PROVISION
from connector.domain.errors import Unavailable


async def test_liveness_and_readiness(client):
    assert (await client.get("/healthcheck")).status == 200
    assert (await client.get("/ready")).status == 200


async def test_readiness_is_refused_with_a_time_to_wait_where_the_store_is_away(client, services, monkeypatch):
    async def away():
        raise Unavailable("store", "connection refused", 3.0)

    monkeypatch.setattr(services.store, "ping", away)
    answer = await client.get("/ready")
    assert (answer.status, answer.headers["Retry-After"]) == (503, "3")
    assert (await client.get("/healthcheck")).status == 200


async def test_a_presentable_request_id_is_kept_and_any_other_replaced(client):
    assert (await client.get("/healthcheck", headers={"X-Request-ID": "abc-1"})).headers["X-Request-ID"] == "abc-1"
    assert (await client.get("/healthcheck", headers={"X-Request-ID": "a b"})).headers["X-Request-ID"] != "a b"


async def test_unknown_paths_and_methods_are_answered_in_json(client):
    assert (await (await client.get("/nowhere")).json())["errors"][0]["code"] == "not_found"
    answer = await client.get("/bulk-payment")
    assert (answer.status, answer.headers["Allow"]) == (405, "POST")


async def test_a_defect_is_answered_and_logged_without_what_was_sent(client, services, monkeypatch, caplog):
    async def broken():
        raise KeyError("account 1000000001")

    monkeypatch.setattr(services.store, "ping", broken)
    answer = await client.get("/ready")
    assert (answer.status, (await answer.json())["errors"][0]["code"]) == (500, "defect")
    assert "KeyError" in caplog.text
    assert "1000000001" not in caplog.text + await answer.text()


async def test_metrics_name_patterns_and_no_ids(client):
    await client.get("/admin/batches/SECRETBATCH")
    text = await (await client.get("/metrics")).text()
    assert 'path="/admin/batches/{ref}"' in text
    assert "SECRETBATCH" not in text


async def test_the_documentation_shows_every_operation_and_needs_nothing_from_elsewhere(client):
    answer = await client.get("/docs")
    page = await answer.text()
    assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")
    for operation in OPERATIONS:
        assert f"<code>{operation.path}</code>" in page
    assert page.count("curl -i") == len(OPERATIONS)
    for asset in re.findall(r'(?:src|href)="([^"#]+)"', page):
        assert asset.startswith("/")
        assert (await client.get(asset)).status == 200


@pytest.mark.parametrize(
    ("method", "path", "said"),
    [
        ("POST", "/vouchers", "-H 'X-Callback-URL: http"),
        ("GET", "/suv/v1/vouchers", f"/vouchers?provisionRequestId={PROVISION['id']}"),
        ("POST", "/admin/vouchers", "/admin/vouchers?command=pre-activate"),
        ("PUT", "/vouchers", "/vouchers?command=activate"),
    ],
)
def test_the_documentations_commands_have_what_they_need_to_be_answered(method, path, said):
    [operation] = [one for one in OPERATIONS if (one.method, one.path) == (method, path)]
    assert said in curl(operation, ApiSettings())


async def test_the_simulators_are_reached_through_the_sandbox_only(make_client, aiohttp_server):
    async def echo(request):
        return web.json_response({"path": request.raw_path, "body": await request.text()}, status=201)

    simulators = web.Application()
    simulators.router.add_route("*", "/sim/{path:.*}", echo)
    server = await aiohttp_server(simulators)
    url = str(server.make_url("/"))
    sandbox = await make_client(simulators_url=url)
    answer = await sandbox.post("/sim/clock?by=1%20day", data="x")
    assert (answer.status, await answer.json()) == (201, {"path": "/sim/clock?by=1%20day", "body": "x"})
    assert (await (await make_client(simulators_url=url, profile="production")).get("/sim/clock")).status == 404
    await server.close()
    assert (await sandbox.get("/sim/clock")).status == 503


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (gzip.compress(b"{}", mtime=0), 400),
        (gzip.compress(b"{}" * 1000, mtime=0)[:30], 400),
        (b"\x1f\x8b\x08garbage", 400),
        (b"no gzip at all", 400),
        (gzip.compress(b" " * 300_000, mtime=0), 413),
    ],
)
async def test_compressed_bodies_are_bounded_and_broken_ones_refused(make_client, content, status):
    small = await make_client(max_body_bytes=100_000)
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    for path in ("/bulk-payment", "/fsp/TREAXU22/iso20022"):
        kind = {"Content-Type": "application/xml"} if path.startswith("/fsp") else {}
        answer = await small.post(path, data=content, headers={**headers, **kind})
        assert answer.status == status, await answer.text()


@pytest.mark.parametrize("strict", [True, False])
def test_every_example_in_the_documentation_is_valid(strict):
    for operation in OPERATIONS:
        if operation.body:
            operation.body.read(
                operation.body.adapter(strict).validate_python(decode(encode(operation.body.example)))
            )


async def test_the_root_shows_the_way_to_the_documentation(client):
    answer = await client.get("/", allow_redirects=False)
    assert answer.status == 302
    assert answer.headers["Location"] == "/docs"


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ("[]", "A JSON object is expected."),
        ('{"RequestID": 1}', "/RequestID: A JSON string is expected."),
        ('{"RequestID": "REQ00000000\\u0001"}', "/RequestID: Control characters are not allowed."),
    ],
)
async def test_refusals_speak_of_json_not_of_the_programming_language(client, body, sentence):
    answer = await client.post("/register-beneficiary", data=body, headers={"Content-Type": "application/json"})
    assert sentence in (await answer.json())["ResponseDescription"]


async def test_a_body_that_announces_itself_too_large_is_refused_before_it_is_sent(make_client):
    client = await make_client(max_body_bytes=1000)
    reader, writer = await asyncio.open_connection(client.host, client.port)
    writer.write(
        b"POST /bulk-payment HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 1001\r\n\r\n"
    )
    assert b" 413 " in await asyncio.wait_for(reader.readline(), 5)
    writer.close()
