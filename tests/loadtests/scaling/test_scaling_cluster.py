"""The cluster's limits: whoever is slowest is the bottleneck, nothing is lost, the same seed gives the same run."""

import pytest

from loadtests.scaling.cluster import Cluster, Load, pieces, simulate
from loadtests.scaling.costs import Costs

COSTS = Costs(api=20.0, store_accept=2.0, worker=40.0, store_work=2.0, bank=0.0)
QUEUED = Load(batches=40, payments=10_000, accepted=True)


def test_with_an_endless_bank_one_worker_is_the_bottleneck_at_its_own_speed():
    outcome = simulate(Cluster(), COSTS, QUEUED)
    assert outcome.bottleneck == "worker"
    assert outcome.payments_per_second == pytest.approx(1e6 / 40, rel=0.02)


def test_workers_add_up_until_the_store_is_full():
    rates = [
        simulate(Cluster(workers=workers), COSTS, Load(400, 10_000, accepted=True)).payments_per_second
        for workers in (1, 2, 4, 64)
    ]
    assert rates[1] == pytest.approx(2 * rates[0], rel=0.03)
    assert rates[2] == pytest.approx(4 * rates[0], rel=0.05)
    assert rates[3] == pytest.approx(1e6 / 2, rel=0.05)  # 64 workers could do 1.6 million


def test_a_slow_bank_is_the_bottleneck():
    outcome = simulate(Cluster(workers=4), Costs(0, 0, 40.0, 2.0, bank=100.0), QUEUED)
    assert outcome.bottleneck == "bank"
    assert outcome.payments_per_second == pytest.approx(10_000, rel=0.05)


def test_one_batch_is_in_one_shard_whatever_their_number():
    heavy, load = Costs(0, 0, 1.0, 50.0, 0.0), Load(1, 200_000, accepted=True)
    alone = simulate(Cluster(workers=8), heavy, load)
    many = simulate(Cluster(workers=8, shards=8), heavy, load)
    assert many.payments_per_second == pytest.approx(alone.payments_per_second, rel=0.01)


def test_many_batches_use_all_shards():
    heavy = Costs(0, 0, 1.0, 50.0, 0.0)
    alone = simulate(Cluster(workers=8), heavy, Load(400, 10_000, accepted=True))
    many = simulate(Cluster(workers=8, shards=4), heavy, Load(400, 10_000, accepted=True))
    assert many.payments_per_second > 3 * alone.payments_per_second


def test_every_batch_ends_and_the_work_of_all_is_what_was_ordered():
    load = Load(20, 12_345)
    outcome = simulate(Cluster(workers=3, shards=2), COSTS, load)
    assert (outcome.payments, len(outcome.batch_seconds)) == (20 * 12_345, 20)
    assert sum(pieces(12_345, 5000)) == 12_345


def test_shared_cores_do_no_more_than_they_have():
    shared = simulate(Cluster(workers=2, cores=2), COSTS, Load(40, 10_000))
    assert shared.payments_per_second == pytest.approx(2e6 / 64, rel=0.05)


def test_the_same_seed_gives_the_same_run():
    first, again, other = (
        simulate(Cluster(shards=4, workers=4), COSTS, Load(30, 10_000, every_seconds=0.2), seed) for seed in (1, 1, 2)
    )
    assert first == again
    assert first.batch_seconds != other.batch_seconds


def test_a_bank_that_takes_its_time_is_bridged_by_the_hands_of_a_worker():
    near = simulate(Cluster(), COSTS, QUEUED)
    far = simulate(Cluster(latency_seconds=0.1), COSTS, QUEUED)
    assert far.payments_per_second == pytest.approx(near.payments_per_second, rel=0.05)
    one_hand = simulate(Cluster(latency_seconds=0.1, hands=1), COSTS, QUEUED)
    assert one_hand.payments_per_second < 0.5 * near.payments_per_second
