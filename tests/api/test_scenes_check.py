"""`umbra scenes check`: what boxes rule out is shown with both sides, and nothing is changed."""

from __future__ import annotations

import json
from pathlib import Path

from api.engine import Engine
from api.steps.check_scenes import check_scenes
from api.steps.import_annotations import AnnotationImport, import_annotations
from api.workspace import Workspace
from kg.backends.memory import MemoryStore


def test_a_relation_that_boxes_rule_out_is_flagged_with_who_says_it(tmp_path: Path) -> None:
    names = {"objects": ["sky", "sea"], "predicates": ["above", "next to"]}
    (tmp_path / "vocabulary.json").write_text(json.dumps(names))
    row = {
        "image": "a.jpg",
        "boxes_xyxy": [[0, 0, 90, 30], [0, 40, 90, 80]],
        "labels": [0, 1],
        "triplets": [[0, 0, 1], [1, 0, 0], [0, 1, 1]],
    }
    (tmp_path / "said.jsonl").write_text(json.dumps(row))
    engine = Engine(Workspace(tmp_path / "graph"), store=MemoryStore())
    import_annotations(
        engine,
        AnnotationImport(
            annotations=tmp_path / "said.jsonl", vocabulary=tmp_path / "vocabulary.json"
        ),
    )
    version = engine.store.version
    (flag,) = check_scenes(engine, out=tmp_path / "out.jsonl")
    assert flag["predicate"] == "above"
    assert flag["geometry"] == "the subject lies lower: rows 40 to 80, the object 0 to 30"
    assert [(one["kind"], one["source"]) for one in flag["said"]] == [("asserted", "said.jsonl")]
    assert json.loads((tmp_path / "out.jsonl").read_text()) == flag
    assert engine.store.version == version
