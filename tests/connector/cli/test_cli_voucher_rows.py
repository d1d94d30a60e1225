import asyncio
import re

import pytest
from typer.testing import CliRunner

from connector.cli import app
from connector.cli.voucher_rows import imported
from connector.domain.errors import Misconfigured, NotFound
from connector.domain.voucher import VoucherState
from connector.store import EmbeddedServer

ROW = b"group,currency,amount\nSCHOOL,USD,60.00\n"


@pytest.mark.parametrize(
    "content",
    [
        b"group,currency,amount,nunber\nSCHOOL,USD,60.00,1357135713571357\n",
        b"group,currency,amount\nSCHOOL,USD,60.00,1357135713571357\n",
        b'[{"group": "SCHOOL", "currency": "USD", "amount": "60.00", "nunber": "1357135713571357"}]',
    ],
)
async def test_a_column_that_is_not_known_is_refused(content, tmp_path):
    with pytest.raises(Misconfigured, match="there is no column"):
        await imported(content, VoucherState.PRE_ACTIVATED, tmp_path, None)


def test_vouchers_in_stock_are_printed_and_others_only_when_asked_for(tmp_path):
    sheet = tmp_path / "sheet.html"

    def printed(*options):
        ran = CliRunner().invoke(app, ["vouchers", "print", "-o", str(sheet), "--data-dir", str(tmp_path), *options])
        if ran.exception:
            raise ran.exception
        return int(re.search(r"(\d+) vouchers in", ran.output)[1])

    with EmbeddedServer(tmp_path / "store"):
        [shelf] = asyncio.run(imported(ROW, VoucherState.IN_STOCK, tmp_path, None))
        [out] = asyncio.run(imported(ROW, VoucherState.ACTIVATED, tmp_path, None))
        made = ["--group", "SCHOOL", "--first", str(shelf), "--last", str(out)]
        assert printed(*made) == 1
        assert str(shelf) in sheet.read_text()
        assert printed(*made, "--state", "activated") == 1
        for command in ("print", "export"):
            arguments = ["vouchers", command, "-o", str(sheet), "--group", "NOPE", "--data-dir", str(tmp_path)]
            refused = CliRunner().invoke(app, arguments).exception
            assert isinstance(refused, NotFound)
            assert str(refused) == "there is no voucher group NOPE"
