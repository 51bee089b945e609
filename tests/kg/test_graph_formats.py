"""Formats of whole graphs: nothing is lost on the way; bad lines do not cost their neighbours."""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from random import Random

import pyarrow as pa
import pytest
from hypothesis import given, settings
from pyarrow import feather, parquet

from kg.backends.memory import MemoryStore
from kg.claims import Claims
from kg.errors import EngineError, InputError, RecordError
from kg.graph_formats import FORMATS, GraphFormat, format_of, write_graph
from kg.importing import import_graph
from kg.ledger import Ledger
from kg.model import AttributeValue, Edge, Entity, EntityKey
from tests.kg.rich_graphs import (
    content,
    filled,
    graphs,
    read_back,
    small,
    texts,
    through,
    xml_texts,
)

WRITTEN = [form for form in FORMATS if form.write is not None]
XML = {"rdf-xml", "graphml"}
ODDITIES = (*(bytes([n]) for n in (0, 34, 38, 60, 91, 92, 123, 255)), b"1e999", b"\\ud800", b"\n")
UNPACKED = {"parquet", "arrow", "neo4j-admin"}
by_name = pytest.mark.parametrize("form", WRITTEN, ids=lambda form: form.name)


def without_lost(store: MemoryStore) -> MemoryStore:
    """Return a graph without what CSV for Neo4j cannot hold: see `NEO4J.loses`."""

    def kept(value: object) -> bool:
        if isinstance(value, tuple):
            odd = any(item == "" or "\x1f" in str(item) for item in value)
            return len({type(item) for item in value}) == 1 and not odd
        return value != ""

    def whole(values: Mapping[str, AttributeValue]) -> dict[str, AttributeValue]:
        return {name: value for name, value in values.items() if kept(value)}

    def claimed(row: Entity | Edge) -> dict[str, Claims]:
        lost = {name for name, value in row.attributes.items() if not kept(value)}
        return {name: claims for name, claims in row.claims.items() if name not in lost}

    return filled(
        [
            replace(
                entity,
                attributes=whole(entity.attributes),
                aliases=entity.aliases if kept(entity.aliases) else (),
                claims=claimed(entity),
            )
            for entity in store.entities()
        ],
        [
            replace(edge, attributes=whole(edge.attributes), claims=claimed(edge))
            for edge in store.edges()
        ],
    )


def ending(form: GraphFormat) -> str:
    return form.endings[0] if form.endings else ""


@by_name
def test_nothing_is_lost(form: GraphFormat) -> None:
    assert bool(form.loses) == (form.name == "neo4j-admin")

    @settings(max_examples=12, deadline=None)
    @given(graphs(texts_=xml_texts if form.name in XML else texts))
    def round_trip(store: MemoryStore) -> None:
        back, rejects = through(store, form.name, ending(form))
        assert rejects == []
        assert content(back) == content(without_lost(store) if form.loses else store)

    round_trip()


@by_name
def test_an_import_takes_a_packed_file_and_is_done_the_second_time(
    form: GraphFormat, tmp_path: Path
) -> None:
    file = tmp_path / f"graph{ending(form)}{'.gz' if form.name not in UNPACKED else ''}"
    written = write_graph(small(), file, form.name)
    assert (written.entities, written.edges) == (30, 29)
    store = MemoryStore()
    with Ledger(tmp_path / "jobs" / "ledger.sqlite") as ledger:
        for skipped in (False, True):
            report = import_graph(store, file, ledger=ledger, rejects=tmp_path / "rejects")
            assert (report.entities, report.edges, report.rejects) == (30, 29, 0)
            assert report.skipped == skipped
    assert content(store) == content(small())
    assert list(tmp_path.glob("jobs/staged/*")) == []


@by_name
def test_a_format_is_told_by_name_and_content(form: GraphFormat, tmp_path: Path) -> None:
    file = tmp_path / f"graph{ending(form)}"
    write_graph(small(), file, form.name)
    assert format_of(file).name == form.name
    assert format_of(file, "turtle").name == "turtle"


def test_unknown_formats_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no format 'xls'.*turtle"):
        format_of(tmp_path / "a.ttl", "xls")
    with pytest.raises(InputError, match=r"tells no format, in .*--format"):
        write_graph(small(), tmp_path / "a.xls")
    with pytest.raises(RecordError, match="no such file"):
        format_of(tmp_path / "a.ttl")
    (tmp_path / "a.jsonl").write_text('{"name": "a"}\n')
    with pytest.raises(RecordError, match="tells a format of graphs"):
        format_of(tmp_path / "a.jsonl")
    (tmp_path / "rows.csv").write_text("id,name\n1,a\n")
    with pytest.raises(RecordError, match=r"umbra build rows.csv --propose"):
        format_of(tmp_path / "rows.csv")
    (tmp_path / "a.dat").write_text("id,name\n1,a\n")
    with pytest.raises(RecordError, match="name it with --format"):
        format_of(tmp_path / "a.dat")


def test_nothing_half_is_left_of_an_export_that_fails(tmp_path: Path) -> None:
    bad = filled([Entity(key=EntityKey("a"), label="X", name="a\x01")], [])
    for name in ("a.rdf", "a.graphml"):
        with pytest.raises(InputError, match=r"XML cannot hold a control character .* in a"):
            write_graph(bad, tmp_path / name)
    half = filled([Entity(key=EntityKey("a"), label="X", name="\ud800")], [])
    for form in WRITTEN:
        with pytest.raises(InputError, match="half a character"):
            write_graph(half, tmp_path / f"a{ending(form)}", form.name)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


