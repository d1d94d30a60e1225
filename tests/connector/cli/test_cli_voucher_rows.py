import pytest

from connector.cli.voucher_rows import imported
from connector.domain.errors import Misconfigured
from connector.domain.voucher import VoucherState


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
