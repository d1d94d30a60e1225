"""A cluster as a queueing network: who works on a batch, in which order, and what waits for what. Pure and seeded.

A batch is taken in by an API process, slice by slice, and is kept in the shard of its partition. Its slices wait for
a worker; a worker has one core and several hands, so that it works on other chunks while one is at the bank. Each
slice is split into chunks, each chunk is written, handed to the bank, and its report committed in the batch's shard.
"""

from collections.abc import Generator
from dataclasses import dataclass, field
from itertools import cycle
from random import Random
from typing import Final

from loadtests.scaling.costs import MICRO, Costs
from loadtests.scaling.events import Course, First, Loop, Station, Wish

QUANTUM_SECONDS: Final = 0.002
"""Where processes share cores, the scheduler lets another one in after so long."""


@dataclass(frozen=True)
class Cluster:
    """So many of everything. hands: chunks that a worker has under way at once; latency_seconds: of a bank's answer.

    round_trip_seconds: from a worker to the store and back, per commit. cores: 0 where every process has its own,
    else how many all of them share; pinned: each worker has one of them, all else what is left, if anything is.
    """

    shards: int = 1
    workers: int = 1
    apis: int = 1
    banks: int = 1
    hands: int = 8
    latency_seconds: float = 0.0
    round_trip_seconds: float = 0.0002
    cores: int = 0
    pinned: bool = False


@dataclass(frozen=True)
class Load:
    """Batches of so many payments: all there at once, or every so many seconds on average (Poisson).

    connections: batches that are handed over at the same time; the others follow. accepted: they are in the queue
    already, and their acceptance is not simulated.
    """

    batches: int = 100
    payments: int = 10_000
    every_seconds: float = 0.0
    connections: int = 1
    accepted: bool = False


@dataclass
class Outcome:
    """What came of it.

    busy: the share of its time that each kind of process worked, by its busiest; bottleneck: the busiest kind;
    batch_seconds: of each batch, from acceptance to its end.
    """

    payments: int
    seconds: float
    busy: dict[str, float]
    batch_seconds: list[float] = field(default_factory=list)

    @property
    def payments_per_second(self) -> float:
        """What was carried."""
        return self.payments / self.seconds if self.seconds else 0.0

    @property
    def bottleneck(self) -> str:
        """Who could not have done more."""
        return max(self.busy, key=lambda kind: self.busy[kind])

    def percentile(self, share: float) -> float:
        """Seconds within which so many of the batches were final."""
        ordered = sorted(self.batch_seconds)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0


def simulate(cluster: Cluster, costs: Costs, load: Load, seed: int = 1) -> Outcome:
    """Let the batches walk through the cluster until the last one is final."""
    run = _Run(cluster, costs, Random(seed), load.connections)  # noqa: S311 - a simulation, and the same every time
    starts = run.starts(load)
    for start in starts:
        run.loop.plan(start, run.batch(load))
    run.loop.run()
    return Outcome(load.batches * load.payments, run.loop.now - starts[0], run.busy(), run.batch_seconds)


