"""``isogate validate | explain``: the message engine on files, without a server."""
# ruff: noqa: PLC0415 - what a command needs is imported when it runs, so that the command line stays fast

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from connector.domain.errors import Fault, Misconfigured, Refused

if TYPE_CHECKING:
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


def explain(report: Annotated[Path, typer.Argument(help="A message that a bank or a switch sent (XML)")]) -> None:
    """Say in words what a bank says: a status report, a return, an answer to a recall, a statement, a rejection."""
    from connector.cli.meaning import meaning

    try:
        received = load_engine().read(content_of(report))
    except Refused as refused:
        _print_faults(report, refused.faults)
        raise typer.Exit(1) from None
    lines = meaning(received.value, received.message)
    if not lines:
        print(f"{report} is a {received.message}, which no bank sends as an answer.", file=sys.stderr)
        raise typer.Exit(1)
    print("\n".join([*lines, *(f"tolerated: {note}" for note in received.tolerated)]))


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
