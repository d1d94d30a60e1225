"""Schemathesis over our own OpenAPI description, against a real port: no defect, and answers as described."""

import asyncio
import json
import os
import sys
from dataclasses import replace
from pathlib import Path

from connector.api import ApiSettings, application
from connector.flows.vouchers.exchange_keys import FileExchange, KeyHolder, fresh

SCHEMATHESIS = Path(sys.executable).with_name("schemathesis")
CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"


async def test_no_generated_request_breaks_the_api_or_its_description(services, aiohttp_server, tmp_path):
    files = FileExchange(KeyHolder.of_text(json.dumps(fresh())))
    server = await aiohttp_server(application(replace(services, files=files), ApiSettings()))
    url = str(server.make_url("/openapi.json"))
    process = await asyncio.create_subprocess_exec(
        *(SCHEMATHESIS, "run", url, "--checks", CHECKS, "--phases", "examples,coverage,fuzzing"),
        *("--max-time", "12", "-n", "15", "--seed", "2", "--workers", "1", "--warnings", "off", "--no-color"),
        cwd=tmp_path,
        env=os.environ | {"SCHEMATHESIS_HOOKS": "schemathesis_serializers", "PYTHONPATH": str(Path(__file__).parent)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    assert process.returncode == 0, output.decode()[-8000:]
