"""The directory of programmes, institutions and Source BBs, kept in the store and cached by version."""

from typing import TypeVar

import msgspec

from connector.domain.directory import Directory, Institution, Programme, SourceBB
from connector.domain.voucher import Merchant, VoucherGroup
from connector.store.crypto import Keyring
from connector.store.funds import Funds
from connector.store.keyspace import Keyspace
from connector.store.link import Link
from connector.store.packing import Sealer

T = TypeVar("T")


class _Defaults(msgspec.Struct):
    """What is neither programme nor institution nor Source BB."""

    default_programme: str = ""
    open_sources: bool = False


class DirectoryStore:
    """Reads and changes the directory."""

    def __init__(self, link: Link, keyspace: Keyspace, keys: Keyring, funds: Funds) -> None:
        """Work on this connection; the budgets that programmes start with go to ``funds``."""
        self._link = link
        self._key = keyspace.directory()
        self._funds = funds
        self._programmes = Sealer(keys, Programme)
        self._institutions = Sealer(keys, Institution)
        self._sources = Sealer(keys, SourceBB)
        self._groups = Sealer(keys, VoucherGroup)
        self._merchants = Sealer(keys, Merchant)
        self._defaults = Sealer(keys, _Defaults)
        self._version = b""
        self._cached = Directory({}, {}, {})

    async def load(self) -> Directory:
        """Give the directory as it is now; one small round trip where nothing has changed."""
        version = await self._link.ask("GET", f"{self._key}:version")
        if (version or b"") != self._version:
            fields = await self._link.ask("HGETALL", self._key)
            self._cached = self._directory({name.decode(): value for name, value in fields.items()})
            self._version = version or b""  # read before the content: a change in between is loaded next time
        return self._cached

    async def seed(self, directory: Directory) -> bool:
        """Fill an empty directory and open its programmes' budgets; False where there was one."""
        if await self._link.ask("EXISTS", self._key):
            return False
        for programme in directory.programmes.values():
            await self._open_budgets(programme)
        return await self._write(
            [
                *[self._programmes_field(programme) for programme in directory.programmes.values()],
                *[self._institutions_field(institution) for institution in directory.institutions.values()],
                *[self._sources_field(source) for source in directory.sources.values()],
                *[self._groups_field(group) for group in directory.groups.values()],
                *[self._merchants_field(merchant) for merchant in directory.merchants.values()],
                self._defaults_field(_Defaults(directory.default_programme, directory.open_sources)),
            ],
            empty=True,
        )

    async def save_programme(self, programme: Programme) -> None:
        """Add or replace a programme, and set the budgets that it starts with."""
        await self._open_budgets(programme)
        await self._write([self._programmes_field(programme)])

    async def save_institution(self, institution: Institution) -> None:
        """Add or replace an institution."""
        await self._write([self._institutions_field(institution)])

    async def save_source(self, source: SourceBB) -> None:
        """Add or replace a Source BB."""
        await self._write([self._sources_field(source)])

    async def save_group(self, group: VoucherGroup) -> None:
        """Add or replace a voucher group."""
        await self._write([self._groups_field(group)])

    async def remove_group(self, code: str) -> None:
        """Remove a voucher group; nothing happens where there is none."""
        await self._remove("group", code)

    async def save_merchant(self, merchant: Merchant) -> None:
        """Add or replace a merchant or an agent."""
        await self._write([self._merchants_field(merchant)])

    async def remove_merchant(self, identifier: str) -> None:
        """Remove a merchant or an agent; nothing happens where there is none."""
        await self._remove("merchant", identifier)

    async def save_defaults(self, *, default_programme: str, open_sources: bool) -> None:
        """Set which programme pays where none is named, and whether unknown Source BBs are let in."""
        await self._write([self._defaults_field(_Defaults(default_programme, open_sources))])

    async def _open_budgets(self, programme: Programme) -> None:
        """Set opening budgets; can be repeated, and comes first, so that no programme is seen without its money."""
        for currency, minor in programme.budgets.items():
            await self._funds.open(programme.id, currency, minor)

    async def _write(self, fields: list[tuple[str, bytes]], *, empty: bool = False) -> bool:
        parts = [part for pair in fields for part in pair]
        return bool(await self._link.call("directory", [self._key, f"{self._key}:version"], int(empty), *parts))

    async def _remove(self, kind: str, identifier: str) -> None:
        keys = [self._key, f"{self._key}:version"]
        await self._link.call("directory_remove", keys, f"{kind}:{identifier}")

    def _programmes_field(self, programme: Programme) -> tuple[str, bytes]:
        return self._field(self._programmes, "programme", programme.id, programme)

    def _institutions_field(self, institution: Institution) -> tuple[str, bytes]:
        return self._field(self._institutions, "institution", institution.code, institution)

    def _sources_field(self, source: SourceBB) -> tuple[str, bytes]:
        return self._field(self._sources, "source", source.id, source)

    def _groups_field(self, group: VoucherGroup) -> tuple[str, bytes]:
        return self._field(self._groups, "group", group.code, group)

    def _merchants_field(self, merchant: Merchant) -> tuple[str, bytes]:
        return self._field(self._merchants, "merchant", merchant.id, merchant)

    def _defaults_field(self, defaults: _Defaults) -> tuple[str, bytes]:
        return self._field(self._defaults, "settings", "", defaults)

    def _field(self, sealer: Sealer[T], kind: str, identifier: str, value: T) -> tuple[str, bytes]:
        name = f"{kind}:{identifier}"
        return name, sealer.seal(value, f"{self._key}:{name}")

    def _directory(self, fields: dict[str, bytes]) -> Directory:
        """Open the whole directory, in the order of ids."""
        defaults = self._all(self._defaults, "settings", fields).get("", _Defaults())
        return Directory(
            self._all(self._programmes, "programme", fields),
            self._all(self._institutions, "institution", fields),
            self._all(self._sources, "source", fields),
            defaults.default_programme,
            defaults.open_sources,
            self._all(self._groups, "group", fields),
            self._all(self._merchants, "merchant", fields),
        )

    def _all(self, sealer: Sealer[T], kind: str, fields: dict[str, bytes]) -> dict[str, T]:
        """Open everything of one kind by id."""
        return {
            name.partition(":")[2]: sealer.open(value, f"{self._key}:{name}")
            for name, value in sorted(fields.items())
            if name.partition(":")[0] == kind
        }
