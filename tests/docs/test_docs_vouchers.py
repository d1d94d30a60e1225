"""The page on vouchers does what it says: its lines are run as they stand, in an instance of their own."""

import asyncio
import json
import os
import re
import threading
from pathlib import Path

from typer.testing import CliRunner

from connector.cli import app
from connector.cli.instance import fresh_instance
from connector.demo import DemoData

DOCS = Path(__file__).parents[2] / "docs"
SHELL = """set -e
isogate() {
  { printf '%s\\n' "$@"; echo; } > asked
  cat answered
  return "$(cat code)"
}
"""
"""In the shell a command is a function that has it done by the test's own process, which has everything loaded."""


class Commands:
    """Runs the commands that the shell asks for."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.log: list[str] = []
        for name in ("asked", "answered"):
            os.mkfifo(folder / name)
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            arguments = (self.folder / "asked").read_text().split("\n")[:-2]
            done = CliRunner().invoke(app, arguments)
            self.log.append(f"{arguments}\n{done.output}{done.exception or ''}")
            (self.folder / "code").write_text(str(done.exit_code))
            (self.folder / "answered").write_text(done.stdout)


def lines(base: str, folder: Path) -> str:
    blocks = re.findall(r"```sh\n(.*?)```", (DOCS / "how-to" / "vouchers.md").read_text(encoding="utf-8"), re.DOTALL)
    script = "\n".join(block for block in blocks if "keys rotate" not in block)  # which waits; see test_cli_keys.py
    script = script.replace("http://localhost:3333", base).replace("localhost:3333", base)
    return SHELL + script.replace("isogate-data", str(folder))


async def test_every_line_of_the_page_works(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    commands = Commands(tmp_path)
    async with fresh_instance(tmp_path / "data", lambda _: None, log_level="ERROR") as (settings, _):
        (tmp_path / "page.sh").write_text(lines(settings.api_url, tmp_path / "data"), encoding="utf-8")
        process = await asyncio.create_subprocess_exec(
            *("bash", "page.sh"), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
        )
        output, errors = (text.decode() for text in await process.communicate())
    assert process.returncode == 0, errors + "\n".join(commands.log)
    assert '"result_status":"Voucher redeemed"' in output
    assert '"contract":"vouchers"' in output
    assert (tmp_path / "sheet.html").read_text().count("<article") == 20
    assert (tmp_path / "printed.html").read_text().count("<article") == 20
    number = json.loads((tmp_path / "voucher.json").read_text())["voucher_number"]
    assert number not in output + errors + "".join(commands.log)
    assert number not in (tmp_path / "school.csv").read_text()


def test_the_example_of_demo_data_is_what_the_format_says():
    [example] = re.findall(r"```json\n(.*?)```", (DOCS / "demo-data.md").read_text(encoding="utf-8"), re.DOTALL)
    assert len(DemoData.model_validate_json(example).vouchers) == 2
