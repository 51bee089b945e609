"""Proof trees, what if and why not, through every door."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from starlette.testclient import TestClient

from api.cli import main as command_line
from api.edge_texts import NamedEntities, edge_parts
from api.engine import Engine
from api.schemas import AnswersOut, ProofNodeOut
from kg.errors import InputError, UnknownEntityError, UnknownRelationError
from kg.model import Entity, EntityKey
from kg.snapshot import build_snapshot
from tests.api.command_line import Shown, umbra
from tests.api.world import WorldEngine

ARABIC = "MATCH (c:Country)-[:speaks]->(:Language {key: 'language:ara'}) RETURN c"
BORDERS_ARABIC = (
    "MATCH (c:Country)-[:borders]->(:Country)-[:speaks]->(:Language {key: 'language:ara'}) RETURN c"
)


def nodes(node: ProofNodeOut) -> list[ProofNodeOut]:
    return [node, *(below for branch in node.branches for below in nodes(branch))]


def truth(node: ProofNodeOut) -> float:
    """The truth of a tree as a client computes it from what REST returns."""
    below = [truth(branch) for branch in node.branches]
    if node.kind == "projection":
        assert node.edge is not None
        return below[0] * (1.0 if node.edge.status == "known" else node.edge.probability)
    if node.kind == "negation":
        return 1 - below[0]
    if node.kind not in ("intersection", "union"):
        return node.truth
    product = 1.0
    for value in below:
        product *= value if node.kind == "intersection" else 1 - value
    return product if node.kind == "intersection" else 1 - product


@pytest.mark.parametrize("question", [ARABIC, BORDERS_ARABIC])
def test_a_client_can_compute_each_score_from_the_tree(world: WorldEngine, question: str) -> None:
    answers = world.ask(question).answers
    assert answers
    for answer in answers:
        assert answer.proof is not None
        assert truth(answer.proof.tree) == pytest.approx(answer.score, abs=1e-5)
        in_tree = [node.edge for node in nodes(answer.proof.tree) if node.edge is not None]
        assert set(answer.proof.edges) <= set(in_tree)
        assert all(edge.records for edge in in_tree if edge.status == "known")


def test_what_if_over_rest_says_what_changed(client: TestClient, world: WorldEngine) -> None:
    sent: dict[str, Any] = {
        "query": ARABIC,
        "assume": [["Greece", "speaks", "language:ara"]],
        "without": [["country:SY", "speaks", "language:ara"]],
    }
    response = client.post("/v1/query", json=sent)
    assert response.status_code == 200, response.text
    found = AnswersOut.model_validate(response.json())
    assert found.changes is not None
    assert [change.name for change in found.changes.new] == ["Greece"]
    assert [change.name for change in found.changes.gone] == ["Syria"]
    assert found.changes.assumed == (("country:GR", "speaks", "language:ara"),)
    assert world.ask(ARABIC).changes is None


@pytest.mark.parametrize(
    ("edge", "slug"),
    [
        (["Atlantis", "speaks", "language:ara"], "unknown-entity"),
        (["Greece", "hums", "language:ara"], "unknown-relation"),
    ],
)
def test_wrong_edits_are_refused_by_name(client: TestClient, edge: list[str], slug: str) -> None:
    response = client.post("/v1/query", json={"query": ARABIC, "assume": [edge]})
    assert response.json()["type"].endswith(slug)


def test_too_many_edits_are_refused(client: TestClient) -> None:
    edges = [["Greece", "speaks", f"language:{n}"] for n in range(1_001)]
    assert client.post("/v1/query", json={"query": ARABIC, "assume": edges}).status_code == 422


def test_why_not_names_what_is_missing(world: WorldEngine) -> None:
    found = world.why_not(ARABIC, "Greece")
    assert found.truth == 0.0
    assert found.weakest is not None
    assert found.weakest.text == "Greece -[speaks]-> Arabic"
    [edge] = [node.edge for node in nodes(found.proof.tree) if node.edge is not None]
    assert edge.status == "absent"
    after = world.why_not(ARABIC, "Greece", assume=["Greece speaks language:ara"])
    assert after.truth == 1.0
    assert after.needed == ()


def test_names_and_edges_are_read(world: WorldEngine) -> None:
    named = NamedEntities(world.snapshot)
    assert edge_parts('"South Sudan" borders country:TD') == (
        "South Sudan",
        "borders",
        "country:TD",
    )
    assert named.key("country:TR") == named.key("Turkey")
    assert named.edge(("Turkey", "borders", "Greece"))[2] == "country:GR"
    with pytest.raises(UnknownEntityError, match="did you mean 'Greece'"):
        named.key("Greeece")
    with pytest.raises(UnknownEntityError, match=r"did you mean .*'country:GR'"):
        named.key("country:GRR")
    with pytest.raises(UnknownRelationError):
        named.edge(("Turkey", "likes", "Greece"))


def test_a_name_that_several_have_is_refused_with_their_keys() -> None:
    twins = [Entity(key=EntityKey(key), label="City", name="Paris") for key in ("a", "b")]
    named = NamedEntities(build_snapshot(twins, []))
    with pytest.raises(InputError, match="2 entities have the name 'Paris'") as caught:
        named.key("Paris")
    assert caught.value.hint == "give a key, such as a, b"


@pytest.mark.parametrize("text", ["", "a b", "a b c d", "a 'b c"])
def test_what_is_no_edge_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="is no edge"):
        edge_parts(text)


@pytest.fixture
def opened(world: WorldEngine, monkeypatch: pytest.MonkeyPatch) -> WorldEngine:
    """`Engine.open` of a command finds the world, and leaves it open."""
    monkeypatch.setattr(Engine, "open", classmethod(lambda *_, **__: world))
    return world


@pytest.mark.usefixtures("opened")
def test_the_command_explains_in_three_forms(
    capfdbinary: pytest.CaptureFixture[bytes], tmp_path: Path
) -> None:
    for form in ("text", "json", "svg"):
        out = tmp_path / form
        arguments = ["ask", BORDERS_ARABIC, "--explain", form, "--out", str(out), "--why", "1"]
        assert command_line.main(arguments) == 0
        assert capfdbinary.readouterr().out == b""
        assert command_line.main([*arguments[:4], "--why", "1"]) == 0
        assert capfdbinary.readouterr().out == out.read_bytes()
    assert "= " in (tmp_path / "text").read_text()
    written = json.loads((tmp_path / "json").read_text())
    assert (written["kind"], written["format"]) == ("proofs", 1)
    first, *_ = written["answers"]
    assert ProofNodeOut.model_validate(first["proof"]["tree"]).variable == 0
    assert ET.parse(tmp_path / "svg").getroot().tag.endswith("svg")  # noqa: S314


@pytest.mark.usefixtures("opened")
def test_the_command_says_why_not_and_what_if(capsys: Shown) -> None:
    code, out, _ = umbra(capsys, "ask", ARABIC, "--why-not", "Greece")
    assert code == 0
    assert "weakest link: Greece -[speaks]-> Arabic  0.000" in out
    code, out, _ = umbra(capsys, "ask", ARABIC, "--why-not", "Syria")
    assert code == 0
    assert out.startswith("Syria [country:SY] is an answer and lacks nothing; its proof:\n")
    assert "= Syria -[speaks]-> Arabic  1.000" in out
    code, out, _ = umbra(capsys, "ask", ARABIC, "--assume", "Greece speaks language:ara")
    assert code == 0
    assert "New (1)" in out
    assert "1.000  Greece  [country:GR]" in out
    edit = ("--assume", "Greece speaks language:ara", "--explain", "text", "--why", "0")
    assert umbra(capsys, "ask", ARABIC, *edit)[1].startswith("no answer has a proof\nNew (1)")


@pytest.mark.usefixtures("opened")
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--assume", "Greece speaks"), "is no edge"),
        (("--without", "Atlantis speaks language:ara"), "Atlantis"),
        (("--why-not", "Atlantis"), "Atlantis"),
        (("--out", "x.svg"), "--out needs --explain"),
    ],
)
def test_the_command_refuses_in_one_line(
    capsys: Shown, arguments: tuple[str, ...], words: str
) -> None:
    code, out, line = umbra(capsys, "ask", ARABIC, *arguments)
    assert (code, out) == (2, "")
    assert words in line
    assert line.count("\n") == 1
