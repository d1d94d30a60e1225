"""What the channels make of an FSP's HTTP answers; nothing that a peer does raises."""

import asyncio
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

import mappings
from connector.channels import Accepted, AuthorisationRequest, Channels, Declined, NotKnown, Reported, Silent
from connector.domain.directory import ChannelKind, Institution, InstitutionKind
from connector.iso20022.engine import Engine
from iso20022_schemas import Catalogue


@pytest.fixture(scope="module")
def engine() -> Engine:
    return Engine(Catalogue(), Path(mappings.__file__).parent)


class Peer:
    """Answers everything with one status and body; counts how many requests it serves at once."""

    def __init__(self) -> None:
        self.status, self.body, self.at_once, self.most = 200, b"", 0, 0
        self.wait = asyncio.Event()
        self.wait.set()

    async def answer(self, _: web.Request) -> web.Response:
        self.at_once += 1
        self.most = max(self.most, self.at_once)
        await self.wait.wait()
        self.at_once -= 1
        return web.Response(status=self.status, body=self.body)


def bank(server: TestServer, channel: ChannelKind = ChannelKind.ISO20022) -> Institution:
    url = str(server.make_url("/BANK"))
    return Institution("BANK", "Bank", InstitutionKind.BANK, url=url, channel=channel, in_flight=2)


async def served(peer: Peer) -> TestServer:
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", peer.answer)
    server = TestServer(app)
    await server.start_server()
    return server


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (204, b"", Accepted),
        (404, b"", NotKnown),
        (500, b"", Silent),
        (302, b"", Silent),
        (200, b"<html/>", Silent),
        (200, b"", Silent),
    ],
)
async def test_an_inquirys_answer(engine: Engine, status: int, body: bytes, kind: type) -> None:
    peer = Peer()
    peer.status, peer.body = status, body
    server = await served(peer)
    async with Channels(engine, connector_url="http://localhost") as channels:
        assert isinstance(await channels.inquire(bank(server), "ABC"), kind)
    await server.close()


@pytest.mark.parametrize(
    ("status", "kind"),
    [(202, Accepted), (200, Accepted), (400, Declined), (404, Silent), (401, Silent), (503, Silent)],
)
async def test_an_authorisations_answer(engine: Engine, status: int, kind: type) -> None:
    peer = Peer()
    peer.status = status
    server = await served(peer)
    request = AuthorisationRequest("A" * 20, 0, "9000000001", "USD", 1050)
    async with Channels(engine, connector_url="http://localhost") as channels:
        for channel in ChannelKind:
            assert isinstance(await channels.authorise(bank(server, channel), request), kind)
    await server.close()


async def test_json_details_are_a_report(engine: Engine) -> None:
    peer = Peer()
    peer.body = (
        b'[{"transactionId":"I1","status":"COMPLETED"},{"transactionId":"I2","status":"RJCT","statusDetail":null}]'
    )
    server = await served(peer)
    async with Channels(engine, connector_url="http://localhost") as channels:
        answer = await channels.inquire(bank(server, ChannelKind.GOVSTACK_JSON), "ABC")
        assert isinstance(answer, Reported)
        told = [(item.end_to_end_id, item.status) for item in answer.report.transactions]
        assert told == [("I1", "ACSC"), ("I2", "RJCT")]
        peer.body = b'[{"transactionId":1}]'
        assert isinstance(await channels.inquire(bank(server, ChannelKind.GOVSTACK_JSON), "ABC"), Silent)
        peer.body = b"[]"
        assert isinstance(await channels.inquire(bank(server, ChannelKind.GOVSTACK_JSON), "ABC"), Accepted)
    await server.close()


async def test_no_connection_and_no_answer_are_silence(engine: Engine) -> None:
    peer = Peer()
    peer.wait.clear()
    server = await served(peer)
    nowhere = Institution("GONE", "Gone", InstitutionKind.BANK, url="http://127.0.0.1:1")
    async with Channels(engine, connector_url="http://localhost", timeout_seconds=0.05) as channels:
        assert isinstance(await channels.inquire(nowhere, "ABC"), Silent)
        assert isinstance(await channels.inquire(bank(server), "ABC"), Silent)
    peer.wait.set()
    await server.close()


async def test_an_institution_gets_no_more_at_once_than_it_may(engine: Engine) -> None:
    peer = Peer()
    peer.status = 204
    peer.wait.clear()
    server = await served(peer)
    async with Channels(engine, connector_url="http://localhost") as channels:
        asked = [asyncio.create_task(channels.inquire(bank(server), str(number))) for number in range(6)]
        while peer.at_once < 2:  # noqa: ASYNC110 (the condition lies in another task's HTTP exchange)
            await asyncio.sleep(0.001)
        peer.wait.set()
        assert all(isinstance(answer, Accepted) for answer in await asyncio.gather(*asked))
    assert peer.most == 2
    await server.close()
