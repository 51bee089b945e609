"""Is the reconciliation service valid by the JSON schemas of its protocol?

Question: over the requests of a session of OpenRefine (manifest, rows by name and by values,
suggestions of every kind, proposed properties, data extension), does each answer fit the schema
that the protocol's authors publish; are their valid examples of requests taken and their invalid
ones refused; and which optional fields does the service not offer?

Command: ``python -m bench.reconcile_schemas FOLDER --out docs/benchmarks`` where FOLDER is the
reader's own checkout of https://github.com/reconciliation-api/specs (seconds). The service runs in
this process over the small world of the tests.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jsonschema import Draft7Validator
from referencing import Registry
from referencing.jsonschema import DRAFT7
from starlette.testclient import TestClient

from api.app import create_app
from api.settings import Settings
from bench.run_record import keep, run_record
from tests.api.world import open_world

__all__ = ["Asked", "checked", "main", "session"]

VERSION = "0.2"


@dataclass(frozen=True)
class Asked:
    """An answer of the service and the schema that it has to fit."""

    request: str
    schema: str
    answer: Any


def session(service: TestClient) -> Iterator[Asked]:
    """Yield the answers to what a client sends, each with its schema's name."""
    place = "/v1/reconcile"
    yield Asked("manifest", "manifest", service.get(place).json())
    for name, batch in _batches():
        answer = service.post(place, data={"queries": json.dumps(batch)}).json()
        yield Asked(name, "reconciliation-result-batch", answer)
    for kind, plural in (("entity", "entities"), ("property", "properties"), ("type", "types")):
        for prefix in ("", "a", "tur", "nothing begins so"):
            answer = service.get(f"{place}/suggest/{kind}", params={"prefix": prefix}).json()
            yield Asked(f"suggest {kind} {prefix!r}", f"suggest-{plural}-response", answer)
    for sent in ({}, {"type": "Country", "limit": 2}):
        answer = service.get(f"{place}/properties", params=sent).json()
        yield Asked(f"properties {sent}", "data-extension-property-proposal", answer)
    properties = [{"id": one["id"]} for one in answer["properties"]]
    wanted = {"ids": ["country:TR", "country:AZ", "nobody"], "properties": properties}
    answer = service.post(place, data={"extend": json.dumps(wanted)}).json()
    yield Asked("extend", "data-extension-response", answer)


def _batches() -> Iterator[tuple[str, dict[str, Any]]]:
    yield "a name", {"q0": {"query": "Turkey"}}
    yield "two rows", {"a": {"query": "Turkei"}, "b": {"query": "no such thing at all"}}
    told = [{"pid": "attribute/population", "v": [1_000_000, {"id": "country:TR"}]}]
    yield "properties", {"q": {"query": "Turkey", "properties": told, "limit": 3}}
    yield "no name", {"q": {"properties": told}}
    for strict in ("any", "should", "all"):
        typed = {"query": "Arabic", "type": ["Country", "Language"], "type_strict": strict}
        yield f"types {strict}", {"q": typed}


def checked(folder: Path) -> dict[str, Any]:
    """Hold the service against the schemas and examples of a folder.

    Args:
        folder: The folder of one version: ``schemas`` and ``examples``.
    """
    schemas = {path.stem: json.loads(path.read_text("utf-8")) for path in _files(folder, "schemas")}
    registry: Any = Registry().with_resources(
        (schema["$id"], DRAFT7.create_resource(schema))
        for schema in schemas.values()
        if "$id" in schema
    )
    rows, offered = [], dict[str, set[str]]()
    settings = Settings(text_encoder="tiny")
    with (
        tempfile.TemporaryDirectory() as place,
        open_world(Path(place) / ".umbra", settings=settings) as engine,
        TestClient(create_app(engine), base_url="http://127.0.0.1") as service,
    ):
        for one in session(service):
            validator = Draft7Validator(schemas[one.schema], registry=registry)
            wrong = [error.message[:200] for error in validator.iter_errors(one.answer)]
            rows.append({"request": one.request, "schema": one.schema, "errors": wrong})
            offered.setdefault(one.schema, set()).update(_paths(one.answer))
        examples = [*_examples(folder, service)]
    return {
        "answers": rows,
        "examples": examples,
        "not_offered": {
            name: sorted(set(_declared(schemas[name], schemas)) - offered[name])
            for name in sorted(offered)
        },
    }


def _files(folder: Path, kind: str) -> list[Path]:
    return [path for path in sorted((folder / kind).glob("*.json")) if path.stem != "openapi"]


