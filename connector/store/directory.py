"""The directory of programmes, institutions and Source BBs, kept in the store and cached by version."""

from connector.domain.directory import Directory, Institution, Programme, SourceBB


class DirectoryStore:
    """Reads and changes the directory."""

    async def load(self) -> Directory:
        """Give the directory as it is now; one small round trip where nothing has changed."""
        raise NotImplementedError

    async def seed(self, directory: Directory) -> bool:
        """Fill an empty directory and open its programmes' budgets; False where there was one."""
        raise NotImplementedError

    async def save_programme(self, programme: Programme) -> None:
        """Add or replace a programme, and set the budgets that it starts with."""
        raise NotImplementedError

    async def save_institution(self, institution: Institution) -> None:
        """Add or replace an institution."""
        raise NotImplementedError

    async def save_source(self, source: SourceBB) -> None:
        """Add or replace a Source BB."""
        raise NotImplementedError

    async def save_defaults(self, *, default_programme: str, open_sources: bool) -> None:
        """Set which programme pays where none is named, and whether unknown Source BBs are let in."""
        raise NotImplementedError
