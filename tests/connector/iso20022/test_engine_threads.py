"""One engine serves many threads at once."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from connector.domain.errors import Refused


def test_threads_do_not_see_each_others_messages(connector, bank, transfer):
    def work(number: int) -> bool:
        value = replace(transfer, message_id=f"M{number}", debtor_name=f"D{number}")
        body = connector.write("generic", "pain.001.001.09", value)
        if number % 3:
            return bank.read(body).value == value
        try:
            bank.read(body.replace(b"<PmtMtd>TRF", b"<PmtMtd>BAD"))
        except Refused as refused:
            return [fault.where for fault in refused.faults] == ["CstmrCdtTrfInitn/PmtInf/PmtMtd"]
        return False

    with ThreadPoolExecutor(8) as threads:
        assert all(threads.map(work, range(200)))
