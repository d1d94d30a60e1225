"""The wheel: what is in it, and whether it works where nothing of the repository is in reach."""

import json
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
PACKAGES = {"connector", "simulators", "iso20022_schemas", "mappings", "loadtests"}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=REPOSITORY, check=True, capture_output=True)
    return next(folder.glob("isogate-*.whl"))


@pytest.fixture(scope="module")
def isogate(wheel, tmp_path_factory):
    """Install the wheel into an environment of its own that borrows only the dependencies of this one."""
    home = tmp_path_factory.mktemp("installed") / "env"
    venv.create(home, with_pip=False, symlinks=True)
    site = Path(sysconfig.get_path("purelib", vars={"base": str(home)}))
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    borrow(Path(sysconfig.get_path("purelib")), site)
    return [str(home / "bin" / "python"), "-m", "connector.cli"]


def borrow(here, there):
    """Link every installed dependency, but not the editable installation of the repository."""
    for item in here.iterdir():
        ours = item.name.startswith(("isogate", "_isogate", "_editable")) or item.name in PACKAGES
        if not ours and not item.name.endswith(".pth") and not (there / item.name).exists():
            (there / item.name).symlink_to(item)


def names(wheel):
    with zipfile.ZipFile(wheel) as archive:
        return archive.namelist()


def test_the_wheel_has_our_packages_and_nothing_else_at_the_top(wheel):
    tops = {name.split("/")[0] for name in names(wheel)}
    assert {top for top in tops if not top.endswith(".dist-info")} == PACKAGES


@pytest.mark.parametrize(
    ("folder", "suffix"),
    [
        ("connector/store/", ".lua"),
        ("iso20022_schemas/xsd/", ".xsd"),
        ("mappings/generic/", ".yaml"),
        ("mappings/codes/", ".yaml"),
        ("simulators/profiles/", ".yaml"),
    ],
)
def test_the_wheel_has_the_data_files(wheel, folder, suffix):
    shipped = {name for name in names(wheel) if name.startswith(folder) and name.endswith(suffix)}
    here = {str(path.relative_to(REPOSITORY)) for path in (REPOSITORY / folder).rglob(f"*{suffix}")}
    assert shipped == here
    assert shipped


def test_the_wheel_has_no_tests_and_nothing_from_outside_the_repository(wheel):
    assert not [name for name in names(wheel) if "test_" in name or ".." in name or name.endswith((".pyc", ".orig"))]


def run(isogate, folder, *arguments):
    command = [*isogate, *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120, check=False)


def test_the_installed_command_finds_itself_sound(isogate, tmp_path):
    result = run(isogate, tmp_path, "check")
    assert result.returncode == 0, result.stdout + result.stderr


def test_a_changed_file_is_found(isogate, tmp_path):
    site = Path(sysconfig.get_path("purelib", vars={"base": str(Path(isogate[0]).parents[1])}))
    file = site / "mappings" / "generic" / "pain.001.001.09.yaml"
    before = file.read_bytes()
    file.write_bytes(before + b"\n# changed\n")
    try:
        result = run(isogate, tmp_path, "check")
    finally:
        file.write_bytes(before)
    assert result.returncode == 1
    assert "pain.001.001.09.yaml" in result.stdout


def test_the_installed_command_pays_a_small_batch(isogate, tmp_path):
    result = run(isogate, tmp_path, "bench", "disburse", "--payments", "200", "--json")
    assert result.returncode == 0, result.stdout + result.stderr
    measured = json.loads(result.stdout)
    assert measured["payments"] == 200
    assert measured["ledger_balanced"] is True
