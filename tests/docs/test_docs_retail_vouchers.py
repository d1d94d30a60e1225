"""The page on retail vouchers does what it says: its lines are run as they stand, against a sandbox."""

import asyncio
import re
from pathlib import Path

import mappings
from connector.api import ApiSettings, application
from connector.channels import Channels
from connector.flows.services import Services
from connector.iso20022.engine import Engine
from connector.sandbox import sandbox_directory
from iso20022_schemas import Catalogue

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "retail-vouchers.md"


async def test_every_line_of_the_page_works(store, clock, aiohttp_server):
    await store.directory.seed(sandbox_directory("http://localhost:1"))
    engine = Engine(Catalogue(), Path(mappings.__file__).parent)
    async with Channels(engine, connector_url="http://localhost:1") as channels:
        server = await aiohttp_server(application(Services(store, engine, channels, clock), ApiSettings()))
        script = "\n".join(re.findall(r"```sh\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL))
        script = script.replace("http://localhost:3333", str(server.make_url("")).rstrip("/"))
        process = await asyncio.create_subprocess_exec(
            *("bash", "-euc", script), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
        )
        output, errors = (text.decode() for text in await process.communicate())
    assert process.returncode == 0, errors
    assert "errorType" not in output, output
    assert '"balanceAmount":{"amount":3500,"currency":"840"}' in output
    assert '"balanceAmount":{"amount":4000,"currency":"840"}' in output
