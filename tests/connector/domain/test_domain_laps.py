"""Work whose size is known only at its end."""

from itertools import count

from connector.domain.stages import Spent, Stages


def test_laps_are_counted_when_the_kind_and_the_payments_are_known() -> None:
    ticks = count(0.0, 0.5)
    stages = Stages(lambda: next(ticks))
    laps = stages.laps()
    laps.end("parse {}")
    laps.end("extract {}")
    laps.end("parse {}")
    assert stages.spent() == {}
    laps.count("pain.001", 7)
    assert stages.spent() == {"parse pain.001": Spent(7, 1.0), "extract pain.001": Spent(7, 0.5)}
