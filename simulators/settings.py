"""What a process of simulators needs to know before it starts."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class SimulatorSettings:
    """The settings of one process that plays institutions.

    data: folder of the SQLite files, one an institution; connector_url: where reports and callbacks are pushed to
    (``{connector_url}/fsp/{CODE}/iso20022``); host and port: where this process listens, by which its institutions
    also reach one another; institutions: codes played here (empty: the whole sandbox world); peers: base URL of the
    process that plays an institution that is not played here; clock: real time in Unix seconds, to which the virtual
    clock adds its offset; schemes: which scheme an institution speaks with the connector where it is not "generic"
    (an admin call changes it); connector_id: how headers name the connector; threads: that do the institutions' work;
    reports_each: reports list every payment, instead of one status for all and the exceptions.
    """

    data: Path
    connector_url: str = "http://127.0.0.1:3333"
    host: str = "127.0.0.1"
    port: int = 3334
    institutions: tuple[str, ...] = ()
    peers: Mapping[str, str] = field(default_factory=dict)
    clock: Callable[[], float] = time.time
    schemes: Mapping[str, str] = field(default_factory=dict)
    connector_id: str = "ISOGATE"
    threads: int = 2
    reports_each: bool = False

    @property
    def url(self) -> str:
        """The base URL of this process, as the institutions in it reach one another."""
        host = "127.0.0.1" if self.host in {"", "0.0.0.0", "::"} else self.host  # noqa: S104 - compared, not bound
        return f"http://{host}:{self.port}"

    def url_of(self, code: str) -> str:
        """The URL of an institution, wherever it is played."""
        return f"{self._base_of(code)}/{code}"

    def plays(self, code: str) -> bool:
        """Tell whether an institution is played in this process."""
        return self._base_of(code) == self.url

    def _base_of(self, code: str) -> str:
        return self.peers.get(code, self.url).rstrip("/")
