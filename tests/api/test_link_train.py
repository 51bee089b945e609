"""`umbra link train`, and its linker wherever the trained linker of a folder is used."""

from __future__ import annotations

import csv
import json
from collections import Counter
from pathlib import Path

import pytest

from api.cli.main import main
from api.engine import Engine
from api.held_linker import HeldLinker
from api.settings import load_settings
from api.steps.link import LinkJob, link_file
from api.steps.link_text import link_held
from api.steps.open_linker import ChosenLinker, LinkerChoice, open_linker
from api.steps.review_files import export_review
from api.steps.train_linker import LinkerTraining, train_linker
from api.workspace import Workspace
from kg.backends.memory import MemoryStore
from kg.errors import InputError, MappingError, SettingError
from kg.model import Entity, EntityKey
from linkers import Mention
from linkers.labelled_tables import read_labelled
from linkers.records import MentionColumns
from linkers.review import Case, Request, Review, mention_hash
from tests.linkers.boosted.made_world import entities, mentions, write

COLUMNS = {"id": "row", "surface": "words", "context": "text", "document": "page"}
MAP = [word for part, column in COLUMNS.items() for word in ("--map", f"{part}={column}")]


@pytest.fixture(autouse=True)
def _tiny(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("UMBRA_TEXT_ENCODER", "tiny")
    monkeypatch.setenv("UMBRA_FOLDER", str(tmp_path / ".umbra"))


def table(path: Path, *, bad: bool = False) -> Path:
    """Write mentions as CSV, columns by other names."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow([*COLUMNS.values(), "key", "split"])
        for row in mentions(240):
            own = (row["id"], row["mention"], row["context"], row["caption_id"])
            writer.writerow([*own, row["entity_id"], row["split"]])
        if bad:
            file.write("only,two\n")
    return path


def umbra(*arguments: object) -> int:
    return main([str(argument) for argument in arguments])


def test_a_table_trains_a_linker_to_a_file_of_entities(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    known = table(tmp_path / "known.csv", bad=True)
    base = write(tmp_path / "entities.jsonl", entities())
    trained = ("--entities", base, "--save", tmp_path / "linker", "--gold", "key", "--trees", 20)
    assert umbra("link", "train", known, *MAP, *trained, "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["mentions"], told["in_the_base"], told["rejects"]) == (144, 144, 1)
    assert told["calibrated_on"] == 48
    assert "line 242" in told["first_reject"]
    chosen = ("--linker", tmp_path / "linker", "--entities", base)
    estimated = []
    for linker in (("--linker", tmp_path / "linker"), ("--folder", tmp_path / "none")):
        assert umbra("link", "run", known, *MAP, *linker, "--estimate", "--json") == 0
        estimated.append(json.loads(capsys.readouterr().out))
    assert [one["linker"] for one in estimated] == ["trees", "network"]
    assert estimated[0]["seconds"] < estimated[1]["seconds"]
    outputs = []
    for workers, rows in ((1, 100), (2, 30)):
        out = tmp_path / f"{workers}.jsonl"
        more = ("--out", out, "--workers", workers, "--shard-rows", rows)
        assert umbra("link", "run", known, *MAP, *chosen, *more) == 0
        outputs.append(out.read_bytes())
    assert outputs[0] == outputs[1]
    links = [json.loads(line) for line in outputs[0].splitlines()]
    gold = {row["id"]: row["entity_id"] for row in mentions(240)}
    assert sum(link["entity"] == gold[link["mention"]] for link in links) > 180
    (tmp_path / "shown.csv").write_text(
        "id,mention,shown\n1,Arden,http://127.0.0.1/a.png\n2,,b.png\n"
    )
    seen = ("--map", "image=shown", "--out", tmp_path / "shown.jsonl", "--json")
    capsys.readouterr()
    assert umbra("link", "run", tmp_path / "shown.csv", *seen, *chosen) == 0
    said = json.loads(capsys.readouterr().out)
    assert "no picture was looked at" in said["note"]
    assert said["nil"] >= 1  # the row without words
    assert "earlier row" not in said["note"]
    for name, rows, note in (
        ("twice", "1,Arden\n2,Arden\n1,Corvo\n", "earlier row: 1;"),
        ("none", "", "no row"),
    ):
        (tmp_path / f"{name}.csv").write_text(f"id,mention\n{rows}")
        more = ("--out", tmp_path / f"{name}.jsonl", "--shard-rows", 1, "--json")
        assert umbra("link", "run", tmp_path / f"{name}.csv", *more, *chosen) == 0
        assert note in json.loads(capsys.readouterr().out)["note"]
    assert umbra("link", "run", known, *MAP, "--linker", tmp_path / "linker", "--write-graph",
                 "--head", "x", "--relation", "r", "--entities", base) != 0  # fmt: skip
    assert "entities of the graph" in capsys.readouterr().err


def test_a_linker_of_the_graph_serves_jobs_and_texts(tmp_path: Path) -> None:
    store = MemoryStore()
    store.upsert_entities(
        Entity(key=EntityKey(row["entity_id"]), label="Thing", name=row["name"])
        for row in entities()
    )
    workspace, settings = Workspace(tmp_path / "graph"), load_settings()
    known = table(tmp_path / "known.csv")
    task = LinkerTraining(mentions=known, columns=COLUMNS, gold="key", trees=20)
    with Engine(workspace, settings=settings, store=store) as engine:
        told = train_linker(engine, task)
        assert Path(told["linker"]).is_relative_to(workspace.folder)
        job = LinkJob(mentions=known, columns=COLUMNS, out=tmp_path / "links.jsonl")
        done = link_file(engine, job)
        assert (done["state"], done["failed"]) == ("done", 0)
        assert done["linked"] > 120
        chosen = ChosenLinker(engine, LinkerChoice())
        assert chosen.fingerprint == chosen.open().fingerprint
        with pytest.raises(InputError, match="nobody has decided any"):
            train_linker(engine, LinkerTraining(mentions=None))
        assert ChosenLinker(engine, LinkerChoice()).fingerprint == chosen.fingerprint  # it stays
        found = link_held(HeldLinker(engine), "The road to Arden was closed.", name="note")
        assert [(one.surface, one.candidates[0].name) for one in found.mentions] == [
            ("Arden", "Arden")
        ]


def test_decisions_are_learnt_and_named_beside_the_linker(tmp_path: Path) -> None:
    """What people decided outweighs the table, is added to it, and is not remembered twice."""
    store = MemoryStore()
    store.upsert_entities(
        Entity(key=EntityKey(row["entity_id"]), label="Thing", name=row["name"])
        for row in entities()
    )
    workspace, settings = Workspace(tmp_path / "graph"), load_settings()
    known = table(tmp_path / "known.csv")
    rows = list(csv.DictReader(known.read_text(encoding="utf-8").splitlines()))
    first = next(row for row in rows if row["split"] == "train" and row["key"] != "Q100")
    told = Mention(id=first["row"], surface=first["words"], context=first["text"])
    new = [Mention(id=f"n{n}", surface="Zorro", context=f"Zorro came {n} times.") for n in (1, 2)]
    task = LinkerTraining(mentions=known, columns=COLUMNS, gold="key", trees=20)
    with Engine(workspace, settings=settings, store=store) as engine:
        before = train_linker(engine, task)
        assert before["decided_by_people"] == 0
        without = open_linker(engine).undecided.fingerprint
        review = Review(store, workspace.review)
        review.add([Case(id=mention_hash(m), mention=m) for m in (told, *new)])
        for mention, key in ((told, "Q100"), (new[0], "Q101"), (new[1], "Q101")):
            request = Request(kind="other", case=mention_hash(mention), entity=EntityKey(key),
                              who="ada", id=mention.id)  # fmt: skip
            review.decide(request)
        after = train_linker(engine, task)
        assert (after["mentions"], after["decided_by_people"]) == (before["mentions"] + 2, 3)
        linker = open_linker(engine)
        assert linker.undecided.fingerprint != without
        memory = linker.undecided.memory
        assert memory.meant(new[0], apart=False) == {linker.base.ids["Q101"]: 2}
        gold = {row["row"]: row["key"] for row in rows if row["split"] == "train"}
        gold |= {told.id: "Q100", "n1": "Q101", "n2": "Q101"}
        counts = Counter(linker.base.keys[e] for e in memory.gold if e >= 0)
        assert counts == Counter(gold.values())
        kept = json.loads((Path(after["linker"]) / "decisions.json").read_text())["decisions"]
        assert [(row["entity"], row["who"], row["decision"]) for row in kept] == [
            ("Q100", "ada", 1), ("Q101", "ada", 2), ("Q101", "ada", 3)
        ]  # fmt: skip
        # a decision after the training still counts, once
        later = Mention(id="n3", surface="Zorro", context="Zorro left.")
        review.add([Case(id=mention_hash(later), mention=later)])
        review.decide(Request(kind="other", case=mention_hash(later), entity=EntityKey("Q101"),
                              who="ada", id="n3"))  # fmt: skip
        memory = open_linker(engine).undecided.memory
        assert memory.meant(new[0], apart=False) == {linker.base.ids["Q101"]: 3}
        # from the exported pairs alone it is the same as from the decisions alone
        pairs = tmp_path / "pairs.jsonl"
        assert export_review(review, pairs, "pairs", names=lambda _: None)["rows"] == 4
        with pytest.raises(InputError, match="4 decisions alone are too few"):
            train_linker(engine, LinkerTraining(mentions=None, trees=20))
        links = []
        for given in (
            LinkerTraining(mentions=None, trees=20, save=tmp_path / "a"),
            LinkerTraining(mentions=pairs, trees=20, save=tmp_path / "b", decisions=False),
        ):
            trained = train_linker(engine, given)
            assert trained["mentions"] == 4
            written = json.loads((Path(trained["linker"]) / "boosted.json").read_text())
            links.append(written["links"])
        assert links[0] == links[1]


def test_a_key_may_be_a_template_of_columns(tmp_path: Path) -> None:
    path = tmp_path / "known.csv"
    path.write_text("id,mention,code\n1,Peru,PE\n2,Atlantis,\n")
    read = read_labelled(path, MentionColumns(), gold="country:{code}")
    assert read.mentions.gold == ("country:PE", None)
    table = tmp_path / "known.jsonl"
    table.write_text('{"id": 1, "mention": "Peru", "code": 7.0}\n')  # as pandas writes gaps
    assert read_labelled(table, MentionColumns(), gold="code").mentions.gold == ("7",)
    with pytest.raises(MappingError, match="no column 'iso'"):
        read_labelled(path, MentionColumns(), gold="country:{iso}")


def test_a_linker_that_no_run_would_find_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="no linker of the graph"):
        LinkerTraining(mentions=tmp_path, entities=tmp_path)
    with pytest.raises(SettingError, match="nothing to learn"):
        LinkerTraining(mentions=None, decisions=False)
