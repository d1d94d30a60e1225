"""Administration of vouchers: everything about them but their numbers."""

import csv
import io

import pytest

from connector.api.settings import Role, Token
from connector.demo import default
from connector.sandbox import furnish, reset, sandbox_directory

WORLD = sandbox_directory("http://localhost:1"), default()
NUMBERS = [voucher.number for voucher in default().vouchers if len(voucher.number) == 16]


@pytest.fixture(autouse=True)
async def furnished(services, clock):
    await furnish(services.store, clock, *WORLD)


async def answer_of(client, path, **said):
    answer = await (client.post(path, **said) if said else client.get(path))
    return answer.status, await answer.json()


async def test_a_group_is_saved_listed_and_removed(client):
    body = {"name": "Seeds", "programme": "SANDBOX", "currency": "USD", "amount_minor": 500, "accepted_at": ["FARM"]}
    saved = await client.put("/admin/voucher-groups/SEEDS", json=body)
    assert (saved.status, (await saved.json())["validity_seconds"]) == (200, 90 * 86_400)
    listed = {one["code"]: one for one in (await (await client.get("/admin/voucher-groups")).json())["items"]}
    assert listed["SEEDS"]["accepted_at"] == ["FARM"]
    assert (await client.delete("/admin/voucher-groups/SEEDS")).status == 204
    assert (await client.delete("/admin/voucher-groups/SEEDS")).status == 404


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"programme": "NONE"}, "/programme"),
        ({"currency": "XXX", "amount_minor": 1}, "/currency"),
        ({"amount_minor": 1}, "/currency"),
        ({"validity_seconds": 0}, "/validity_seconds"),
        ({"policy": {"free": True}}, "/policy/free"),
    ],
)
async def test_a_group_that_could_not_work_is_refused(client, change, where):
    answer = await client.put("/admin/voucher-groups/G", json={"name": "G", "programme": "SANDBOX", **change})
    assert (answer.status, (await answer.json())["errors"][0]["where"]) == (400, where)


async def test_a_group_in_use_is_not_removed(client):
    assert (await client.delete("/admin/voucher-groups/FOOD")).status == 409


async def test_of_a_merchants_address_only_the_end_is_shown(client):
    body = {"name": "Shop", "address": "1000001234", "groups": ["FOOD"]}
    saved = await (await client.put("/admin/merchants/SHOP", json=body)).json()
    assert (saved["address"], saved["active"]) == ("********34", True)
    assert "1000001234" not in await (await client.get("/admin/merchants")).text()
    assert (await client.delete("/admin/merchants/SHOP")).status == 204
    assert (await client.delete("/admin/merchants/SHOP")).status == 404


@pytest.mark.parametrize("change", [{"address": "nowhere"}, {"institution": "NOBANK"}, {"programme": "NONE"}])
async def test_a_merchant_who_could_not_be_paid_is_refused(client, change):
    assert (await client.put("/admin/merchants/SHOP", json={"name": "Shop", **change})).status == 400


async def test_stock_is_provisioned_once_and_counted(client):
    order = {"currency": "USD", "count": 3, "reference": "R1"}
    status, made = await answer_of(client, "/admin/voucher-groups/FOOD/stock", json=order)
    assert (status, made["count"], int(made["last_serial"]) - int(made["first_serial"])) == (201, 3, 2)
    assert (await answer_of(client, "/admin/voucher-groups/FOOD/stock", json=order))[1] == made
    _, counted = await answer_of(client, "/admin/voucher-stock?group=FOOD")
    line = {"group": "FOOD", "state": "in-stock", "currency": "USD", "count": 5, "face_minor": 12500}
    assert line in counted["items"]
    other = {**order, "reference": "R3"}
    assert (await answer_of(client, "/admin/voucher-groups/NONE/stock", json=other))[0] == 404
    assert (await answer_of(client, "/admin/voucher-stock?group=NONE"))[0] == 404


async def test_stock_beyond_the_budget_is_refused(client):
    order = {"currency": "USD", "amount_minor": 100, "count": 1, "reference": "R2"}
    status, refusal = await answer_of(client, "/admin/voucher-groups/UNFUNDED/stock", json=order)
    assert (status, refusal["errors"][0]["code"]) == (400, "budget")


async def test_vouchers_change_each_for_itself_and_the_reason_is_in_the_history(client):
    order = {"serials": ["6003", "6001", "77"], "reason": "Reported as lost"}
    status, changed = await answer_of(client, "/admin/vouchers?command=suspend", json=order)
    assert (status, changed["done"]) == (200, 1)
    assert [(one["state"], one["fault"]) for one in changed["items"]] == [
        ("suspended", ""),
        ("redeemed", "used"),
        (None, "unknown_serial"),
    ]
    _, history = await answer_of(client, "/admin/vouchers/6003/history")
    assert (history["items"][-1]["action"], history["items"][-1]["detail"]) == ("suspend", "Reported as lost")
    assert (await answer_of(client, "/admin/vouchers?command=explode", json=order))[0] == 400


