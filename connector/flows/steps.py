"""The table of the steps: which stream is carried to which function, and how long one entry may take."""

from collections.abc import Awaitable, Callable
from typing import Final, NamedTuple

from connector.flows import (
    admit,
    archive,
    dispatch,
    inquire,
    notify,
    recall,
    recall_chase,
    reconciliation,
    resolve,
    settle,
)
from connector.flows.services import Services
from connector.flows.vouchers import batch_file, bulk, funds, notices, payout, purge, sweep
from connector.store import Entry


class Step(NamedTuple):
    """A step: its stream, its function (which commits and strikes the entry off), and its limit in seconds.

    gathers: it mostly waits for company, and does not keep a hand of the worker busy meanwhile; calls: it calls a
    Source BB, and has hands of its own.
    """

    name: str
    run: Callable[[Services, Entry], Awaitable[None]]
    timeout_seconds: float
    gathers: bool = False
    calls: bool = False


STEPS: Final = {
    step.name: step
    for step in (
        Step("admit", admit.run, 30),
        Step("authorise", admit.authorise, 45),
        Step("release", admit.release, 30),
        Step("settle", settle.run, 30),
        Step("recall", recall.run, 55),
        Step("chase", recall_chase.run, 55),
        Step("inquire", inquire.run, 55),
        Step("dispatch", dispatch.run, 55),
        Step("issue-vouchers", bulk.run, 55),
        Step("resolve", resolve.run, 45),
        Step("voucher-funds", funds.run, 30),
        Step("voucher-notice", notices.run, 30),
        Step("payout", payout.run, 30, gathers=True),
        Step("notify", notify.run, 30, calls=True),
        Step("callback", notify.deliver, 30, calls=True),
        Step("progress", notify.progress, 30, calls=True),
        Step("voucher-file", batch_file.run, 300),
        Step("reconcile", reconciliation.run, 300),  # a million payments a day; done twice, it changes nothing
        Step(reconciliation.CLOCK, reconciliation.tick, 30),
        Step(sweep.CLOCK, sweep.run, 300),
        Step(purge.CLOCK, purge.run, 300),
        Step(archive.CLOCK, archive.run, 300),
    )
}
"""In the order in which a worker looks for work: what ends work comes before what begins it."""
