"""``isogate validate | explain``: the message engine on files, without a server."""
# ruff: noqa: PLC0415 - what a command needs is imported when it runs, so that the command line stays fast

import json
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from connector.domain.errors import Fault, Misconfigured, Refused

if TYPE_CHECKING:
    from connector.domain.messages import StatusReport
    from connector.iso20022.engine import Engine, Verdict

Files = Annotated[list[Path], typer.Argument(help="ISO 20022 messages (XML)", metavar="FILE...")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON array on standard output")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(validate)
    app.command()(explain)


def validate(files: Files, *, as_json: AsJson = False) -> None:
    """Judge messages; for each fault the element path, the reason and a sentence. Exit code 1 if any is invalid."""
    engine = load_engine()
    verdicts = [(file, _verdict(engine, file)) for file in files]
    if as_json:
        print(json.dumps([_verdict_json(file, verdict) for file, verdict in verdicts], indent=2))
    else:
        for file, verdict in verdicts:
            _print_verdict(file, verdict)
    if not all(verdict.valid for _, verdict in verdicts):
        raise typer.Exit(1)


def explain(report: Annotated[Path, typer.Argument(help="A pain.002 or pacs.002 (XML)")]) -> None:
    """Say in words what a pain.002 or pacs.002 says about the payments that it answers."""
    from connector.domain.messages import StatusReport

    try:
        received = load_engine().read(content_of(report))
    except Refused as refused:
        _print_faults(report, refused.faults)
        raise typer.Exit(1) from None
    if not isinstance(received.value, StatusReport):
        print(f"{report} is a {received.message}, which is no status report.", file=sys.stderr)
        raise typer.Exit(1)
    print("\n".join([*_heading(received.value), *_outcomes(received.value), *_notes(received.tolerated)]))


def load_engine() -> "Engine":
    """Load the engine with the built-in profiles and schemas and those of the settings."""
    from connector.app import build_engine
    from connector.settings import load

    return build_engine(load(profile="sandbox"))


def content_of(file: Path) -> bytes:
    """Read a file; raises ``Misconfigured`` where that is not possible."""
    try:
        return file.read_bytes()
    except OSError as error:
        raise Misconfigured(str(file), 0, "", error.strerror or "cannot be read") from None


def _verdict(engine: "Engine", file: Path) -> "Verdict":
    """Judge one file; one that cannot be read is not valid, and the others are judged all the same."""
    from connector.iso20022.engine import Verdict

    try:
        return engine.validate(content_of(file))
    except Misconfigured as error:
        return Verdict("", False, (Fault("", "unreadable", f"{error.sentence}."),), ())


def _verdict_json(file: Path, verdict: "Verdict") -> dict[str, object]:
    return {
        "file": str(file),
        "message": verdict.message,
        "valid": verdict.valid,
        "faults": [fault._asdict() for fault in verdict.faults],
        "tolerated": list(verdict.tolerated),
    }


def _print_verdict(file: Path, verdict: "Verdict") -> None:
    if verdict.valid:
        print(f"{file}: valid {verdict.message}")
    else:
        _print_faults(file, verdict.faults)
    for note in verdict.tolerated:
        print(f"  tolerated: {note}")


def _print_faults(file: Path, faults: tuple[Fault, ...]) -> None:
    print(f"{file}: not valid")
    for fault in faults:
        print(f"  {fault.where or 'the file'}\n    {fault.code}: {fault.sentence}")


def _heading(report: "StatusReport") -> list[str]:
    lines = [
        f"{report.message} {report.message_id} of {report.created:%Y-%m-%d %H:%M}",
        f"answers {report.original_message or 'a message'} {report.original_message_id}",
    ]
    if report.group_status:
        lines.append(
            _sentence("the message as a whole", report.group_status, report.group_reason, report.group_information)
        )
    lines += [
        _sentence(f"payment block {block.payment_information_id}", block.status, block.reason, block.information)
        for block in report.blocks
        if block.status
    ]
    return lines


def _outcomes(report: "StatusReport") -> list[str]:
    if not report.transactions:
        return ["no single payments are named"]
    counts = Counter((each.status, each.reason) for each in report.transactions)
    lines = [f"{len(report.transactions)} payments are named:"]
    lines += [f"  {count:>7}  {_named(status, reason)}" for (status, reason), count in counts.most_common()]
    failed = [each for each in report.transactions if each.status == "RJCT"]
    lines += [
        "  " + _sentence(each.end_to_end_id or each.instruction_id, each.status, each.reason, each.information)
        for each in failed[:20]
    ]
    return lines if len(failed) <= 20 else [*lines, f"  and {len(failed) - 20} more that were rejected"]


def _notes(tolerated: tuple[str, ...]) -> list[str]:
    return [f"tolerated: {note}" for note in tolerated]


def _sentence(what: str, status: str, reason: str, information: str) -> str:
    return f"{what}: {_named(status, reason)} {information}".rstrip()


def _named(status: str, reason: str) -> str:
    meaning = MEANINGS.get(status, "a status of the bank's own")
    return f"{status} ({meaning})" + (f", reason {reason}" if reason else "")


MEANINGS = {
    "RCVD": "received",
    "PDNG": "pending",
    "PART": "accepted in part",
    "PATC": "partially authorised",
    "ACTC": "technically valid",
    "ACCP": "customer checked",
    "ACFC": "funds checked",
    "ACWC": "accepted with a change",
    "ACSP": "settlement in process",
    "ACPD": "accepted by the clearing",
    "ACWP": "accepted, not yet posted",
    "ACIS": "cheque issued",
    "ACSC": "settled at the debtor's bank",
    "ACCC": "settled on the payee's account",
    "CPUC": "cash picked up",
    "BLCK": "blocked",
    "RJCT": "rejected",
    "CANC": "cancelled",
}
"""Statuses in words (external code set ExternalPaymentTransactionStatus1Code, and PART of the group statuses)."""
