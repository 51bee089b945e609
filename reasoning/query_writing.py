"""Query sets written as files: JSON lines in the benchmarks' format, or Parquet; and a manifest.

What `reasoning.query_files` reads, with the easy answers too. Relations walked against their
direction are written ``-name``.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from kg.errors import SettingError
from kg.files import atomic_write, sha256_of_file, write_json
from kg.graph_folder import GraphFolder
from reasoning.notations.betae import nested_tuples
from reasoning.sampling import QuerySet

__all__ = ["ENDINGS", "check_ending", "manifest_path", "write_query_file"]

ENDINGS = (".jsonl", ".jsonl.gz", ".parquet")
_FORMAT = 1


def manifest_path(path: Path) -> Path:
    """Return where the manifest of a query file lies."""
    return path.with_name(f"{path.name}.manifest.json")


def check_ending(path: Path) -> None:
    """Refuse a path that ends in none of `ENDINGS`.

    Raises:
        SettingError: It has another ending.
    """
    if not path.name.endswith(ENDINGS):
        raise SettingError(f"{path.name} ends in none of {', '.join(ENDINGS)}", where=str(path))


def write_query_file(
    path: Path, sets: Sequence[QuerySet], graph: GraphFolder, origin: Mapping[str, Any]
) -> None:
    """Write query sets and their manifest, atomically; the same sets give the same bytes.

    Args:
        path: Ends in one of `ENDINGS`.
        sets: Over the ids of the graph.
        graph: The graph that they are about.
        origin: How they were made (seed, split); goes into the manifest with the hashes of the
            graph and of the file, and the number of queries of each structure.

    Raises:
        SettingError: The path has another ending.
    """
    check_ending(path)
    records = (record for queries in sets for record in _records(queries, graph))
    if path.suffix == ".parquet":
        _write_parquet(path, records)
    else:
        with atomic_write(path) as file:
            if path.suffix == ".gz":  # without a time and a name, so that bytes repeat
                with gzip.GzipFile(filename="", mode="wb", fileobj=file, mtime=0) as packed:
                    packed.writelines(map(_line, records))
            else:
                file.writelines(map(_line, records))
    write_json(
        manifest_path(path),
        {
            "format": _FORMAT,
            **origin,
            "graph": graph.full.hash,
            "train": graph.train.hash,
            "queries": {queries.structure.name: len(queries) for queries in sets},
            "sha256": sha256_of_file(path),
        },
    )


def _records(queries: QuerySet, graph: GraphFolder) -> Iterator[dict[str, Any]]:
    # a number is the place of a name where the folder numbers its names
    as_text = graph.entity_order is not None or graph.relation_order is not None
    name = queries.structure.name
    for row in range(len(queries)):
        nested: Any = nested_tuples(queries.tree(row, graph.full))
        yield {
            "s": name,
            "q": _as_texts(nested) if as_text else nested,
            "hard": _names(queries.hard[row], graph, as_text=as_text),
            "easy": _names(queries.easy[row], graph, as_text=as_text),
            "n_easy": len(queries.easy[row]),
        }


def _as_texts(nested: Any) -> Any:
    if isinstance(nested, tuple):
        return tuple(map(_as_texts, nested))
    return str(nested) if isinstance(nested, int) and nested >= 0 else nested


def _names(ids: Any, graph: GraphFolder, *, as_text: bool) -> list[int | str]:
    keys = [graph.full.entities.name(int(number)) for number in ids]
    if as_text:
        return list(keys)
    return [int(key) if key.isascii() and key.isdecimal() and _plain(key) else key for key in keys]


def _plain(digits: str) -> bool:
    """Tell whether a number, written again, is the same text."""
    return digits == "0" or digits[0] != "0"


def _line(record: dict[str, Any]) -> bytes:
    return json.dumps(record, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def _write_parquet(path: Path, records: Iterator[dict[str, Any]]) -> None:
    import pyarrow as pa  # type: ignore[import-untyped]
    from pyarrow import parquet

    texts = pa.list_(pa.string())
    types = {"s": pa.string(), "q": pa.string(), "hard": texts, "easy": texts, "n_easy": pa.int64()}
    schema = pa.schema(list(types.items()))
    rows = [
        {
            **record,
            "q": json.dumps(_as_texts(record["q"]), ensure_ascii=False),
            "hard": list(map(str, record["hard"])),
            "easy": list(map(str, record["easy"])),
        }
        for record in records
    ]
    with atomic_write(path) as file:
        parquet.write_table(pa.Table.from_pylist(rows, schema=schema), file)
