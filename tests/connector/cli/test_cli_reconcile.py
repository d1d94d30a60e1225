"""What ``isogate reconcile`` prints of a report."""

from connector.cli.reconcile import SHOWN, _print

FINDING = {
    "kind": "missing",
    "booked_on": "",
    "paid_on": "2026-11-20",
    "instruction_id": "INSTRUCTION00001",
    "end_to_end_id": "",
    "message_id": "",
    "reference": "",
    "sentence": "Not on any statement.",
}


def report(**found):
    total = {"currency": "USD", "amount_minor": 100, "statement_minor": 0}
    return {
        "id": "R1",
        "programme": "PENSIONS",
        "institution": "TREAXU22",
        "from": "2026-11-20",
        "to": "2026-11-20",
        "days": [],
        "totals": [{**total, "kind": kind, "payments": payments} for kind, payments in found.items()],
        "findings": [{**FINDING, "kind": kind} for kind in found if kind != "matched" for _ in range(SHOWN)],
    }


def test_every_kind_is_shown_and_what_is_left_out_is_counted(capsys):
    _print(report(matched=500, missing=32, differing=20))
    printed = capsys.readouterr().out
    assert printed.count("missing    2026-11-20") == SHOWN
    assert printed.count("differing  2026-11-20") == SHOWN
    assert "missing    and 12 more" in printed
    assert "differing  and" not in printed
    assert "matched    and" not in printed
