"""Search: every door finds the same, and says why."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from starlette.testclient import TestClient

from api.app import create_app
from api.cli.main import main
from api.engine import Engine
from api.routes.examples import SEARCHES
from api.search.blending import LISTS
from api.search.hybrid import Found
from api.search.meaning import MeaningIndex, versions_on_disk
from api.search.neighbourhood import Neighbourhood
from api.search.schemas import SearchOut
from api.settings import Settings
from api.workspace import Workspace
from encoders import TinyTextEncoder
from kg.backends.memory import MemoryStore
from kg.errors import InputError
from kg.model import Edge, Entity, EntityKey
from kg.provenance import Provenance
from tests.api.conftest import ADDRESS
from tests.api.test_guard import problem
from tests.api.test_runner import until
from tests.api.world import WorldEngine, open_world


@pytest.fixture(scope="module")
def searched(tmp_path_factory: pytest.TempPathFactory) -> WorldEngine:
    settings = Settings(text_encoder="tiny")
    return open_world(tmp_path_factory.mktemp("searched") / ".umbra", settings=settings)


def test_a_hit_says_where_its_words_stand(searched: WorldEngine) -> None:
    found = searched.search("turkei crescent", k=5)
    turkey = next(hit for hit in found.hits if hit.key == "country:TR")
    marked = {(h.field, h.text[start:end]) for h in turkey.highlights for start, end in h.spans}
    assert ("names", "Turkey") in marked
    assert ("picture", "crescent") in marked or ("facts", "crescent") in marked
    assert turkey.ranks["words"] >= 1
    assert set(found.lists) == set(found.weights) == set(LISTS)
    assert max(found.weights.values()) == found.weights["meaning"] == 1
    assert turkey.image is not None


def test_labels_hold_for_both_lists(searched: WorldEngine) -> None:
    found = searched.search("arabic crescent", labels=["Language", "Shape"])
    assert {hit.label for hit in found.hits} == {"Language", "Shape"}
    assert searched.search("arabic", labels=["Language", "Shape"]).hits[0].key == "language:ara"


def test_a_search_is_the_same_twice_and_k_cuts_it(searched: WorldEngine) -> None:
    whole = searched.search("republic", k=12)
    assert searched.search("republic", k=12) == whole
    assert searched.search("republic", k=3).hits == whole.hits[:3]
    scores = [hit.score for hit in whole.hits]
    assert scores == sorted(scores, reverse=True)


def test_a_cursor_leads_through_all_that_was_found(searched: WorldEngine) -> None:
    whole = searched.search("republic", k=100)
    assert whole.next is None
    with TestClient(create_app(searched), base_url=ADDRESS) as client:
        address, keys = "/v1/search?q=republic&k=2&label=Country&label=Shape", list[str]()
        while address:
            response = client.get(address)
            page = SearchOut.model_validate(response.json())
            keys += [hit.key for hit in page.hits]
            address = response.links["next"]["url"] if "next" in response.links else ""
        labelled = searched.search("republic", k=100, labels=["Country", "Shape"])
        assert keys == [hit.key for hit in labelled.hits]
        assert len(keys) > 4
        for wrong in ("x", "WyIteCIsImEiXQ", "WyIxIl0"):
            found = client.get(f"/v1/search?q=x&after={wrong}")
            problem(found, "input-error", 400)
        for blank in (" ", "\u0085", "\ufeff", "\u3000"):
            problem(client.get("/v1/search", params={"q": blank}), "invalid-request", 422)


def test_a_page_goes_on_behind_an_entity_that_is_gone() -> None:
    found = Found([(EntityKey(k), 1.0) for k in "abcd"], {}, {}, ())
    assert [found.behind(2, "b"), found.behind(1, "c"), found.behind(3, "x")] == [2, 3, 3]


@pytest.mark.parametrize(
    ("text", "k"), [("", 1), (" \n", 1), ("x" * 1001, 1), ("x", 0), ("x", 101)]
)
def test_what_is_out_of_range_is_refused(searched: WorldEngine, text: str, k: int) -> None:
    with pytest.raises(InputError):
        searched.search(text, k=k)


def test_before_there_are_vectors_a_name_comes_before_its_neighbours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(MeaningIndex, "ready", lambda _self: False)
    with open_world(tmp_path / ".umbra", settings=Settings(text_encoder="tiny")) as engine:
        narnia, other = (
            Entity(key=EntityKey(f"x:{name}"), label="Country", name=name)
            for name in ("Narnia", "Archenland")
        )
        engine.store.upsert_entities([narnia, other])
        said = (Provenance(kind="asserted", source="a map"),)
        touches = Edge(head=narnia.key, relation="touches", tail=other.key, provenance=said)
        engine.store.upsert_edges([touches])
        found = engine.search("Narnia", k=3, patient=False)
        assert found.warnings
        assert [hit.name for hit in found.hits] == ["Narnia", "Archenland"]
        assert found.weights["neighbours"] == 0


def test_neighbours_of_two_names_come_before_those_of_one(tmp_path: Path) -> None:
    with open_world(tmp_path / ".umbra", settings=Settings(text_encoder="tiny")) as engine:
        store = engine.store
        near = Neighbourhood(store)
        found = near.search("between Greece and Turkey", k=3)
        assert found[0][0] == "country:BG"
        assert [key for key, _ in near.search("between Greece and Turkey", labels=["Part"])] == [
            "part:country:TR/0"
        ]
        assert near.search("greece, turkey") == []
        store.upsert_entities([Entity(key=EntityKey("x"), label="X", name="Greece")])
        assert near.search("Greece")[0][1] < found[0][1]


def test_the_server_answers_by_words_until_the_vectors_are_there(tmp_path: Path) -> None:
    settings = Settings(text_encoder="tiny")
    with (
        open_world(tmp_path / ".umbra", settings=settings) as engine,
        TestClient(create_app(engine), base_url=ADDRESS) as client,
    ):
        first = SearchOut.model_validate(client.get("/v1/search", params={"q": "turkey"}).json())
        assert first.hits[0].key == "country:TR"
        assert ("meaning" not in first.lists) is bool(first.warnings)

        def both() -> bool:
            return "meaning" in client.get("/v1/search?q=turkey").json()["lists"]

        until(both)
        for example in SEARCHES.values():
            sent = {"q": example["value"], "label": ["Country", "Part"]}
            found = SearchOut.model_validate(client.get("/v1/search", params=sent).json())
            assert found.hits
            assert found == engine.search(example["value"], labels=["Country", "Part"])
        for wrong in ("/v1/search", "/v1/search?q=", "/v1/search?q=%20", "/v1/search?q=x&k=0"):
            problem(client.get(wrong), "invalid-request", 422)


def test_the_command_prints_the_same(stored: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    place = ["--folder", str(stored.folder)]
    assert main(["search", "turkey", "-k", "3", "--json", *place]) == 0
    printed = SearchOut.model_validate(json.loads(capsys.readouterr().out))
    with Engine(stored) as engine:
        assert engine.search("turkey", k=3) == printed
    assert printed.hits[0].key == "country:TR"
    assert (stored.indexes / "full-text" / "current.json").exists()
    assert main(["info", "--json", *place]) == 0
    info = json.loads(capsys.readouterr().out)
    reached = {"store_version": info["store"]["version"], "behind": 0}
    assert info["indexes"]["words"] == reached
    assert main(["search", "turkey", *place]) == 0
    assert "names: *Turkey*" in capsys.readouterr().out
    assert main(["search", " ", *place]) == 2
    assert "1 to 1000 characters" in capsys.readouterr().err
    assert main(["search", "x", "--folder", str(stored.folder / "nowhere")]) == 3


def test_reindex_makes_the_indexes_anew(
    stored: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    place = ["--folder", str(stored.folder)]
    assert main(["search", "turkey", "--json", *place]) == 0
    before = json.loads(capsys.readouterr().out)
    [vectors] = stored.indexes.glob("meaning-*.npz")
    kept = {path: path.stat().st_ino for path in stored.indexes.glob("*.sqlite")}
    vectors.write_bytes(b"damaged")
    planted = stored.indexes / "full-text" / "planted"
    planted.write_text("x")
    assert main(["graph", "reindex", "--json", *place]) == 0
    reached = json.loads(capsys.readouterr().out)
    assert set(reached) == {"words", "meaning"}
    assert {of["behind"] for of in reached.values()} == {0}
    assert not planted.exists()
    assert vectors.read_bytes() != b"damaged"
    assert {path: path.stat().st_ino for path in stored.indexes.glob("*.sqlite")} == kept
    assert main(["search", "turkey", "--json", *place]) == 0
    assert json.loads(capsys.readouterr().out) == before
    assert main(["graph", "reindex", *place]) == 0
    assert "meaning" in capsys.readouterr().out
    assert main(["graph", "reindex", "--folder", str(stored.folder / "nowhere")]) == 3


class CountingEncoder(TinyTextEncoder):
    """Counts what it encodes."""

    seen = 0

    def encode(self, texts: list[str]) -> object:  # type: ignore[override]
        self.seen += len(texts)
        return super().encode(texts)


def test_only_new_texts_are_encoded_and_a_damaged_file_is_made_anew(tmp_path: Path) -> None:
    store, encoder = MemoryStore(), CountingEncoder()
    names = ("Peru", "Chile", "Peru")
    store.upsert_entities(
        [Entity(key=EntityKey(f"c{n}"), label="X", name=name) for n, name in enumerate(names)]
    )
    index = MeaningIndex(store, encoder, tmp_path)
    assert [key for key, _ in index.search("Peru", k=2)] == ["c0", "c2"]
    assert encoder.seen == 3  # two texts and the query
    store.upsert_entities([Entity(key=EntityKey("c9"), label="Y", name="Bolivia")])
    assert versions_on_disk(tmp_path) == [store.version - 1]
    assert index.search("Bolivia", k=1, labels=["Y"])[0][0] == "c9"
    assert versions_on_disk(tmp_path) == [store.version]
    assert encoder.seen == 5
    again = MeaningIndex(store, encoder, tmp_path)
    again.search("Peru")
    assert encoder.seen == 6
    (file,) = tmp_path.glob("meaning-*.npz")
    for damage in (b"", b"damaged"):
        file.write_bytes(damage)
        found = MeaningIndex(store, encoder, tmp_path).search("Peru", k=1)
        assert found[0][1] == pytest.approx(1.0, abs=1e-3)
    np.savez(file, digests=np.zeros((1, 16), np.uint8), vectors=np.zeros((1, 3), np.float32))
    assert MeaningIndex(store, encoder, tmp_path).search("Peru", k=1)[0][0] == "c0"