@pytest.mark.parametrize(
    "name", ["jsonl", "graphml", "n-triples", "n-quads", "turtle", "trig", "json-ld"]
)
def test_a_bad_line_in_the_middle_costs_only_itself(name: str, tmp_path: Path) -> None:
    form = format_of(tmp_path, name)
    file = tmp_path / f"graph{ending(form)}"
    write_graph(small(), file)
    rows = file.read_text().splitlines()
    end = (
        "}" if name == "trig" else (" .", "}", ",", "</node>")
    )  # of what the line before belongs to
    middle = next(n for n in range(len(rows) // 2, len(rows)) if rows[n - 1].endswith(end))
    rows.insert(middle, '<x:a> "nonsense" <x:b> .')
    file.write_text("\n".join(rows))
    back, rejects = read_back(file)
    assert [(reject.file, reject.line) for reject in rejects] == [(file.name, middle + 1)]
    assert "nonsense" in rejects[0].text
    assert content(back) == content(small())


def mutated(content_: bytes, random: Random) -> bytes:
    """Return a file in which a few places were changed, doubled or lost."""
    found = bytearray(content_)
    for _ in range(random.randint(1, 5)):
        place = random.randrange(len(found) + 1)
        kind = random.randrange(3)
        if kind == 0:
            found[place:place] = random.choice(ODDITIES)
        elif kind == 1:
            del found[place : place + random.randint(1, 20)]
        else:
            start = random.randrange(len(found) + 1)
            found[place:place] = found[start : start + 40]
    return bytes(found)


@by_name
def test_damage_anywhere_is_an_error_of_ours_or_a_reject(form: GraphFormat, tmp_path: Path) -> None:
    random = Random(form.name)
    path = tmp_path / f"graph{ending(form)}"
    write_graph(small(4), path, form.name)
    files = [path] if form.endings else sorted(path.iterdir())
    whole = [file.read_bytes() for file in files]
    for _ in range(20):
        for file, good in zip(files, whole, strict=True):
            file.write_bytes(mutated(good, random))
        with suppress(EngineError):
            read_back(path, form.name)


def test_bad_rows_of_tables_cost_only_themselves(tmp_path: Path) -> None:
    store = small()
    write_graph(store, tmp_path / "csv", "neo4j-admin")
    nodes = tmp_path / "csv" / "nodes.csv"
    rows = nodes.read_text().splitlines()
    rows[5:5] = ["too,few", rows[1].replace(",0,", ",many,")]
    nodes.write_text("\n".join(rows))
    back, rejects = read_back(tmp_path / "csv")
    assert [(reject.file, reject.line) for reject in rejects] == [
        ("nodes.csv", 6),
        ("nodes.csv", 7),
    ]
    assert content(back) == content(store)
    for ending, write in ((".parquet", parquet.write_table), (".arrow", feather.write_feather)):
        path = tmp_path / f"graph{ending}"
        write_graph(store, path)
        whole = parquet.read_table(path) if ending == ".parquet" else feather.read_table(path)
        bad = whole.to_pylist()
        bad[20:20] = [{"kind": "thing"}, {**bad[0], "attributes": "{"}, {**bad[0], "name": ""}]
        write(pa.Table.from_pylist(bad, schema=whole.schema), path)
        back, rejects = read_back(path)
        assert [reject.line for reject in rejects] == [21, 22, 23]
        assert content(back) == content(store)


def test_an_interrupted_import_goes_on_with_what_was_laid_out(tmp_path: Path) -> None:
    file = tmp_path / "graph.nt"
    write_graph(small(), file)
    store = MemoryStore()

    def interrupt(_done: int, _total: int) -> None:
        raise KeyboardInterrupt

    with Ledger(tmp_path / "jobs" / "ledger.sqlite") as ledger:
        options = {"ledger": ledger, "rejects": tmp_path / "rejects"}
        with pytest.raises(KeyboardInterrupt):
            import_graph(store, file, progress=interrupt, **options)
        assert len(list(tmp_path.glob("jobs/staged/*.sqlite"))) == 1
        assert import_graph(store, file, **options).edges == 29
    assert content(store) == content(small())


def test_rejects_of_every_kind_are_written_with_their_lines(tmp_path: Path) -> None:
    file = tmp_path / "graph.jsonl.gz"
    rows = [
        '{"entity": {"key": "a", "label": "X", "name": "A"}}',
        '{"entity": {"key": "b", "label": "X"}}',
        '{"entity": {"key": "c", "label": "X", "name": "C", "size": 3}}',
        '{"edge": {"head": "a", "relation": "r", "tail": "z", "provenance": [{"kind": "x"}]}}',
        '{"edge": {"head": "a", "relation": "r", "tail": "z", "provenance": []}}',
        '{"entity": {"key": "d", "label": "X", "name": "D", "attributes": {"a": {}}}}',
        "nonsense",
        '{"thing": {}}',
        '{"entity": {"key": "e", "label": "X", "name": "E"}}',
    ]
    file.write_bytes(gzip.compress("\n".join(rows).encode()))
    store = MemoryStore()
    with Ledger(tmp_path / "ledger.sqlite") as ledger:
        report = import_graph(store, file, ledger=ledger, rejects=tmp_path / "rejects")
    assert [entity.key for entity in store.entities()] == ["a", "e"]
    told = [json.loads(line) for line in (tmp_path / "rejects").read_text().splitlines()]
    assert [reject["line"] for reject in told] == [2, 3, 4, 6, 7, 8, 5]
    assert report.rejects == 7
    assert told[-1]["reason"] == "there is no entity 'z'"


def test_an_export_tells_how_far_it_is(tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    write_graph(small(300), tmp_path / "a.nt", progress=lambda *done: told.append(done))
    assert told == [(500, 0)], "of how many, nobody knows"