def _examples(folder: Path, service: TestClient) -> Iterator[dict[str, Any]]:
    """Send the authors' examples of requests, and tell which were taken."""
    for kind in ("valid", "invalid"):
        place = folder / "examples" / "reconciliation-query-batch" / kind
        for path in sorted(place.glob("*.json")):
            sent = {"queries": path.read_text("utf-8")}
            status = service.post("/v1/reconcile", data=sent).status_code
            right = (status == 200) is (kind == "valid")
            yield {"example": path.stem, "kind": kind, "status": status, "right": right}


def _paths(value: Any, at: str = "") -> Iterator[str]:
    """Iterate the paths of an answer's fields; items of a list and free keys are ``*``."""
    if isinstance(value, Mapping):
        for name, inner in value.items():
            path = f"{at}/{name}"
            yield from (path, *_paths(inner, path), *_paths(inner, f"{at}/*"))
    elif isinstance(value, list):
        for inner in value:
            yield from _paths(inner, f"{at}/*")


def _declared(schema: Mapping[str, Any], schemas: Mapping[str, Any], at: str = "") -> Iterator[str]:
    """Iterate the paths of the fields that a schema names, two references deep at most."""
    if schema.get("$ref") == "type.json" and at.count("/") < 4:
        yield from _declared(schemas["type"], schemas, at)
    for name, inner in schema.get("properties", {}).items():
        yield f"{at}/{name}"
        yield from _declared(inner, schemas, f"{at}/{name}")
    for inner in schema.get("patternProperties", {}).values():
        yield from _declared(inner, schemas, f"{at}/*")
    if isinstance(schema.get("items"), Mapping):
        yield from _declared(schema["items"], schemas, f"{at}/*")
    for inner in schema.get("oneOf", ()):
        yield from _declared(inner, schemas, at)


def _page(result: dict[str, Any]) -> str:
    answers, examples = result["answers"], result["examples"]
    bad = [row for row in answers if row["errors"]]
    wrong = [row for row in examples if not row["right"]]
    lines = ["<!-- Written by `python -m bench.reconcile_schemas`. -->", ""]
    lines += ["# The reconciliation service by its protocol's own schemas", ""]
    told = (
        f"The schemas of version {VERSION} in https://github.com/reconciliation-api/specs at commit"
        f" `{result['specs']}`, checked with jsonschema: {len(answers)} answers,"
        f" {len(bad)} that do not fit; {len(examples)} of the authors' examples of query batches,"
        f" {len(wrong)} taken or refused wrongly. Run on commit `{result['commit']}`,"
        f" {result['date']}: `{result['command']}`. No seed: nothing is drawn. Paths name fields;"
        " `*` is any item or key."
    )
    lines += [told, ""]
    lines += ["| schema | answers | not valid | optional fields that are not offered |"]
    lines += ["|---|---:|---:|---|"]
    for name, missing in result["not_offered"].items():
        of_one = [row for row in answers if row["schema"] == name]
        told = ", ".join(f"`{path}`" for path in missing) or "none"
        count = sum(bool(row["errors"]) for row in of_one)
        lines.append(f"| {name} | {len(of_one)} | {count} | {told} |")
    lines += ["", "| example of the authors | it is | status here |", "|---|---|---:|"]
    lines += [f"| {row['example']} | {row['kind']} | {row['status']} |" for row in examples]
    for row in bad:
        lines += ["", f"- {row['request']}: {'; '.join(row['errors'])}"]
    return "\n".join([*lines, ""])


def main(arguments: Sequence[str] | None = None) -> None:
    """Check, and write the page; a failure is exit code 1."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="checkout of reconciliation-api/specs")
    parser.add_argument("--out", type=Path, help="folder of the JSON and the page")
    given = parser.parse_args(arguments)
    read = ["git", "-C", str(given.folder), "rev-parse", "HEAD"]
    commit = subprocess.run(read, capture_output=True, text=True, check=False).stdout.strip()  # noqa: S603
    shown = ["FOLDER", *(() if given.out is None else ("--out", str(given.out)))]
    result = {
        **run_record("bench.reconcile_schemas", shown),
        "specs": commit or "unknown",
        **checked(given.folder / VERSION),
    }
    keep(result, _page, folder=given.out, name="reconcile-schemas")
    failed = any(row["errors"] for row in result["answers"])
    sys.exit(failed or not all(row["right"] for row in result["examples"]))


if __name__ == "__main__":
    main()
