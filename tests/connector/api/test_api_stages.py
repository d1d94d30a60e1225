"""What the stages of every process have cost can be asked of any API process."""

from connector.domain.stages import Spent


async def test_stages_are_shown_to_operators_and_to_prometheus(client, services) -> None:
    await services.store.stages.put("worker a-1", {"write pain.001": Spent(1000, 0.25)})
    answer = await client.get("/admin/stages")
    assert await answer.json() == {"worker a-1": {"write pain.001": {"payments": 1000, "cpu_seconds": 0.25}}}
    lines = (await (await client.get("/metrics")).text()).splitlines()
    assert 'isogate_stage_cpu_seconds_total{process="worker a-1",stage="write pain.001"} 0.25' in lines
    assert 'isogate_stage_payments_total{process="worker a-1",stage="write pain.001"} 1000.0' in lines
