"""Indexes of attributes in the embedded engine, which types what it indexes.

The engine turns a value into the type that an indexed property has: 5 would become "5", or 5.5
become 5. So a property gets the one type that its values have, and values of another are refused
before the engine sees them. A file beside the database tells other processes to read the types
anew; it is looked at while the writers' lock is held, in which indexes are made and dropped.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kg.backends.names import BASE_LABEL
from kg.errors import ConstraintError, InputError
from kg.indexes import AttributeIndex

if TYPE_CHECKING:
    from kg.backends.engine_http import EngineHttp

__all__ = ["LONGEST", "TYPES_QUERY", "EngineIndexes"]

TYPES_QUERY = "SELECT name, type, properties, indexes FROM schema:types"
ENGINE_TYPES = {"str": "STRING", "int": "LONG", "float": "DOUBLE", "bool": "BOOLEAN"}
OUR_TYPES = {"INTEGER": "int", "SHORT": "int", "FLOAT": "float"} | {
    engine: ours for ours, engine in ENGINE_TYPES.items()
}
LONGEST = 50_000
"""Characters of an indexed text; the engine's index keeps each on one page of 256 KB."""


class EngineIndexes:
    """The `kg.backends.indexing.LinkIndexes` of one database.

    Args:
        http: Returns the engine's administration, with time for long work.
        database: Name of the database.
        mark: The file that grows when indexes change.
    """

    def __init__(self, http: Callable[[], EngineHttp], database: str, mark: Path) -> None:
        self._http = http
        self._database = database
        self._mark = mark
        self._seen = 0
        self._types: dict[str, dict[str, str]] = {}
        self._found: list[AttributeIndex] = []
        self._demanded: list[AttributeIndex] = []

    def load(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Take over what the rows of `TYPES_QUERY` say."""
        self._types = {}
        self._found = []
        for row in rows:
            types = {
                one["name"]: OUR_TYPES[one["type"]]
                for one in row.get("properties") or ()
                if one["type"] in OUR_TYPES and one["name"] != "key"
            }
            if types and row["type"] == "vertex":
                self._types[row["name"]] = types
                self._found += (
                    AttributeIndex(label=row["name"], attribute=name, kind=types[name])
                    for index in row.get("indexes") or ()
                    for name in index["properties"]
                    if name in types and len(index["properties"]) == 1
                )
        self._found.sort(key=lambda one: (one.label, one.attribute))
        for one in self._demanded:
            self._types.setdefault(one.label, {}).setdefault(one.attribute, str(one.kind))

    def demand(self, found: Iterable[AttributeIndex]) -> None:
        """Check values as if these were there: they are made when all rows are."""
        self._demanded = list(found)

    def refresh(self) -> None:
        """Read the types anew if another process has made or dropped an index."""
        size = self._size()
        if size != self._seen:
            self._seen = size
            self._reload()

    def _size(self) -> int:
        try:
            return self._mark.stat().st_size
        except FileNotFoundError:
            return 0

    def _reload(self) -> None:
        self.load(self._http().sql(self._database, TYPES_QUERY) or ())

    def all(self) -> list[AttributeIndex]:
        """Return them; see `kg.indexes.Indexes`."""
        self._reload()
        return list(self._found)

    def check(self, label: str, properties: Mapping[str, Any], *, key: str) -> None:
        """Refuse values that an index cannot take; see `kg.backends.indexing.LinkIndexes`."""
        for owner in (label, BASE_LABEL) if self._types else ():
            for name, wanted in self._types.get(owner, {}).items():
                value = properties.get(name)
                if value is not None and type(value).__name__ != wanted:
                    raise InputError(
                        f"{name!r} of {owner} has an index of type {wanted}, and {value!r:.80} is "
                        f"{type(value).__name__}",
                        where=key,
                        hint=f"change the value, or drop the index of {owner} {name}",
                    )
                if isinstance(value, str) and len(value) > LONGEST:
                    raise InputError(
                        f"{name!r} has {len(value):,} characters, and its index takes {LONGEST:,}",
                        where=key,
                        hint=f"drop the index of {owner} {name}, or call the attribute otherwise",
                    )

    def create(self, label: str, attribute: str, kind: str | None) -> AttributeIndex:
        """Make one unless it is there; see `kg.indexes.Indexes`."""
        same = [one for one in self.all() if one.attribute == attribute]
        for one in same:
            if one.label in (label, BASE_LABEL):
                if kind not in (None, one.kind):
                    raise ConstraintError(f"{attribute!r} of {one.label} is indexed as {one.kind}")
                return one
        if label == BASE_LABEL and same:
            raise ConstraintError(
                f"{attribute!r} has an index for {same[0].label} alone",
                hint="drop that one first, and make one of all entities then",
            )
        fit = self._fitting(label, attribute, kind)
        self._tell()
        property_ = f"`{label}`.`{attribute}` IF NOT EXISTS {ENGINE_TYPES[fit]}"
        self._http().sql(
            self._database,
            f"CREATE PROPERTY {property_};"
            f"CREATE INDEX IF NOT EXISTS ON `{label}` (`{attribute}`) NOTUNIQUE;",
        )
        self._reload()
        return AttributeIndex(label=label, attribute=attribute, kind=fit)

    def _fitting(self, label: str, attribute: str, kind: str | None) -> str:
        """Return the type of an attribute's values, if they have one that can be indexed."""
        value = f"`{attribute}`"
        rows = self._http().sql(
            self._database,
            f"SELECT {value}.type() AS type, count(*) AS number, max({value}.length()) AS longest "  # noqa: S608
            f"FROM `{label}` WHERE {value} IS NOT NULL GROUP BY {value}.type()",  # checked names
        )
        counts: dict[str, int] = {}
        for row in rows or ():
            found = OUR_TYPES.get(row["type"], row["type"].lower())
            counts[found] = counts.get(found, 0) + int(row["number"])
            if found == "str" and int(row["longest"]) > LONGEST:
                raise ConstraintError(
                    f"a value of {attribute!r} has {row['longest']:,} characters",
                    where=f"index of {label} {attribute}",
                    hint=f"an index takes texts of up to {LONGEST:,} characters",
                )
        declared = self._types.get(label, {}).get(attribute)  # an index that was not made to an end
        wanted = kind or declared or next(iter(counts), "str")
        if counts.keys() - {wanted} or wanted not in ENGINE_TYPES:
            told = ", ".join(f"{number:,} of type {name}" for name, number in counts.items())
            raise ConstraintError(
                f"an index needs values of one type, {'/'.join(ENGINE_TYPES)}; there are {told}",
                where=f"index of {label} {attribute}",
                hint="write them as one type first, or under another name",
            )
        return wanted

    def drop(self, label: str, attribute: str) -> bool:
        """Drop one and its type; see `kg.indexes.Indexes`."""
        found = any((one.label, one.attribute) == (label, attribute) for one in self.all())
        if not found and attribute not in self._types.get(label, {}):
            return False
        self._tell()
        script = "".join(
            f"DROP INDEX `{name}` IF EXISTS;" for name in self._named(label, attribute)
        )
        self._http().sql(
            self._database, f"{script}DROP PROPERTY `{label}`.`{attribute}` IF EXISTS;"
        )
        self._reload()
        return found

    def _named(self, label: str, attribute: str) -> list[str]:
        """Return what the engine calls an index; it may have been made by Cypher under a name."""
        query = f"SELECT indexes FROM schema:types WHERE name = '{label}'"  # noqa: S608 - a checked name
        return [
            index["name"]
            for row in self._http().sql(self._database, query) or ()
            for index in row.get("indexes") or ()
            if index["properties"] == [attribute] and "`" not in index["name"]
        ]

    def _tell(self) -> None:
        """Have every other process read the types anew before it writes again."""
        with self._mark.open("ab") as file:
            file.write(b".")
        self._seen = self._size()
