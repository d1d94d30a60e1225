"""The page on reconciliation does what it says: its lines are run as they stand, in an instance of their own."""

import asyncio
import os
import re
import sys
from pathlib import Path

from connector.cli.instance import fresh_instance

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "reconcile.md"


def lines(base: str) -> str:
    """The page's shell lines, but for the one that starts an instance."""
    blocks = re.findall(r"```sh\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    script = "\n".join(block for block in blocks if "isogate up" not in block)
    command = f"{sys.executable} -m connector.cli reconcile"
    return script.replace("http://localhost:3333", base).replace("localhost:3333", base).replace(
        "isogate reconcile", command
    )  # fmt: skip


async def test_every_line_of_the_page_works(tmp_path):
    async with fresh_instance(tmp_path / "data", lambda _: None, log_level="ERROR") as (settings, _):
        script = lines(settings.api_url)
        (tmp_path / "page.sh").write_text(script, encoding="utf-8")
        root = {"PYTHONPATH": str(PAGE.parents[2])}
        process = await asyncio.create_subprocess_exec(
            *("bash", "page.sh"),
            cwd=tmp_path,
            env={**os.environ, **root},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        output, errors = (text.decode() for text in await process.communicate())
    assert errors == ""
    assert process.returncode == 1, output
    for kind in ("matched", "missing", "unexpected", "differing"):
        assert re.search(rf"^{kind} +USD", output, re.MULTILINE), output
    assert '"state":"finished"' in output
    assert (tmp_path / "found.csv").read_text().count("\n") == 6
