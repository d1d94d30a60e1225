"""The operator: looks at batches, their payments and events, at queues and budgets."""

import random

from locust import task

from loadtests.locust.users.role import Role


class Operator(Role):
    """Looks around as the pages of an operator do."""

    weight = 1
    own_pause = 0.5

    def prepare(self) -> None:
        """Take the operator's token."""
        self.token = self.process.tokens.admin
        self.refs: list[str] = []

    @task(5)
    def list_batches(self) -> None:
        """List the newest batches."""
        _, found = self.ask("GET", "/admin/batches?newest=20", "/admin/batches")
        self.refs = [each["ref"] for each in found["items"]]

    @task(5)
    def look_at_batch(self) -> None:
        """Look at one of them: the batch, its first payments, its events."""
        if self.refs:
            ref = random.choice(self.refs)  # noqa: S311 - any of them
            for part in ("", "/instructions", "/events"):
                self.ask("GET", f"/admin/batches/{ref}{part}", f"/admin/batches/{{ref}}{part}")

    @task(2)
    def list_finished(self) -> None:
        """Look for what was done."""
        self.ask("GET", "/admin/batches?state=completed&newest=20", "/admin/batches?state")

    @task(2)
    def queue(self) -> None:
        """See how much is waiting."""
        self.ask("GET", "/admin/queue", "/admin/queue")

    @task(2)
    def funds(self) -> None:
        """See what the programme has left."""
        self.ask("GET", f"/admin/programmes/{self.terms.programme}/funds", "/admin/programmes/{id}/funds")
