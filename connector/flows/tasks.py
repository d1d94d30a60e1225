"""The tasks that steps append, each made in one place. The step names are those of ``steps.STEPS``."""

from connector.domain.batch import Batch
from connector.domain.chunk import Chunk
from connector.store import Task


def admit(batch: Batch, due_at: float = 0.0) -> Task:
    """Look at a batch, now or at its execution date."""
    return Task("admit", batch.ref, priority=batch.priority, due_at=due_at)


def authorise(batch: Batch, number: int, *, due_at: float = 0.0, attempt: int = 0) -> Task:
    """Ask the payer bank for its word on one of the batch's currencies."""
    return Task("authorise", batch.ref, number, batch.priority, due_at, str(attempt))


def resolve_all(batch: Batch) -> list[Task]:
    """Resolve each slice."""
    return [Task("resolve", batch.ref, number, batch.priority) for number in range(batch.slices)]


def dispatch(batch: Batch, chunk: int, *, due_at: float = 0.0, attempt: int = 0) -> Task:
    """Send a chunk, or find out what became of it."""
    return Task("dispatch", batch.ref, chunk, batch.priority, due_at, str(attempt))


def issue_vouchers(batch: Batch, chunk: int) -> Task:
    """Make vouchers of a chunk's credits."""
    return Task("issue-vouchers", batch.ref, chunk, batch.priority)


def inquire(batch: Batch, chunk: int, *, due_at: float, patience: str = "0/0/0") -> Task:
    """Ask about a chunk that was sent and is not final; patience: see ``inquire.Patience``."""
    return Task("inquire", batch.ref, chunk, batch.priority, due_at, patience)


def recall(batch: Batch, chunk: int, *, due_at: float = 0.0, attempt: int = 0) -> Task:
    """Hand over the recalls of a chunk that the institution does not have yet."""
    return Task("recall", batch.ref, chunk, batch.priority, due_at, str(attempt))


def chase(batch: Batch, chunk: int, case: int, *, due_at: float, asked: int = 0) -> Task:
    """Ask for the answer to a recall that the institution has; case: its number, asked: how often that was done."""
    return Task("chase", batch.ref, chunk, batch.priority, due_at, f"{case}/{asked}")


def settle(batch: Batch, chunk: Chunk) -> Task:
    """Apply a chunk's outcome to the programme's funds."""
    return Task("settle", batch.ref, chunk.id.number, batch.priority)


def release(batch: Batch) -> Task:
    """Give back what a refused or cancelled batch had reserved."""
    return Task("release", batch.ref, priority=batch.priority)


def notify(batch: Batch, occasion: str) -> list[Task]:
    """Tell the Source BB, if it wants to be told; occasion: ``final`` or ``returned-<chunk>-<version>``."""
    return [Task("notify", batch.ref, priority=batch.priority, data=occasion)] if batch.callback.url else []


def progress(batch: Batch, due_at: float) -> list[Task]:
    """Tell the Source BB how far the batch is, if it wants to be told."""
    return [Task("progress", batch.ref, priority=batch.priority, due_at=due_at)] if batch.callback.url else []


def callback(batch: str, identifier: str, due_at: float = 0.0, priority: int = 5) -> Task:
    """Deliver one callback."""
    return Task("callback", batch, priority=priority, due_at=due_at, data=identifier)


def voucher_file(reference: str) -> Task:
    """Make the vouchers of a large file."""
    return Task("voucher-file", reference)
