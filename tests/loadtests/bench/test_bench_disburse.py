"""A small disbursement through an instance with all its processes, and what is found in wrong books."""

import json
import subprocess
import sys

import pytest

from connector.cli.people import payable_people
from loadtests.bench.bodies import Body, amount, write_bodies
from loadtests.bench.disburse_books import called_problems, person_of, reserved_problems
from loadtests.bench.paying import Paid

PAYMENTS = 500


@pytest.fixture(scope="module")
def measured():
    arguments = f"bench disburse --payments {PAYMENTS} --requests 2 --json"
    line = [sys.executable, "-m", "connector.cli", *arguments.split()]
    done = subprocess.run(line, capture_output=True, text=True, timeout=90, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_all_books_come_out(measured):
    assert measured["problems"] == []
    assert measured["ledger_balanced"]


def test_every_payment_is_in_the_curves(measured):
    assert sum(measured["final_by_second"]) == PAYMENTS
    assert measured["batches"] == 2
    assert 0 < measured["latency_seconds"]["p50"] <= measured["latency_seconds"]["max"] <= measured["seconds"]
    assert measured["within_seconds"][-1] == measured["latency_seconds"]["max"]


def test_every_process_is_accounted_for(measured):
    processes = {"store", "simulators", "api", "worker 1", "client"}
    assert (
        set(measured["cpu_seconds_per_1000"]) == processes == set(measured["peak_rss_mb"]) == set(measured["stages"])
    )
    assert measured["stages"]["worker 1"]["write pain.001"]["payments"] == PAYMENTS
    assert measured["stages"]["simulators"]["parse and validate pain.001"]["payments"] == PAYMENTS
    spent = 1000 * sum(measured["cpu_seconds_per_1000"].values())
    told = sum(stage["microseconds"] for stages in measured["stages"].values() for stage in stages.values())
    assert told == pytest.approx(spent, rel=0.01)


def test_the_batches_were_archived_and_read_again(measured):
    assert 0 < measured["archive_bytes_per_payment"] < 100


def test_the_floors_are_beside_the_stages(measured):
    floors = measured["floors"]
    assert floors["total"] == pytest.approx(sum(floors.values()) - floors["total"], rel=0.01)
    assert {"parse and validate pain.001", "parse and validate pacs.008"} <= set(floors)


def test_bodies_have_every_payment_once(tmp_path):
    bodies = write_bodies(tmp_path, 25, 10)
    assert [(body.first, body.payments) for body in bodies] == [(0, 10), (10, 10), (20, 5)]
    credits_ = [credit for body in bodies for credit in json.loads(body.path.read_bytes())]
    assert [credit["requestId"] for credit in credits_] == [f"I{number:015d}" for number in range(25)]
    assert sum(round(float(credit["amount"]) * 100) for credit in credits_) == sum(
        body.total_minor for body in bodies
    )


def test_an_account_tells_whose_it_is():
    for number, person in enumerate(payable_people(1000)):
        assert person_of(person.institution, person.address) == number
    assert person_of("UNIOXU22", "SETTLEMENT") is None
    assert person_of("UNIOXU22", "20000000000000") is None


def test_a_callback_that_says_less_is_a_problem(tmp_path):
    body = Body(tmp_path / "unread", 0, 2)
    right = {"completed": 2, "completed_amount": (amount(0) + amount(1)) / 100}
    said = [
        Paid(body, 0.0, batch_id="GOOD", final=right),
        Paid(body, 0.0, batch_id="BAD", final={**right, "completed": 1}),
    ]
    (problem,) = called_problems(said)
    assert problem.startswith("batch BAD")


def test_money_that_stays_reserved_is_a_problem():
    usd = {"budget": 100, "available": 40, "reserved": 1, "spent": 59}
    (problem,) = reserved_problems({"USD": usd, "EUR": {**usd, "reserved": 0}})
    assert problem == "programme PENSIONS: 1 minor units USD still reserved"
