"""A question in plain language read as a query, which is then shown; asking it is another step."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from functools import cached_property
from threading import Lock
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from api.plain.schemas import HeardOut, PlainOut, Reader
from kg.errors import QuerySyntaxError, UnsafeQueryError, UnsupportedQueryError
from reasoning.notations import read_query, write_query
from reasoning.plain import Lexicon, read_plain
from reasoning.query import Query, structure_name

if TYPE_CHECKING:
    from api.engine import Engine
    from api.plain.models import DirectoryModel, EndpointModel
    from encoders.protocols import TextEncoder

__all__ = ["PlainReader"]

GUESS = 0.3
"""Score of a relation below which its choice is told as a guess."""
MAX_KEPT = 10_000
"""Texts whose vectors are kept."""


class PlainReader:
    """Reads questions over an engine's graph; keeps the graph's vocabulary.

    Args:
        engine: Whose.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._lock = Lock()
        self._lexicon: Lexicon | None = None
        self._vectors: dict[str, NDArray[np.float32]] = {}

    def __call__(self, question: str, *, by: Reader = "rules") -> PlainOut:
        """Read a question; as `Engine.plain`.

        Raises:
            QuerySyntaxError: It is not understood, or a model wrote what is no query; the position
                is in the question, or in the model's text, which the message shows.
            UnsupportedQueryError: A model wrote what is outside the fragment; likewise.
            UnsafeQueryError: It asks for "everything but …".
            InputError: The settings name no such model.
            MissingPartError: It does not answer.
        """
        if by == "rules":
            with self._lock:  # a lexicon fills its tables when they are first used
                found = read_plain(question, self.lexicon())
            heard = tuple(HeardOut.model_validate(asdict(one)) for one in found.heard)
            warnings = [
                f"{one.words!r} was taken for {one.relation}: a guess"
                for one in found.heard
                if one.score < GUESS and one.how != "name"
            ]
            if found.unread:
                warnings.append(f"not read: {found.unread!r}")
            if question.lower().lstrip().startswith("how many"):
                warnings.append("the query lists what the question counts")
            return _shown(question, by, found.tree, heard, tuple(warnings))
        text = self._model(by)(question)
        try:
            tree = read_query(text, notation="cypher", snapshot=self._engine.snapshot)
        except (QuerySyntaxError, UnsupportedQueryError, UnsafeQueryError) as error:
            error.what = f"the model wrote {text!r:.300}: {error.what}"
            error.args = (error.what,)
            raise
        return _shown(question, by, tree, (), ())

    def lexicon(self) -> Lexicon:
        """Return the vocabulary of the engine's snapshot, with the store's aliases."""
        snapshot = self._engine.snapshot
        if self._lexicon is None or self._lexicon.snapshot is not snapshot:
            names = {e.key: e.aliases for e in self._engine.store.entities() if e.aliases}
            self._lexicon = Lexicon(snapshot, names, self._encode)
        return self._lexicon

    def _encode(self, texts: list[str]) -> NDArray[np.float32]:
        new = [text for text in dict.fromkeys(texts) if text not in self._vectors]
        if new:
            if len(self._vectors) > MAX_KEPT:
                self._vectors.clear()
                new = list(dict.fromkeys(texts))
            pooled = np.asarray(self._encoder.encode(new).pooled, np.float32)
            self._vectors.update(zip(new, pooled, strict=True))
        return np.array([self._vectors[text] for text in texts], np.float32)

    @cached_property
    def _encoder(self) -> TextEncoder:
        from api.steps.encoders import text_encoder_named

        engine = self._engine
        return text_encoder_named(
            engine.settings.text_encoder, engine.workspace.indexes, remembers=False
        )

    def _model(self, by: Reader) -> Callable[[str], str]:
        from api.plain.models import prompt_of

        lexicon = self.lexicon()
        model = self._endpoint if by == "endpoint" else self._directory
        return lambda question: model.written(prompt_of(lexicon, question))

    @cached_property
    def _endpoint(self) -> EndpointModel:
        from api.plain.models import EndpointModel

        return EndpointModel.of(self._engine.settings)

    @cached_property
    def _directory(self) -> DirectoryModel:
        from api.plain.models import DirectoryModel

        return DirectoryModel.of(self._engine.settings)


def _shown(
    question: str,
    by: Reader,
    tree: Query,
    heard: tuple[HeardOut, ...],
    warnings: tuple[str, ...],
) -> PlainOut:
    return PlainOut(
        question=question,
        by=by,
        query=write_query(tree, "cypher"),
        tree=write_query(tree, "json"),
        structure=structure_name(tree),
        heard=heard,
        warnings=warnings,
    )
