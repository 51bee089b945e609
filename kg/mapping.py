"""A declared mapping: which files become which entities and edges; TOML, checked as a whole.

See ``examples/countries/graph.toml`` for one. Everything that can be wrong with a mapping is found
when it is loaded; what is wrong with a row is found by `kg.mapped_rows`.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from kg.backends.names import check_attribute, is_name, storable_name
from kg.declared_fields import DeclaredFields
from kg.errors import InputError, MappingError
from kg.files import sha256_of_file, sha256_of_text
from kg.formats.records import Record, Reject
from kg.formats.tables import ENDINGS, is_table, read_table
from kg.templates import Template
from kg.value_types import TYPES

__all__ = ["EdgeTable", "EntityTable", "FieldSource", "GraphMapping", "Source", "load_mapping"]

FORMAT = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldSource:
    """Where the value of an attribute comes from.

    Attributes:
        path: Path into the record.
        type: Declared type, see `kg.value_types`; None to keep what the file holds.
        separator: What a text is divided at to become a list, if it is.
    """

    path: str
    type: str | None = None
    separator: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """The file of a table and how its rows are taken.

    Attributes:
        place: Name of the table for messages: ``entities 3``.
        file: The file.
        delimiter: What stands between the fields of CSV, if not the usual.
        each: List or object whose items are taken one by one; a text with a separator too.
        once: Only the first row of each key counts.
        skip_missing: A row without a field that a template needs is passed over, not rejected.
    """

    place: str
    file: Path
    delimiter: str | None = None
    each: FieldSource | None = None
    once: bool = False
    skip_missing: bool = False

    def records(self) -> Iterator[Record | Reject]:
        """Read the file."""
        return read_table(self.file, delimiter=self.delimiter)


@dataclass(frozen=True, slots=True, kw_only=True)
class EntityTable:
    """Rows that become entities."""

    source: Source
    label: Template
    key: Template
    name: Template
    aliases: FieldSource | None = None
    image: Template | None = None
    attributes: Mapping[str, FieldSource] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class EdgeTable:
    """Rows that become edges."""

    source: Source
    head: Template
    relation: Template
    tail: Template
    attributes: Mapping[str, FieldSource] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphMapping:
    """A mapping that was checked.

    Attributes:
        path: Its file.
        entities: Tables of entities, in order.
        edges: Tables of edges, in order.
        content: Hash of the mapping and of every data file; of pictures only names, sizes and
            times of change are in it, since there may be many.
    """

    path: Path
    entities: tuple[EntityTable, ...]
    edges: tuple[EdgeTable, ...]
    content: str

    @property
    def folder(self) -> Path:
        """The folder that all paths of the mapping are relative to."""
        return self.path.parent


def load_mapping(path: Path) -> GraphMapping:
    """Read and check a mapping.

    Args:
        path: A TOML file, or a folder that holds ``graph.toml``.

    Raises:
        MappingError: It is missing, is not TOML, names an unknown field or a missing file, or a
            template or type is wrong; the message names the table and the field.
    """
    path = path / "graph.toml" if path.is_dir() else path
    try:
        text = path.read_text(encoding="utf-8")
        root = DeclaredFields(tomllib.loads(text), "the mapping", path)
    except FileNotFoundError as error:
        raise MappingError("no such mapping", where=str(path)) from error
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise MappingError(f"not a mapping in TOML: {error}", where=str(path)) from error
    if root.take("format", int, FORMAT) != FORMAT:
        raise root.error("format", f"this version reads format {FORMAT}")
    entities = tuple(map(_entity_table, root.tables("entities")))
    edges = tuple(map(_edge_table, root.tables("edges")))
    root.refuse_rest()
    if not entities:
        raise root.error("entities", "a mapping needs at least one [[entities]]")
    content = _content(text, path.parent, entities, edges)
    return GraphMapping(path=path, entities=entities, edges=edges, content=content)


def _content(
    text: str, folder: Path, entities: tuple[EntityTable, ...], edges: tuple[EdgeTable, ...]
) -> str:
    sources = [table.source.file for table in entities] + [table.source.file for table in edges]
    lines = [text, *map(sha256_of_file, sorted(set(sources)))]
    for image in sorted({table.image.pieces[0] for table in entities if table.image}):
        pictures = folder / image if image.endswith("/") else (folder / image).parent
        if not pictures.resolve().is_relative_to(folder.resolve()):
            continue  # its rows are rejects; what lies outside is not looked at
        for picture in sorted(filter(Path.is_file, pictures.glob("*"))):
            facts = picture.stat()
            lines.append(f"{picture.name} {facts.st_size} {facts.st_mtime_ns}")
    return sha256_of_text("\n".join(lines))


def _entity_table(fields: DeclaredFields) -> EntityTable:
    table = EntityTable(
        source=_source(fields),
        label=_name_template(fields, "label"),
        key=fields.template("key"),
        name=fields.template("name"),
        aliases=_aliases(fields),
        image=fields.template("image") if "image" in fields else None,
        attributes=_attributes(fields, edge=False),
    )
    fields.refuse_rest()
    return table


def _edge_table(fields: DeclaredFields) -> EdgeTable:
    table = EdgeTable(
        source=_source(fields),
        head=fields.template("head"),
        relation=_name_template(fields, "relation"),
        tail=fields.template("tail"),
        attributes=_attributes(fields, edge=True),
    )
    fields.refuse_rest()
    return table


def _source(fields: DeclaredFields) -> Source:
    name = fields.take("file", str)
    file = fields.folder / name
    if not file.resolve().is_relative_to(fields.folder.resolve()):
        raise fields.error("file", f"{name!r} lies outside the folder of the mapping")
    if not is_table(file):
        known = ", ".join(ENDINGS)
        raise fields.error("file", f"{name!r} is none of {known}; all but Parquet also with .gz")
    if not file.is_file():
        raise fields.error("file", f"there is no file {name!r}")
    delimiter = fields.take("delimiter", str, None)
    if delimiter is not None and len(delimiter) != 1:
        raise fields.error("delimiter", "a delimiter is one character")
    return Source(
        place=fields.place,
        file=file,
        delimiter=delimiter,
        each=_each(fields),
        once=fields.take("once", bool, False),
        skip_missing=fields.take("skip_missing", bool, False),
    )


def _each(fields: DeclaredFields) -> FieldSource | None:
    if "each" not in fields:
        return None
    source = _field_source(fields, "each", fields.take("each", object))
    if source.type is not None:
        raise fields.error("each", "a type is for attributes")
    return source


def _name_template(fields: DeclaredFields, name: str) -> Template:
    template = fields.template(name)
    if not template.paths and not is_name(template.text):
        near = storable_name(template.text)
        raise fields.error(
            name, f"{template.text!r} is no name: letters, digits and _, such as {near}"
        )
    return template


def _aliases(fields: DeclaredFields) -> FieldSource | None:
    if "aliases" not in fields:
        return None
    source = _field_source(fields, "aliases", fields.take("aliases", object))
    if source.type not in (None, "str[]"):
        raise fields.error("aliases", "aliases are a list of texts")
    return FieldSource(path=source.path, type="str[]", separator=source.separator)


def _attributes(fields: DeclaredFields, *, edge: bool) -> dict[str, FieldSource]:
    declared = fields.take("attributes", dict, {})
    for name in declared:
        try:
            check_attribute(name, where=fields.place, edge=edge)
        except InputError as error:
            raise fields.error(f"attributes.{name}", error.what) from error
    return {
        name: _field_source(fields, f"attributes.{name}", value) for name, value in declared.items()
    }


def _field_source(fields: DeclaredFields, name: str, value: object) -> FieldSource:
    if isinstance(value, str):
        return FieldSource(path=value)
    if not isinstance(value, dict):
        raise fields.error(name, "write a path, or { path = …, type = … }")
    inner = DeclaredFields(value, f"{fields.place}, {name}", fields.path)
    source = FieldSource(
        path=inner.take("path", str),
        type=inner.take("type", str, None),
        separator=inner.take("separator", str, None),
    )
    inner.refuse_rest()
    if source.type is not None and source.type.removesuffix("[]") not in TYPES:
        raise fields.error(
            name, f"no type {source.type!r}; there are {', '.join(TYPES)}, and […][]"
        )
    if source.separator == "":
        raise fields.error(name, "an empty separator")
    return source
