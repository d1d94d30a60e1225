"""What all roles share: requests with the right token, named so that Locust's tables stay short."""

import json
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Final, NoReturn

import gevent
from locust import FastHttpUser
from locust.exception import RescheduleTask

from loadtests.locust.process import Process, Terms
from loadtests.locust.tls import context

JSON: Final = {"Content-Type": "application/json"}
ANSWER_SECONDS: Final = 60.0
AFTER_FAILURE_SECONDS: Final = 0.5
"""How long a user holds back after a failure: nobody hammers at what is down."""


class Role(FastHttpUser):
    """A user with a role; every request counts under its own name, what a task needs comes back as JSON."""

    abstract = True
    process: ClassVar[Process]
    network_timeout = ANSWER_SECONDS
    connection_timeout = ANSWER_SECONDS
    insecure = False
    ssl_context_factory: Callable[[], Any] = staticmethod(context)
    token = ""
    own_pause = 0.0
    """Seconds that somebody in this role takes between two tasks, whatever the options say."""

    def on_start(self) -> None:
        """Prepare, again and again until it succeeds: an instance may be slow to start."""
        while True:
            try:
                return self.prepare()
            except RescheduleTask:
                gevent.sleep(AFTER_FAILURE_SECONDS)

    def prepare(self) -> None:
        """Do what has to be done before the first task."""

    @property
    def terms(self) -> Terms:
        """What the load consists of."""
        return self.process.terms

    def wait_time(self) -> float:
        """Pause between two tasks, in seconds."""
        return self.own_pause + self.terms.pause

    def ask(
        self,
        verb: str,
        path: str,
        name: str,
        *,
        body: Any = None,  # noqa: ANN401 - any JSON, or bytes as they are
        headers: Mapping[str, str] | None = None,
        good: tuple[int, ...] = (200, 202),
    ) -> tuple[int, Any]:
        """Send a request and give status and JSON; an answer that is not good ends the task as a failure."""
        sent = {**(JSON if body is not None else {}), **self._authorisation(), **(headers or {})}
        data = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        with self.client.request(verb, path, name=name, data=data, headers=sent, catch_response=True) as answer:
            if answer.status_code not in good:
                text = (answer.text or "")[:200]
                answer.failure(f"{answer.status_code} {text}" if answer.status_code else str(answer.error))
                self._give_up()
            found = _json(answer.text)
            if found is None:
                answer.failure("the answer is no JSON")
                self._give_up()
            answer.success()
        return answer.status_code, found

    def _give_up(self) -> NoReturn:
        gevent.sleep(AFTER_FAILURE_SECONDS)
        raise RescheduleTask

    def _authorisation(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"} if self.token else {}


def _json(text: str | None) -> Any:  # noqa: ANN401 - any JSON
    try:
        return json.loads(text or "")
    except ValueError:
        return None