async def test_a_block_after_wrong_numbers_is_lifted(client, services, clock):
    for _ in range(5):
        await services.store.vouchers.wrong_number(6003, 5, actor="test", now=clock())
    _, found = await answer_of(client, "/admin/vouchers/6003")
    assert (found["state"], found["wrong_tries"]) == ("blocked", 5)
    await answer_of(client, "/admin/vouchers?command=unblock", json={"serials": ["6003"]})
    _, found = await answer_of(client, "/admin/vouchers/6003")
    assert (found["state"], found["wrong_tries"]) == ("activated", 0)


async def test_a_redemption_is_shown_with_its_voucher_and_by_its_id(client):
    _, listed = await answer_of(client, "/admin/vouchers/6001/redemptions")
    [redemption] = listed["items"]
    assert (redemption["id"], redemption["merchant"], redemption["amount_minor"]) == ("6001-1", "MERCHANT01", 1521)
    assert await answer_of(client, "/admin/redemptions/6001-1") == (200, redemption)
    for path in ("redemptions/6001-9", "redemptions/x", "vouchers/77", "vouchers/x", "vouchers/77/history"):
        assert (await answer_of(client, f"/admin/{path}"))[0] == 404


async def test_the_report_sums_vouchers_and_budgets(client):
    _, report = await answer_of(client, "/admin/voucher-report?programme=FOODAID")
    [sums] = report["sums"]
    assert sums["face_minor"] == 18 * 2500
    parts = (sums[f"{name}_minor"] for name in ("in_stock", "outstanding", "redeemed", "ended"))
    assert sum(parts) == sums["face_minor"]
    assert sums["budget_minor"] == sums["reserved_minor"] + sums["spent_minor"] + sums["available_minor"]
    assert (await answer_of(client, "/admin/voucher-report?programme=NONE"))[0] == 404


async def test_the_report_is_a_table_too(client):
    answer = await client.get("/admin/voucher-report", headers={"Accept": "text/csv"})
    assert answer.content_type == "text/csv"
    rows = list(csv.DictReader(io.StringIO(await answer.text())))
    [sums] = [row for row in rows if row["programme"] == "FOODAID" and row["state"] == "all"]
    assert sums["face_value"] == "450.00"


async def test_nothing_is_purged_without_an_archive(client):
    assert (await answer_of(client, "/admin/vouchers/purge", json={"older_than_days": 0}))[0] == 409


async def test_settlements_are_a_page_of_batches(client):
    assert await answer_of(client, "/admin/voucher-settlements") == (200, {"items": [], "next_before": None})


async def test_no_answer_has_a_voucher_number(client):
    paths = ["voucher-groups", "merchants", "voucher-stock", "voucher-report", "voucher-report?format=csv"]
    for voucher in default().vouchers:
        paths += [f"vouchers/{voucher.serial}{end}" for end in ("", "/history", "/redemptions")]
    for path in paths:
        text = await (await client.get(f"/admin/{path}")).text()
        assert not [number for number in NUMBERS if number in text]


async def test_a_sandbox_is_reset_while_it_runs(make_client, services):
    async def again(used):
        return (await reset(used, *WORLD))._asdict()

    client = await make_client(reset=again)
    await answer_of(client, "/admin/vouchers?command=cancel", json={"serials": ["6003"]})
    _, made = await answer_of(
        client, "/admin/voucher-groups/FOOD/stock", json={"currency": "USD", "count": 1, "reference": "R"}
    )
    status, loaded = await answer_of(client, "/admin/reset", json={})
    assert (status, loaded["vouchers"]) == (200, len(default().vouchers))
    assert (await answer_of(client, "/admin/vouchers/6003"))[1]["state"] == "activated"
    assert (await answer_of(client, f"/admin/vouchers/{made['first_serial']}"))[0] == 404
    assert await services.store.vouchers.next_serials(1) == int(made["first_serial"]) + 1


async def test_only_a_sandbox_is_reset_and_only_operators_administer(make_client):
    tokens = (Token.of("op", Role.ADMIN, "operator"), Token.of("bb", Role.SOURCE, "Gov_Stack_BB"))

    async def never(_):
        raise AssertionError

    production = await make_client(profile="production", tokens=tokens, reset=never)
    operator, source = ({"Authorization": f"Bearer {secret}"} for secret in ("op", "bb"))
    assert (await production.post("/admin/reset", headers=operator)).status == 404
    assert (await production.get("/admin/vouchers/6003", headers=operator)).status == 200
    for path in ("/admin/vouchers/6003", "/admin/merchants", "/admin/voucher-report"):
        assert (await production.get(path, headers=source)).status == 403
        assert (await production.get(path)).status == 401
