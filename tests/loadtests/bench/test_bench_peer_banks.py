"""The comparison over HTTP: every subject reports on the whole file, and what is too large for one is said."""

import json
import sys

from connector.cli.process import run
from loadtests.bench.peer_banks import OURS, Files, Measured, _relate, limits, main
from loadtests.bench.peer_subjects import ACCEPTED, SETTLED, Bank, Refusal


def test_all_report_on_the_whole_file(capsys):
    status = main(["--peers", sys.executable, "--payments", "200", "--rounds", "1", "--beyond", "0"])
    compared = json.loads(capsys.readouterr().out)
    assert compared["problems"] == []
    assert status == 0
    assert [each["subject"] for each in compared["results"]] == list(compared["does"])
    assert {each["payments"] for each in compared["results"]} == {200}
    assert all(each["seconds"] > 0 for each in compared["results"])


def test_every_file_has_ids_of_its_own():
    files = Files()
    assert files.next(3)[0] != files.next(3)[0]


def test_the_ratio_is_the_median_of_the_rounds_own_ratios():
    ours, theirs = Measured(OURS, 10, 1.0, 10.0, 5.0, rounds=[1.0, 2.0, 4.0]), Measured("x", 10, 2.0, 5.0, 9.0)
    theirs.rounds = [2.0, 6.0, 4.0]
    _relate([ours, theirs])
    assert (ours.ratio, theirs.ratio) == (1.0, 2.0)


class Choosy(Bank):
    does = "refuses"

    async def settle(self, file, payments):
        raise Refusal(f"{payments} are too many")


def report(status):
    return (
        f"<OrgnlMsgId>M1</OrgnlMsgId><OrgnlMsgNmId>x</OrgnlMsgNmId><OrgnlNbOfTxs>2</OrgnlNbOfTxs><GrpSts>{status}</"
    ).encode()


def test_a_refusal_is_told_in_the_words_of_who_refuses():
    said = run(limits([Choosy("choosy", {}, None, "")], 5))
    assert said["choosy"].endswith("refused, 5 are too many")


def test_that_a_file_was_accepted_does_not_count_as_settled():
    bank = Choosy("choosy", {}, None, "")
    bank.check(report("ACCP"), "M1", 2, ACCEPTED)
    bank.check(report("ACSC"), "M1", 2, SETTLED)
    assert bank.problems == []
    bank.check(report("ACCP"), "M1", 2, SETTLED)
    bank.check(report("ACSC"), "M1", 3, SETTLED)
    assert len(bank.problems) == 2
