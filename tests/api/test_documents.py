"""Documents in the graph: found, cited, linked, replaced whole, and taken back."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from api.cli.main import main
from api.retrieval.context import context_for
from api.settings import Settings
from api.steps.build import build_graph
from api.steps.documents import add_documents
from api.steps.undo import undo_in_graph
from kg.errors import InputError, MissingPartError
from kg.model import Edge, EntityKey
from kg.provenance import Provenance
from kg.upkeep.undo import Undo
from linkers.knowledge_base import KnowledgeBase
from linkers.model import Link, Mention
from tests.api.world import WorldEngine, flag, open_world

REPORT = """# The strait

Ships from Turkey passed the lighthouse. Turkey and Tunisia agreed.

![The flag of Tunisia](pictures/tn.png)

| port | ships |
|---|---|
| Izmir | 12 |

![away](../secret.png)
"""


class Linker:
    """Links every mention to the entity of that name, with 0.8."""

    def __init__(self, engine: WorldEngine) -> None:
        self.base = KnowledgeBase.build(engine.store.entities("Country"))
        self._keys = {name: e.key for e in self.base.entities for name in (e.name, *e.aliases)}

    def link(self, mentions: Sequence[Mention]) -> list[Link]:
        return [
            Link(
                mention=one.id, state="linked", entity=self._keys[one.surface], probability=0.8,
                nil_probability=0.1, reason="name", candidates=(),
            )
            for one in mentions
        ]  # fmt: skip

    def forget(self) -> None:
        """Nothing is remembered."""


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[WorldEngine]:
    settings = Settings(text_encoder="tiny")
    with open_world(tmp_path / ".umbra", settings=settings) as engine:
        yield engine


@pytest.fixture
def report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "docs"
    (folder / "pictures").mkdir(parents=True)
    (folder / "pictures" / "tn.png").write_bytes(flag("TN"))
    (tmp_path / "secret.png").write_bytes(flag("TR"))
    (folder / "report.md").write_text(REPORT)
    monkeypatch.chdir(folder)
    return Path("report.md")


def state(engine: WorldEngine) -> tuple[set[str], set[tuple[str, str, str]]]:
    return (
        {entity.key for entity in engine.store.entities()},
        {edge.key for edge in engine.store.edges()},
    )


def test_a_document_is_found_and_cited_with_its_place(engine: WorldEngine, report: Path) -> None:
    found = add_documents(engine, [report])
    assert (found["documents"], found["passages"], found["tables"], found["figures"]) == (
        1,
        1,
        1,
        2,
    )
    assert found["lost_pictures"] == 1
    assert "outside the folder" in found["why"][0]
    context = context_for(engine, "lighthouse ships", budget=400)
    start, end = REPORT.index("Ships"), REPORT.index("![The")
    line = next(one for one in context.evidence if one.entity == "document:report.md#1")
    assert f"asserted report.md chars {start}-{end - 1}" in line.source
    assert any("Izmir | 12" in one.text for one in context_for(engine, "izmir").evidence)
    figure = engine.search("flag of Tunisia", labels=["Figure"]).hits[0]
    assert figure.image is not None
    assert engine.picture(figure.key)._repr_svg_().startswith("<?xml")
    again = add_documents(engine, [report])
    assert (again["documents"], again["unchanged"]) == (0, 1)


def test_a_changed_document_replaces_the_earlier_one_and_undo_takes_it_out(
    engine: WorldEngine, report: Path
) -> None:
    before = state(engine)
    add_documents(engine, [report])
    report.write_text("# The strait\n\nNothing passed.\n")
    add_documents(engine, [report])
    inside = {edge.tail for edge in engine.store.edges(relation="contains")}
    assert inside == {"document:report.md#5"}
    assert engine.store.entity(EntityKey("document:report.md#1")) is None
    undo_in_graph(engine, Undo(source="report.md"), confirm=True)
    assert state(engine) == before


def test_what_rests_on_an_earlier_version_goes_with_what_it_says_no_more(
    engine: WorldEngine, report: Path
) -> None:
    report.write_text("Turkey is near Tunisia.\n\nGeorgia is near Turkey.\n")
    add_documents(engine, [report])
    first, second = (f"document:report.md#{number}" for number in (1, 2))
    said = [
        fact("country:TN", "near", "country:TR", "report.md", text="Turkey is near\nTunisia."),
        fact("country:GE", "near", "country:TR", "report.md", text="Georgia is near Turkey."),
        fact("country:TN", "faces", "country:TR", "country:GE near country:TR"),
        fact("country:TN", "ships_to", "country:TR", second),
        fact("country:TR", "ships_to", "country:TN", first),
        fact(first, "cites", "country:TN"),
        fact(second, "cites", "country:TN"),
    ]
    engine.store.upsert_edges(said)
    before = state(engine)
    report.write_text("Turkey is near Tunisia.\n\nGeorgia is far from Turkey.\n")
    told = add_documents(engine, [report], dry_run=True)
    assert state(engine) == before
    assert sorted(told["gone"]) == [
        "country:GE near country:TR (rested on report.md)",
        "country:TN faces country:TR (rested on country:GE near country:TR)",
        f"country:TN ships_to country:TR (rested on {second})",
        f"{second} cites country:TN (rested on {second})",
    ]
    done = add_documents(engine, [report])
    assert (done["gone"], done["records_gone"]) == (told["gone"], 4)
    own = {edge.key for edge in said}
    assert state(engine)[1] & own == own - {said[n].key for n in (1, 2, 3, 6)}
    (file,) = done["brought_back_by"]
    assert build_graph(engine, Path(file))["rejects"] == 1  # the passage that one edge was at
    assert state(engine)[1] & own == own - {said[6].key}


def test_a_passage_keeps_its_key_and_no_other_gets_it(engine: WorldEngine, report: Path) -> None:
    texts = ("One.", "Two.", "Three.")
    report.write_text("\n\n".join(texts))
    add_documents(engine, [report])
    second = EntityKey("document:report.md#2")
    engine.store.upsert_edges([fact(second, "cites", "country:TN")])
    for said, numbers in (
        (("New.", "One.", "Two."), (4, 1, 2)), (("Other.", "Two.", "Two."), (5, 2, 6)),
        (("One.",), (7,)), (("One.", "Two."), (7, 8)),
    ):  # fmt: skip
        report.write_text("\n\n".join(said))
        add_documents(engine, [report])
        follows = [edge.key for edge in engine.store.edges(relation="follows")]
        keys = [f"document:report.md#{number}" for number in numbers]
        assert set(follows) == {(b, "follows", a) for a, b in itertools.pairwise(keys)}
        found = [engine.store.entity(EntityKey(key)) for key in keys]
        assert tuple(one.attributes["text"] for one in found if one is not None) == said
        cites = {edge.head for edge in engine.store.edges(relation="cites")}
        assert cites == ({second} if 2 in numbers else set())


def fact(head: str, relation: str, tail: str, *base: str, text: str | None = None) -> Edge:
    record = Provenance(kind="linked", source="table.csv", text=text, derived_from=base)
    return Edge(head=EntityKey(head), relation=relation, tail=EntityKey(tail), provenance=(record,))


def test_mentions_become_edges_with_their_words(
    engine: WorldEngine, report: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(MissingPartError):
        add_documents(engine, [report], link=True)
    assert engine.store.entity(EntityKey("document:report.md")) is None
    monkeypatch.setattr("api.steps.documents._linker", Linker)
    assert add_documents(engine, [report], link=True)["mentions"] == 3
    edges = list(engine.store.edges(relation="mentions"))
    assert {edge.key for edge in edges} == {
        ("document:report.md#1", "mentions", "country:TR"),
        ("document:report.md#1", "mentions", "country:TN"),
        ("document:report.md#2", "mentions", "country:TN"),
    }
    turkey = next(edge for edge in edges if edge.tail == "country:TR")
    assert [record.probability for record in turkey.provenance] == [0.8, 0.8]
    assert {record.source for record in turkey.provenance} == {"report.md"}
    assert all("Turkey" in (record.text or "") for record in turkey.provenance)


def test_the_command_reads_folders_and_says_what_is_missing(
    engine: WorldEngine, report: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.setattr("api.engine.Engine.open", lambda _folder: engine)
    (report.parent / "page.html").write_text("<p>Ships of Georgia.</p>")
    assert main(["read", ".", "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed["documents"] == 2
    with pytest.raises(InputError, match="no document"):
        add_documents(engine, [tmp_path / "docs" / "pictures"])
