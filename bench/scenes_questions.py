"""Questions that need parts, over VRD's images as a graph: by Cypher, and by likely answering.

Question: of images whose annotation is half hidden, how often does a likely answer hold by the
hidden half, and is it as likely as it says? Command: ``python -m bench.scenes_questions FOLDER
--work WORK --out docs/benchmarks`` (ten minutes on two cores). A model of relations is trained on
the first nine tenths of VRD's train images and calibrated on the rest; of the test images half of
the triplets (by hash) are written into a graph, with what the model finds likely; the answerer is
trained as by `umbra train`; each question is asked of that graph. Rival: images that hold all the
classes of the question, in random order. Writes ``scenes-questions.md``, ``.json`` and pictures.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from api.engine import Engine
from api.overlay import outlined
from api.schemas import AnswerOut
from api.steps.encoders import text_encoder_named
from api.steps.evaluate_relations import RelationKind, relation_learner
from api.steps.import_annotations import AnnotationImport, import_annotations
from api.steps.snapshot import freeze
from api.steps.train import train_model
from api.workspace import Workspace
from bench.scenes_questions_page import page
from evaluation import Measurement, current_commit, this_machine
from kg.backends.memory import MemoryStore
from kg.files import atomic_write, write_json
from scenes.relations.annotations import AnnotatedImage, read_annotations, read_vocabulary
from scenes.relations.checkpoint import save_relation_model

__all__ = ["QUESTIONS", "main"]

_K = 20
_HIDDEN = 0.5
_HELD_OUT = 0.1


def _part(name: str, kind: str) -> str:
    return f"({name}:Part)-[:has_label]->(:Class {{key: 'class:{kind}'}})"


QUESTIONS = {
    "a person rides a horse and wears no helmet": (
        f"MATCH (i:Image)-[:has_part]->{_part('p', 'person')}\n"
        f"MATCH (p)-[:ride]->{_part('h', 'horse')}\n"
        f"WHERE NOT EXISTS {{ (p)-[:wear]->{_part('w', 'helmet')} }}\n"
        "RETURN i"
    ),
    "a person wears a helmet and is on a motorcycle": (
        f"MATCH (i:Image)-[:has_part]->{_part('p', 'person')}\n"
        f"MATCH (p)-[:wear]->{_part('w', 'helmet')}\n"
        f"MATCH (p)-[:on]->{_part('m', 'motorcycle')}\n"
        "RETURN i"
    ),
    "a person holds a phone and wears glasses": (
        f"MATCH (i:Image)-[:has_part]->{_part('p', 'person')}\n"
        f"MATCH (p)-[:hold]->{_part('t', 'phone')}\n"
        f"MATCH (p)-[:wear]->{_part('g', 'glasses')}\n"
        "RETURN i"
    ),
    "a person on a skateboard wears shoes": (
        f"MATCH (i:Image)-[:has_part]->{_part('p', 'person')}\n"
        f"MATCH (p)-[:on]->{_part('b', 'skateboard')}\n"
        f"MATCH (p)-[:wear]->{_part('s', 'shoes')}\n"
        "RETURN i"
    ),
    "a laptop is on a table": (
        f"MATCH (i:Image)-[:has_part]->{_part('l', 'laptop')}\n"
        f"MATCH (l)-[:on]->{_part('t', 'table')}\n"
        "RETURN i"
    ),
    "a car is behind a bus": (
        f"MATCH (i:Image)-[:has_part]->{_part('c', 'car')}\n"
        f"MATCH (c)-[:behind]->{_part('b', 'bus')}\n"
        "RETURN i"
    ),
}
"""In words and as the fragment of Cypher, which is Cypher too."""


def split_train(folder: Path, work: Path) -> tuple[Path, Path]:
    """Write the images to train on and to calibrate on, as files, and return these."""
    from kg.formats.records import readable

    with readable(folder / "train.jsonl.gz") as file:
        lines = file.read().splitlines(keepends=True)
    cut = round((1 - _HELD_OUT) * len(lines))
    for name, part in (("train", lines[:cut]), ("calibrate", lines[cut:])):
        with atomic_write(work / f"{name}.jsonl") as out:
            out.writelines(part)
    return work / "train.jsonl", work / "calibrate.jsonl"


def half_hidden(images: Sequence[AnnotatedImage]) -> list[AnnotatedImage]:
    """Return the images with only those triplets that the hash does not hide."""

    def is_kept(name: str, triplet: Sequence[int]) -> bool:
        digest = hashlib.sha256(f"{name} {list(triplet)}".encode()).digest()
        return int.from_bytes(digest[:8], "big") / 2**64 >= _HIDDEN

    return [
        image.with_triplets(
            np.array([row for row in image.triplets.tolist() if is_kept(image.name, row)])
        )
        for image in images
    ]


def write_images(path: Path, images: Sequence[AnnotatedImage]) -> None:
    """Write annotated images in the format of VRD."""
    with atomic_write(path) as file:
        for image in images:
            row = {
                "image": image.name,
                "boxes_xyxy": image.boxes.tolist(),
                "labels": image.labels.tolist(),
                "triplets": image.triplets.tolist(),
            }
            file.write(json.dumps(row).encode() + b"\n")


def graph_of(folder: Path, task: AnnotationImport) -> Engine:
    """Return an engine over a graph of annotated images, with a snapshot of it."""
    engine = Engine(Workspace(folder), store=MemoryStore())
    import_annotations(engine, task)
    freeze(engine)
    return engine


def holding(images: Sequence[AnnotatedImage], classes: Sequence[int]) -> set[str]:
    """Return the names of the images that hold every one of some classes."""
    return {image.name for image in images if set(classes) <= set(image.labels.tolist())}


def judged(found: Sequence[AnswerOut], true: set[str], around: set[str]) -> dict[str, Any]:
    """Return what likely answers are worth.

    Args:
        found: Known and likely answers.
        true: Names of the images that hold by the whole annotation.
        around: Names of the images that hold all classes.
    """
    known = {answer.name for answer in found if answer.status == "known"}
    likely = [answer for answer in found if answer.status == "likely"]
    right = [answer.name in true for answer in likely]
    rest = around - known
    return {
        "known": len(known),
        "known_false": len(known - true),
        "hidden": len(true - known),
        "likely": len(likely),
        "likely_right": int(sum(right)),
        "promised": float(sum(answer.probability for answer in likely)),
        "random_share": len(rest & true) / len(rest) if rest else 0.0,
    }


def picture(engine: Engine, answer: AnswerOut, out: Path) -> bool:
    """Draw the first part of an answer's proof over its picture; False if it has none."""
    if answer.proof is None or not answer.proof.parts:
        return False
    part = answer.proof.parts[0]
    with atomic_write(out) as file:
        file.write(outlined(engine.images.path(part.image).read_bytes(), part))
    return True


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the bench; returns an exit status."""
    parser = argparse.ArgumentParser(prog="python -m bench.scenes_questions", description=__doc__)
    add = parser.add_argument
    add("folder", type=Path, help="folder of VRD: train, test, vocabulary")
    add("--work", type=Path, default=Path(".umbra/bench-scenes-questions"), help="keeps the graph")
    add("--out", type=Path, default=Path("docs/benchmarks"), help="where results go")
    add("--kind", default="network", help="which model of relations")
    add("--text-encoder", default="packaged")
    given = parser.parse_args(arguments)
    clock, work = Measurement.start(), given.work
    work.mkdir(parents=True, exist_ok=True)
    vocabulary = read_vocabulary(given.folder / "vocabulary.json")
    train, calibrate = split_train(given.folder, work)
    kind: RelationKind = given.kind
    learner = relation_learner(kind, text_encoder_named(given.text_encoder, work / "vectors"))
    model = learner.fit(read_annotations(train, vocabulary), vocabulary, seed=0)
    save_relation_model(model, work / "model")
    images = read_annotations(given.folder / "test.jsonl.gz", vocabulary)
    for name, some in (("whole", images), ("half", half_hidden(images))):
        write_images(work / f"{name}.jsonl", some)
    words = given.folder / "vocabulary.json"
    whole = graph_of(
        work / "whole", AnnotationImport(annotations=work / "whole.jsonl", vocabulary=words)
    )
    half = graph_of(
        work / "half",
        AnnotationImport(
            annotations=work / "half.jsonl", vocabulary=words, model=work / "model",
            calibrate=calibrate,
        ),
    )  # fmt: skip
    train_model(half, "symbolic", seed=0)
    rows: dict[str, Any] = {}
    for words_, text in QUESTIONS.items():
        truth = whole.ask(text, k=len(images), answerer="exact", proofs=False).answers
        found = half.ask(text, k=_K).answers
        classes = [vocabulary.objects.index(name) for name in re.findall(r"class:([\w ]+)'", text)]
        wanted = [c for c in classes if vocabulary.objects[c] != "helmet" or "NOT" not in text]
        rows[words_] = judged(found, {one.name for one in truth}, holding(images, wanted))
        sys.stderr.write(f"{words_}: {rows[words_]}\n")
        for status in ("known", "likely"):
            first = next((one for one in found if one.status == status), None)
            file = given.out / f"scenes-questions-{status}.svg"
            if first is not None and words_ == next(iter(QUESTIONS)):
                picture(half, first, file)
    machine = this_machine()
    run = {
        "command": f"python -m bench.scenes_questions FOLDER --kind {kind}",
        "commit": current_commit(),
        "date": clock.date,
        "cores": machine.cores,
        "gpu": machine.gpu,
        "kind": kind,
        "images": len(images),
    }
    write_json(given.out / "scenes-questions.json", {"run": run, "questions": rows})
    with atomic_write(given.out / "scenes-questions.md") as file:
        file.write(page(run, rows, QUESTIONS).encode())
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
