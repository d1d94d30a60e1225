"""What every flow is given: the store, the engine, the channels, the time, chance and the settings."""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from connector.channels import Channels
from connector.domain.directory import Institution
from connector.domain.errors import NotFound, Refused
from connector.domain.stages import Stages
from connector.flows.routing import Terms, terms_of
from connector.flows.vouchers.desk import Desk
from connector.flows.vouchers.exchange_keys import FileExchange
from connector.iso20022.engine import Engine
from connector.store import Store


@dataclass(frozen=True, slots=True)
class FlowSettings:
    """What an operator may turn.

    slice_size: instructions stored as one piece; ceiling: instructions a batch may have; currencies: different
    currencies a batch may have. callback_*: attempts before a callback is dead, delay before the second attempt
    (doubled each time up to an hour), time for one, verb unless the Source BB's target names one.
    progress_interval_seconds: between progress callbacks, 0 for none. inquiry_attempts: silences of an FSP until
    that is noted as an event again; resend_delay_seconds: before a message without answer is asked about (doubled
    each time up to a minute). take_over_after_seconds: after that another worker takes a dead worker's entry;
    deliveries: of a stream entry before it is noted as a dead letter and left alone for a while. strict_addresses:
    refuse to register an address that no institution claims. connector_url: where FSPs reach us. reconcile_at: time
    of day (UTC, ``06:00``) at which yesterday is reconciled, "" for never; reconcile_tolerance_days: that sending and
    booking may be apart. redemption_wait_seconds: that a redemption waits for the merchant's payment;
    redemption_repeat_seconds: within which the same redemption again is a retry; voucher_wrong_tries: wrong numbers
    after which a voucher is blocked; presenter_wrong_tries: wrong numbers after which who presents them is kept out
    for a while, 0 for never; payout_interval_seconds: least pause between two payouts of a worker.
    voucher_sweep_seconds: between two looks for expired vouchers; voucher_archive: folder of purged ones ("": none is
    purged); voucher_retention_seconds: after which used ones are purged by themselves, 0 for never.
    archive_after_seconds: after which finished batches leave the store for a file each, 0 for never.
    """

    slice_size: int = 5000
    ceiling: int = 2_000_000
    currencies: int = 20
    callback_attempts: int = 12
    callback_first_delay_seconds: float = 1.0
    callback_timeout_seconds: float = 10.0
    callback_verb: str = "POST"
    progress_interval_seconds: float = 5.0
    inquiry_attempts: int = 10
    resend_delay_seconds: float = 1.0
    take_over_after_seconds: float = 60.0
    deliveries: int = 8
    strict_addresses: bool = False
    connector_url: str = "http://localhost:3333"
    reconcile_at: str = ""
    reconcile_tolerance_days: int = 2
    redemption_wait_seconds: float = 2.5
    redemption_repeat_seconds: float = 1.0
    voucher_wrong_tries: int = 5
    presenter_wrong_tries: int = 0
    payout_interval_seconds: float = 0.01
    voucher_sweep_seconds: float = 30.0
    voucher_archive: str = ""
    voucher_retention_seconds: float = 0.0
    archive_after_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Services:
    """The house's services, composed once per process."""

    store: Store
    engine: Engine
    channels: Channels
    clock: Callable[[], float]
    settings: FlowSettings = field(default_factory=FlowSettings)
    random: Callable[[int], bytes] = os.urandom
    files: FileExchange = field(default_factory=FileExchange)
    desk: Desk = field(default_factory=Desk)
    stages: Stages = field(default_factory=lambda: Stages(time.thread_time))

    def terms(self, institution: Institution) -> Terms:
        """On which terms an institution is spoken to; raises ``Refused`` for one whose scheme is not installed."""
        try:
            return terms_of(self.engine.scheme(institution.profile), institution)
        except NotFound:
            raise Refused.because(
                "/profile",
                "unknown_scheme",
                f"There is no scheme {institution.profile}, which {institution.code} has.",
            ) from None
