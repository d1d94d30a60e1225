"""The benchmarks of vouchers: what they measure comes out to the unit, and they say so where it does not."""

import itertools
import json
import math

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from typer.testing import CliRunner

from connector.cli import app
from loadtests.bench import http_load, numbers, vouchers

runner = CliRunner()


def test_vouchers_are_measured_and_checked():
    arguments = ["bench", "vouchers", "--vouchers", "12", "--clients", "4", "--fsync", "everysec", "--json"]
    result = runner.invoke(app, arguments)
    assert result.exit_code == 0, result.output
    figures = json.loads(result.stdout.splitlines()[-1])
    assert figures["problems"] == []
    assert figures["checks"] == {"active": 12, "utilised": 12}
    assert all(value > 0 for name, value in figures.items() if name.endswith(("_per_second", "_always", "_handler")))
    assert figures["http_redeem_ratio_to_bare_handler"] < figures["http_status_ratio_to_bare_handler"]
    assert {"store", "api", "worker 1", "simulators", "bare", "client"} == figures["peak_rss_mb"].keys()
    assert {"p50", "p95", "p99"} == figures["latency_ms"]["redeem"].keys()


def test_numbers_are_examined():
    result = runner.invoke(app, ["bench", "numbers", "--count", "20000", "--json"])
    assert result.exit_code == 0, result.output
    figures = json.loads(result.stdout)
    assert (figures["count"], figures["repeats"], figures["problems"]) == (20_000, 0, [])
    assert [len(figures["digits"]), len(figures["pairs"])] == [16, 15]
    assert [test["degrees"] for test in figures["digits"]] == [7, *[9] * 15]
    assert [test["degrees"] for test in figures["pairs"]] == [79, *[99] * 14]


def in_order(count: int) -> bytes:
    """What a counter would give instead of chance."""
    step = (8 * 10**15 // 20_000) << 11
    return b"".join((number * step).to_bytes(8, "little") for number in range(count // 8))


def test_numbers_that_follow_the_serials_are_a_problem():
    found = numbers.measure(20_000, in_order)
    assert found.correlation_with_serial == pytest.approx(1)
    assert any("serial number" in problem for problem in found.problems)


def test_repeats_and_uneven_digits_are_problems():
    blocks = itertools.cycle([bytes(range(256)) * 4])
    found = numbers.measure(2000, lambda count: (next(blocks) * 16)[:count])
    assert found.repeats > 1000
    assert any("digit" in problem for problem in found.problems)


@pytest.mark.parametrize(
    ("value", "degrees", "chance"), [(16.919, 9, 0.05), (1, 9, 0.99944), (123.225, 99, 0.05), (0, 9, 1)]
)
def test_the_chance_of_a_chi_square(value, degrees, chance):
    assert numbers.chi_square_chance(value, degrees) == pytest.approx(chance, rel=1e-4)


@pytest.mark.parametrize("value", [0.1, 20, 100, 101, 150, 300])
def test_of_even_degrees_it_is_a_sum(value):
    exact = math.exp(-value / 2) * math.fsum((value / 2) ** k / math.factorial(k) for k in range(50))
    assert numbers.chi_square_chance(value, 100) == pytest.approx(exact, rel=1e-9)


async def test_the_load_client_asks_everything_once_and_again_what_is_not_known_yet():
    seen: list[int] = []

    async def handle(request: web.Request) -> web.Response:
        number = (await request.json())["number"]
        seen.append(number)
        return web.json_response({"number": number}, status=503 if seen.count(number) == 1 and number == 3 else 200)

    application = web.Application()
    application.router.add_post("/", handle)
    async with TestServer(application) as server:
        bodies = [json.dumps({"number": number}).encode() for number in range(20)]
        requests = [http_load.request("POST", "localhost", "/", body) for body in bodies]
        done = await http_load.load("127.0.0.1", server.port, requests, 4)
    assert [json.loads(answer.body)["number"] for answer in done.answers] == list(range(20))
    assert {answer.status for answer in done.answers} == {200}
    assert sorted(seen) == sorted([*range(20), 3])


def test_percentiles():
    assert vouchers._latency([0.001 * number for number in range(1, 101)]) == {"p50": 51, "p95": 96, "p99": 100}
