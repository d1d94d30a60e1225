"""``isogate profile check | show``: is a scheme right, and what does it write and read where."""
# ruff: noqa: PLC0415 - what a command needs is imported when it runs, so that the command line stays fast

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from connector.domain.errors import Misconfigured, NotFound

if TYPE_CHECKING:
    from rich.tree import Tree

    from connector.iso20022.engine import Engine
    from connector.iso20022.profile import Rule
    from iso20022_schemas.structure import Node

SHARED_FOLDERS: Final = frozenset({"codes", "characters"})
"""Folders beside the schemes whose tables they use."""

Target = Annotated[Path, typer.Argument(help="A file of a scheme, its folder, or a folder of schemes", exists=True)]
SchemeName = Annotated[str, typer.Argument(help="Scheme, for example generic", metavar="NAME")]
MessageName = Annotated[str, typer.Argument(help="Message, for example pain.001.001.09", metavar="MESSAGE")]

app = typer.Typer(name="profile", help="Check and show the mapping profiles of schemes.", no_args_is_help=True)


@app.command()
def check(target: Target) -> None:
    """Check profiles as they are checked at the start; each wrong file is named with line, path and reason."""
    folder = _scheme_folder(target)
    with _beside(folder) as (root, names):
        engine, faults = _judged(root)
        original = folder.parent if any(folder.glob("*.yaml")) else folder
    for wrong in faults:
        place = wrong.file.replace(str(root), str(original))
        print(f"{place}:{wrong.line}: {wrong.path}: {wrong.sentence}")
    if faults or engine is None:
        raise typer.Exit(1)
    for name in names:
        for line in _summary(engine, name):
            print(line)


@app.command()
def show(name: SchemeName, message: MessageName) -> None:
    """Show a profile as a tree: element, how often it may stand there, where its text comes from, by which rule."""
    from rich.console import Console

    from connector.cli.files import load_engine

    engine = load_engine()
    profile = engine.profile(name, message)
    console = Console()
    for title, rule in (("writes", profile.write), ("reads", profile.read)):
        if rule is not None:
            console.print(_tree(f"{name} {title} {message}: {profile.value}", rule, engine.structure(message)))
    console.print(f"from {profile.place.file}", style="dim")


def _scheme_folder(target: Path) -> Path:
    """The folder of the scheme that a file is of; a folder of schemes as it is."""
    folder = target.resolve() if target.is_dir() else target.resolve().parent
    return folder.parent / next(iter(_schemes(folder.parent)), "") if folder.name in SHARED_FOLDERS else folder


def _schemes(folder: Path) -> list[str]:
    return sorted({file.parent.name for file in folder.glob("*/*.yaml")} - SHARED_FOLDERS)


@contextmanager
def _beside(folder: Path) -> Iterator[tuple[Path, list[str]]]:
    """A copy of nothing but the schemes in question, and the tables beside them; and their names."""
    alone = any(folder.glob("*.yaml"))
    place = folder.parent if alone else folder
    names = [folder.name] if alone else _schemes(folder)
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        for each in (*names, *SHARED_FOLDERS):
            for file in (place / each).glob("*.yaml"):
                (root / each).mkdir(exist_ok=True)
                (root / each / file.name).write_bytes(file.read_bytes())
        yield root, names


def _judged(root: Path) -> "tuple[Engine | None, list[Misconfigured]]":
    """The engine, or the first fault of every wrong file: each is set aside, and what is left is looked at again.

    What is only wrong because a table was set aside is not told.
    """
    faults: list[Misconfigured] = []
    tables: set[str] = set()
    while True:
        try:
            return _engine(root), faults
        except Misconfigured as wrong:
            file = Path(wrong.file)
            if not any(table in wrong.sentence for table in tables) and file not in {
                Path(one.file) for one in faults
            }:
                faults.append(wrong)
            if not file.is_relative_to(root) or not file.is_file():
                return None, faults
            if file.parent.name in SHARED_FOLDERS:
                tables.add(file.stem)
            _set_aside(file)


def _set_aside(file: Path) -> None:
    """Take a wrong file away; for a scheme's, one without rules is left, since others may extend the scheme."""
    bare = f"name: {file.parent.name}\n"
    if file.name == "scheme.yaml" and file.read_text(encoding="utf-8", errors="replace") != bare:
        file.write_text(bare, encoding="utf-8")
    else:
        file.unlink()


def _engine(root: Path) -> "Engine":
    """An engine that has the schemes in question beside those that are built in and configured."""
    from connector.app import build_engine
    from connector.settings import load

    settings = load(profile="sandbox")
    return build_engine(settings.model_copy(update={"profiles": (*settings.profiles, root)}))


def _summary(engine: "Engine", name: str) -> Iterator[str]:
    try:
        scheme = engine.scheme(name)
    except NotFound:
        yield f"{name}: no scheme (it has neither profiles nor a scheme.yaml)"
        return
    written, read = engine.profiles().get(name, ((), ()))
    base = f", extends {scheme.extends}" if scheme.extends else ""
    yield f"{name}: good{base}; writes {len(written)} messages, reads {len(read)}"
    for message in sorted({*written, *read}):
        profile = engine.profile(name, message)
        ways = " and ".join(way for way, given in (("writes", profile.write), ("reads", profile.read)) if given)
        own = "" if profile.scheme == name else f" (from {profile.scheme})"
        yield f"  {message}: {ways} {profile.value}{own}"


def _tree(title: str, rule: "Rule", root: "Node") -> "Tree":
    from rich.tree import Tree

    tree = Tree(title)
    _grow(tree, rule, root)
    return tree


def _grow(tree: "Tree", rule: "Rule", node: "Node") -> None:
    from rich.text import Text

    for attribute in rule.attributes:
        tree.add(Text.assemble((f"@{attribute.name}", "bold"), "  ", *_source(attribute)))
    for child in rule.children:
        below = node.child(child.name)
        if below is not None:
            often = f" [{_often(below)}{' choice' if node.is_choice else ''}]"
            label = Text.assemble((child.name, "bold"), (often, "dim"), "  ", *_source(child))
            _grow(tree.add(label), child, below)


def _often(node: "Node") -> str:
    return f"{node.minimum}..{'n' if node.maximum is None else node.maximum}"


def _source(rule: "Rule") -> Iterator[tuple[str, str]]:
    """Where the text comes from, and the rule by which it becomes what it is."""
    if rule.each:
        yield f"for each of {rule.each}", "cyan"
    if rule.source:
        yield rule.source, "cyan"
    if rule.count:
        yield f"number of {rule.count}", "cyan"
    if rule.constant is not None:
        yield repr(rule.constant), "green"
    for text in _rules(rule):
        yield f"  {text}", "yellow"


def _rules(rule: "Rule") -> Iterator[str]:
    if rule.format:
        yield f"as {rule.format}"
    if rule.code:
        yield f"by code table {rule.code}"
    if rule.part:
        yield f"part {rule.part}"
    if rule.cut:
        yield "cut to length"
    if rule.many:
        yield {"first": "the first of several", "join": "all, joined"}.get(rule.many, rule.many)
    for word, condition in (("when", rule.when), ("unless", rule.unless)):
        for name, pattern in condition.items():
            yield f"{word} {name}" + (f" is like {pattern.pattern}" if pattern else "")


def register(parent: typer.Typer) -> None:
    """Add the commands."""
    parent.add_typer(app)
