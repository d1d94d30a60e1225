"""The virtual clock survives the end of its process at any moment."""

from pathlib import Path

from simulators.clock import VirtualClock


def test_the_offset_is_there_after_a_restart(tmp_path: Path) -> None:
    file = tmp_path / "clock.json"
    VirtualClock(lambda: 100.0, file).advance(60)
    assert VirtualClock(lambda: 100.0, file)() == 160.0


def test_the_file_is_replaced_as_a_whole_and_never_half_written(tmp_path: Path) -> None:
    file = tmp_path / "clock.json"
    clock = VirtualClock(lambda: 100.0, file)
    clock.advance(60)
    with file.open() as before:
        clock.advance(60)
        assert before.read() == '{"offset_seconds": 60.0}'
    assert [path.name for path in tmp_path.iterdir()] == ["clock.json"]
