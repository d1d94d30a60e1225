"""Options that several commands share, spelled once."""

from pathlib import Path
from typing import Annotated

import typer

Port = Annotated[int | None, typer.Option("--port", help="Port of the API [default: 3333]", show_default=False)]
DataDir = Annotated[
    Path | None, typer.Option("--data-dir", help="Folder for everything that is kept", show_default=False)
]
ProfileName = Annotated[
    str | None, typer.Option("--profile", help="sandbox (open) or production", show_default=False)
]
Workers = Annotated[int | None, typer.Option("--workers", help="Worker processes [default: 1]", show_default=False)]
ApiProcesses = Annotated[
    int | None,
    typer.Option("--api-processes", help="API processes on the one port [default: 1]", show_default=False),
]
WorkerName = Annotated[
    str,
    typer.Option(
        "--name",
        help="Different from that of every living worker; one that starts again under its name goes on with its work "
        "[default: host and process id]",
        show_default=False,
    ),
]
DemoFile = Annotated[
    Path | None,
    typer.Option("--demo-data", help="File to fill a sandbox from [default: the package's]", show_default=False),
]