class _Run:
    """One simulation."""

    def __init__(self, cluster: Cluster, costs: Costs, random: Random, connections: int) -> None:
        self.loop = Loop()
        self._doors = Station(self.loop, connections)
        self.batch_seconds: list[float] = []
        self._cluster, self._costs, self._random = cluster, costs, random
        self._stations = {
            kind: [Station(self.loop) for _ in range(number)]
            for kind, number in (
                ("API", cluster.apis),
                ("store", cluster.shards),
                ("worker", cluster.workers),
                ("bank", cluster.banks),
            )
        }
        self._hands = Station(self.loop, cluster.workers * cluster.hands)
        self._cores = [Station(self.loop) for _ in range(cluster.cores if cluster.pinned else 0)]
        self._pool = Station(self.loop, cluster.cores)
        workers = self._stations["worker"]
        self._pinned = dict(zip(workers, self._cores, strict=False)) if cluster.pinned else {}
        self._others = self._cores[len(workers) :] or self._cores
        self._turns = {kind: cycle(found) for kind, found in self._stations.items()}
        self._free_hands = dict.fromkeys(self._stations["worker"], cluster.hands)

    def starts(self, load: Load) -> list[float]:
        """When the batches come."""
        at, starts = 0.0, []
        for _ in range(load.batches):
            starts.append(at)
            at += self._random.expovariate(1 / load.every_seconds) if load.every_seconds else 0.0
        return starts

    def batch(self, load: Load) -> Course:
        """One batch: accepted slice by slice; its last chunk ends it."""
        shard = self._random.choice(self._stations["store"])
        sizes = pieces(load.payments, self._costs.slice_size)
        if not load.accepted:
            yield self._doors
            api = next(self._turns["API"])
            for size in sizes:
                yield from self._work(api, size * self._costs.api)
                yield from self._commit(shard, size * self._costs.store_accept)
            self._doors.leave()
        accepted = self.loop.now
        open_chunks = [sum(len(pieces(size, self._costs.chunk_size)) for size in sizes)]
        self.loop.plan(0.0, self._slices(accepted, shard, sizes, open_chunks))

    def busy(self) -> dict[str, float]:
        """How busy the busiest of each kind was."""
        return {kind: round(max(each.utilisation() for each in of), 4) for kind, of in self._stations.items()}

    def _slices(self, accepted: float, shard: Station, sizes: list[int], open_chunks: list[int]) -> Course:
        """Look the people of the first slice up and split it; its chunks, and the next slice, are tasks of their own.

        The next slice waits in line again: so batches take turns, as the partitions of the queue do.
        """
        costs, (payments, *rest) = self._costs, sizes
        worker = yield from self._hand(self._hands)
        if rest:
            self.loop.plan(0.0, self._slices(accepted, shard, rest, open_chunks))
        yield from self._work(worker, payments * costs.worker * costs.resolve_share)
        yield from self._commit(shard, payments * costs.store_work / 3)
        self._leave(worker)
        for size in pieces(payments, costs.chunk_size):
            self.loop.plan(0.0, self._chunk(accepted, shard, size, open_chunks))

    def _chunk(self, accepted: float, shard: Station, payments: int, open_chunks: list[int]) -> Course:
        """Write, have the bank pay, read the report, commit."""
        costs = self._costs
        worker = yield from self._hand(First(self._hands))
        write = 1 - costs.resolve_share - costs.report_share
        yield from self._work(worker, payments * costs.worker * write)
        yield from self._commit(shard, payments * costs.store_work / 3)
        yield from self._work(next(self._turns["bank"]), payments * costs.bank)
        yield self._cluster.latency_seconds
        yield from self._work(worker, payments * costs.worker * costs.report_share)
        yield from self._commit(shard, payments * costs.store_work / 3)
        self._leave(worker)
        open_chunks[0] -= 1
        if not open_chunks[0]:
            self.batch_seconds.append(self.loop.now - accepted)

    def _hand(self, wish: Wish) -> Generator[Wish, None, Station]:
        """Wait for a free hand; gives the worker whose it is, the one that has most of them."""
        yield wish
        worker = max(self._free_hands, key=lambda each: self._free_hands[each])
        self._free_hands[worker] -= 1
        return worker

    def _leave(self, worker: Station) -> None:
        self._free_hands[worker] += 1
        self._hands.leave()

    def _commit(self, shard: Station, micros: float) -> Course:
        """Have the shard write something down, and hear that it has."""
        yield self._cluster.round_trip_seconds
        yield from self._work(shard, micros)

    def _work(self, process: Station, micros: float) -> Course:
        """Let a process work, on its own core or on one that it has to share."""
        yield process
        left = micros * MICRO
        while left > 0:
            core = self._core(process)
            piece = min(left, QUANTUM_SECONDS) if core else left
            if core:
                yield core
            yield piece
            if core:
                core.leave()
            left -= piece
        process.leave()

    def _core(self, process: Station) -> Station | None:
        """The core that a process gets: the one it is pinned to, else whichever is free first; none: its own."""
        if not self._cores:
            return self._pool if self._pool.places else None
        return self._pinned.get(process) or min(self._others, key=lambda core: core.load)


def pieces(payments: int, size: int) -> list[int]:
    """Cut so many payments into pieces of a size."""
    return [min(size, payments - at) for at in range(0, payments, size)]
