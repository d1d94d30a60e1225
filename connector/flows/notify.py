"""Step 7: call the Source BB back: how the batch goes, how it ended, and when money came back later.

The final and the later callbacks are durable records, tried again with growing delays until they are taken or given
up; their ids are derived, so that a receiver can tell a repetition. Progress is told once and never repeated.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

import aiohttp

from connector.domain.batch import FINISHED
from connector.domain.event import Event
from connector.flows import tasks
from connector.flows.bodies import status_bodies
from connector.flows.services import Services
from connector.flows.times import backoff
from connector.store import Callback, CallbackState, Entry

DELAY_AT_MOST_SECONDS: Final = 3600.0


async def run(services: Services, entry: Entry) -> None:
    """Make the durable callbacks of a batch that is finished, one per currency."""
    store, task = services.store, entry.task
    batch, progress = await store.batches.read(task.batch)
    if batch.callback.url and progress.state in FINISHED:
        for currency, body in status_bodies(batch, progress, services.clock()).items():
            identifier = f"{task.data}-{currency}"
            await store.callbacks.put(
                Callback(
                    id=identifier,
                    batch=batch.ref,
                    url=batch.callback.url,
                    body=body,
                    verb=batch.callback.verb or services.settings.callback_verb,
                    headers=headers(batch.callback.correlation_id, f"{batch.ref}-{identifier}"),
                    changed_at=services.clock(),
                ),
                then=[tasks.callback(batch.ref, identifier, priority=batch.priority)],
            )
    await store.queue.done(entry)


async def progress(services: Services, entry: Entry) -> None:
    """Tell how far a running batch is, and set the timer for the next time."""
    store = services.store
    batch, now_at = await store.batches.read(entry.task.batch)
    if now_at.state not in FINISHED:
        later = services.clock() + services.settings.progress_interval_seconds
        await store.queue.put(tasks.progress(batch, later))
        verb = batch.callback.verb or services.settings.callback_verb
        for currency, body in status_bodies(batch, now_at, services.clock()).items():
            name = headers(batch.callback.correlation_id, f"{batch.ref}-progress-{currency}-{later:.0f}")
            await _deliver(services, verb, batch.callback.url, name, body)
    await store.queue.done(entry)


async def deliver(services: Services, entry: Entry) -> None:
    """Try to deliver one callback; put it off or give it up where that fails."""
    store, task, settings = services.store, entry.task, services.settings
    callback = await store.callbacks.get(task.batch, task.data)
    if callback.state is not CallbackState.PENDING:
        return await store.queue.done(entry)
    outcome = await _deliver(services, callback.verb, callback.url, callback.headers, callback.body)
    attempts = callback.attempts + 1
    if outcome.startswith("2"):
        return await _close(services, callback, CallbackState.DELIVERED, outcome, entry)
    if attempts >= settings.callback_attempts:
        return await _close(services, callback, CallbackState.DEAD, outcome, entry)
    now = services.clock()
    due_at = now + backoff(settings.callback_first_delay_seconds, attempts - 1, DELAY_AT_MOST_SECONDS)
    tried = _after(callback, CallbackState.PENDING, outcome, now)
    again = tasks.callback(task.batch, task.data, due_at, task.priority)
    return await store.callbacks.save(tried, then=[again], done=entry)


def headers(correlation_id: str, identifier: str) -> dict[str, str]:
    """The headers of a callback; X-Callback-ID is the same in every repetition."""
    given = {"X-CorrelationID": correlation_id} if correlation_id else {}
    return {"Content-Type": "application/json", "X-Callback-ID": identifier, **given}


async def _close(services: Services, callback: Callback, state: CallbackState, outcome: str, entry: Entry) -> None:
    """Write down how a callback ended, in its record and in the event log."""
    now = services.clock()
    event = Event(now, "isogate", f"callback {state}", "worker", outcome, callback.id)
    await services.store.events.add(callback.batch, event)
    await services.store.callbacks.save(_after(callback, state, outcome, now), done=entry)


def _after(callback: Callback, state: CallbackState, outcome: str, now: float) -> Callback:
    return replace(callback, attempts=callback.attempts + 1, state=state, last_outcome=outcome, changed_at=now)


async def _deliver(services: Services, verb: str, url: str, given: Mapping[str, str], body: str) -> str:
    """Send once; gives the HTTP status or the kind of failure."""
    timeout = aiohttp.ClientTimeout(total=services.settings.callback_timeout_seconds)
    try:
        async with services.channels.session.request(
            verb, url, data=body.encode(), headers=given, timeout=timeout, allow_redirects=False
        ) as response:
            return str(response.status)
    except TimeoutError:
        return "no answer in time"
    except (aiohttp.ClientError, OSError, ValueError) as error:
        return type(error).__name__
