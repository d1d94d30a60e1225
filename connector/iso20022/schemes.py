"""All schemes of the profile folders, each with what it takes over from the one it extends."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from connector.iso20022 import schemefile
from connector.iso20022.scheme import Scheme
from connector.iso20022.schemefile import FILE, Known
from connector.iso20022.yamlfile import Place

__all__ = ["Known", "load"]

_PROFILES = "????.???.???.??.yaml"


def load(folders: Iterable[Path], known: Known) -> dict[str, Scheme]:
    """Every folder with profiles or a scheme file is a scheme; a later folder's scheme file replaces earlier ones.

    Raises ``Misconfigured``.
    """
    folders = tuple(folders)
    names = sorted({file.parent.name for folder in folders for file in folder.glob(f"*/{_PROFILES}")})
    files = {file.parent.name: file for folder in folders for file in sorted(folder.glob(f"*/{FILE}"))}
    loaded = {name: Scheme(name) for name in names if name not in files}
    for name in files:
        for file in reversed(list(_line_of(name, files, loaded))):
            if file.parent.name not in loaded:
                loaded[file.parent.name] = _one(file, known, loaded)
    return loaded


def _line_of(name: str, files: dict[str, Path], loaded: dict[str, Scheme]) -> Iterator[Path]:
    """The scheme's file and those of the schemes it extends, as far as they are not loaded."""
    place, seen = Place(str(files[name]), 1, "extends"), {name}
    while name and name not in loaded:
        if name not in files:
            raise place.wrong(f"there is no scheme {name}")
        yield files[name]
        name, place = schemefile.base_of(files[name])
        if name in seen:
            raise place.wrong(f"{name} extends itself")
        seen.add(name)


def _one(file: Path, known: Known, loaded: dict[str, Scheme]) -> Scheme:
    base, _ = schemefile.base_of(file)
    return schemefile.extended(file, known, loaded[base]) if base else schemefile.load(file, known)
