"""The pages on vouchers do what they say: their lines are run as they stand, in an instance of their own."""

import asyncio
import json
import os
import re
import threading
from pathlib import Path

from typer.testing import CliRunner

from connector.cli import app
from connector.cli.instance import free_ports, fresh_instance
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


def lines(page: str, base: str, folder: Path) -> str:
    blocks = re.findall(r"```sh\n(.*?)```", (DOCS / "how-to" / page).read_text(encoding="utf-8"), re.DOTALL)
    script = "\n".join(block for block in blocks if "keys rotate" not in block)  # which waits; see test_cli_keys.py
    script = script.replace("http://localhost:3333", base).replace("localhost:3333", base)
    [port] = free_ports(1)
    return SHELL + script.replace("isogate-data", str(folder)).replace("9999", str(port))


async def run(script: str) -> tuple[int | None, str, str]:
    process = await asyncio.create_subprocess_exec(
        *("bash", "-c", script), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    output, errors = (text.decode() for text in await process.communicate())
    return process.returncode, output, errors


async def test_every_line_of_the_pages_works(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    commands = Commands(tmp_path)
    async with fresh_instance(tmp_path / "data", lambda _: None, log_level="ERROR") as (settings, _):
        by_voucher = await run(lines("pay-by-voucher.md", settings.api_url, tmp_path / "data"))
        code, output, errors = await run(lines("vouchers.md", settings.api_url, tmp_path / "data"))
    check_payment_by_voucher(*by_voucher, commands.log)
    assert code == 0, errors + "\n".join(commands.log)
    assert '"result_status":"Voucher redeemed"' in output
    assert '"contract":"vouchers"' in output
    assert (tmp_path / "sheet.html").read_text().count("<article") == 19  # one of the 20 was handed out before
    assert (tmp_path / "printed.html").read_text().count("<article") == 20
    number = json.loads((tmp_path / "voucher.json").read_text())["voucher_number"]
    assert number not in output + errors + "".join(commands.log)
    assert number not in (tmp_path / "school.csv").read_text()


def check_payment_by_voucher(code: int | None, output: str, errors: str, log: list[str]) -> None:
    assert code == 0, errors + "\n".join(log)
    assert '"status":1,"message":"Redeemed"' in output
    assert '"value":25.5' in output
    [instruction] = json.loads(Path("called-back.json").read_text())["voucherInstructions"]
    assert (instruction["instructionID"], instruction["amount"]) == ("INSTRUCTION00021", 25.5)
    settled = next(line for line in reversed(output.splitlines()) if '"contract":"vouchers"' in line)
    assert '"programme":"PENSIONS"' in settled


def test_the_example_of_demo_data_is_what_the_format_says():
    [example] = re.findall(r"```json\n(.*?)```", (DOCS / "demo-data.md").read_text(encoding="utf-8"), re.DOTALL)
    assert len(DemoData.model_validate_json(example).vouchers) == 2
