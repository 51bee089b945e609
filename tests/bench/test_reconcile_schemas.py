"""The bench of the protocol's schemas, over schemas of our own making."""

from __future__ import annotations

import json
from pathlib import Path

from bench.reconcile_schemas import checked

ANY = {"type": "object"}
NAMES = (
    "data-extension-property-proposal", "data-extension-response", "reconciliation-result-batch",
    "suggest-entities-response", "suggest-properties-response", "suggest-types-response",
)  # fmt: skip


def test_what_does_not_fit_and_what_is_taken_wrongly_is_found(tmp_path: Path) -> None:
    (tmp_path / "schemas").mkdir()
    manifest = {
        "$id": "https://example.org/manifest.json",
        "required": ["versions", "colour"],
        "properties": {"name": {"type": "string"}, "logo": {"type": "string"}},
    }
    for name, schema in {"manifest": manifest, **dict.fromkeys(NAMES, ANY)}.items():
        (tmp_path / "schemas" / f"{name}.json").write_text(json.dumps(schema))
    for kind, text in (("valid", '{"q": {"query": "x"}}'), ("invalid", '{"q": {"query": "y"}}')):
        place = tmp_path / "examples" / "reconciliation-query-batch" / kind
        place.mkdir(parents=True)
        (place / "one.json").write_text(text)
    found = checked(tmp_path)
    wrong = [row["request"] for row in found["answers"] if row["errors"]]
    assert wrong == ["manifest"]
    assert found["not_offered"]["manifest"] == ["/logo"]
    assert [(row["kind"], row["right"]) for row in found["examples"]] == [
        ("valid", True), ("invalid", False),
    ]  # fmt: skip
