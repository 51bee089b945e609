"""The engine: one graph with its store, snapshots and models, and all that is asked of it.

It composes the packages that do not know each other. The steps that build things stand in
`api.steps`; this file opens what they left and answers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

from api.open_graph import OpenGraph
from api.schemas import AnswersOut, EntityOut, NumberOut, TableOut, WhyNotOut

if TYPE_CHECKING:
    from api.display import Picture
    from api.entity_schemas import EntitiesOut
    from api.explaining import EdgeText
    from api.plain.translate import PlainReader
    from api.search.hybrid import HybridSearch
    from kg.images import ImageFolder
    from kg.row_stream import RowStream
    from reasoning.notations import Reading
    from reasoning.protocols import Answerer
    from reasoning.query import Query

__all__ = ["AnswererName", "Engine"]

AnswererName = Literal["symbolic", "rough", "cone", "exact"]


class Engine(OpenGraph):
    """A graph that can be asked. Use it as a context manager.

    Args:
        workspace: Its working folder.
        settings: Settings; read from the folder if not given.
        store: A store that is open already (tests, notebooks); else it is opened when needed.
        snapshot: Name of the snapshot that questions run on.

    Example:
        >>> import tempfile
        >>> from pathlib import Path
        >>> from api.workspace import Workspace
        >>> engine = Engine(Workspace(Path(tempfile.mkdtemp())))
        >>> engine.settings.timeout_s
        20.0
    """

    @cached_property
    def search(self) -> HybridSearch:
        """Search over everything, by words and by meaning: call it with a text."""
        from api.search.hybrid import HybridSearch

        return HybridSearch(self)

    @cached_property
    def plain(self) -> PlainReader:
        """Questions in plain language read as queries, without asking them: call it with a text."""
        from api.plain.translate import PlainReader

        return PlainReader(self)

    @cached_property
    def images(self) -> ImageFolder:
        """The content-addressed image folder."""
        from kg.images import ImageFolder  # Pillow is slow to import

        return ImageFolder(self.workspace.images)

    def read(
        self, question: str | Mapping[str, Any] | Query, parameters: Mapping[str, Any] | None = None
    ) -> Query:
        """Read a question: a text (Cypher fragment or JSON), a JSON object, or a tree as it is."""
        return self.reading(question, parameters).tree

    def reading(
        self, question: str | Mapping[str, Any] | Query, parameters: Mapping[str, Any] | None = None
    ) -> Reading:
        """Read a question as `read` does, with what else its text says (LIMIT)."""
        from reasoning.notations import Reading, read

        if not isinstance(question, str | Mapping):
            return Reading(asked=question)
        return read(question, snapshot=self.snapshot, parameters=parameters)

    def ask(
        self,
        question: str | Mapping[str, Any] | Query,
        *,
        k: int = 10,
        answerer: AnswererName = "symbolic",
        parameters: Mapping[str, Any] | None = None,
        proofs: bool = True,
        assume: Sequence[EdgeText] = (),
        without: Sequence[EdgeText] = (),
        after: str | None = None,
    ) -> AnswersOut:
        """Answer a question over what is known and what is likely.

        Args:
            question: A text of the Cypher fragment, JSON, or a tree.
            k: Most answers of each kind, known and likely, on one page.
            answerer: `symbolic` (the default), `rough` or `cone`, or `exact` for known ones only.
            parameters: Values for ``$name`` in a text.
            proofs: Also say why.
            assume: Edges added for this question alone ("what if"), as ``"head relation tail"`` or
                three parts; entities by key or by a name that only one has.
            without: Edges taken away for this question alone.
            after: The `next` of the page before; `changes` are told with the first one alone.

        Returns:
            Known answers first, then likely ones, each with its proof.

        Raises:
            InputError: The question is wrong; subclasses say how, with the position.
            MissingPartError: There is no snapshot yet.

        Example:
            >>> engine = Engine.open("world")               # doctest: +SKIP
            >>> engine.ask("MATCH (c:Country)-[:speaks]->(l {name: 'Arabic'}) RETURN c").answers
        """
        from api.asking import answer_question

        return answer_question(
            self, question, k=k, answerer=answerer, parameters=parameters, proofs=proofs,
            assume=assume, without=without, after=after,
        )  # fmt: skip

    def why_not(
        self,
        question: str | Mapping[str, Any] | Query,
        entity: str,
        *,
        parameters: Mapping[str, Any] | None = None,
        assume: Sequence[EdgeText] = (),
        without: Sequence[EdgeText] = (),
    ) -> WhyNotOut:
        """Say what an entity lacks to be an answer: the weakest link of its best possible proof.

        Args:
            question: As in `ask`; the default answerer answers.
            entity: Key of the expected answer, or a name that only one entity has.
            parameters: Values for ``$name`` in a text.
            assume: Edges added for this question alone.
            without: Edges taken away for this question alone.

        Raises:
            InputError: The question is wrong, or several entities have the name.
            UnknownEntityError: No entity has such a key or name.
            MissingPartError: There is no snapshot yet.
        """
        from api.explaining import explain_absence

        return explain_absence(
            self, question, entity, parameters=parameters, assume=assume, without=without
        )

    def number(self, entity: str, attribute: str, *, coverage: float = 0.9) -> NumberOut:
        """Return a number of an entity, as the graph holds it or predicted with an interval.

        Args:
            entity: Key, or a name that only one entity has.
            attribute: Name of the attribute.
            coverage: How often such an interval shall hold the true value, in (0, 1).

        Raises:
            UnknownEntityError: No entity has such a key or name.
            InputError: Nothing allows a prediction: no entity with its label has such a number, or
                too few entities have one.
            SettingError: The coverage is out of range, or too high for the values at hand.
        """
        from api.numbers import find_number

        return find_number(self, entity, attribute, coverage=coverage)

    def answerer(self, name: AnswererName) -> tuple[Answerer, tuple[str, ...]]:
        """Return an interpreter and warnings; without a trained model the default is exact."""
        return self._graph.answerer(name)

    def cypher(
        self,
        text: str,
        parameters: Mapping[str, Any] | None = None,
        *,
        timeout_s: float | None = None,
        max_rows: int | None = None,
        tag: str | None = None,
    ) -> TableOut:
        """Run read-only Cypher on the store.

        Args:
            text: The query; untrusted.
            parameters: Its parameters.
            timeout_s: Seconds it may take, at most the operator's setting.
            max_rows: Rows it may return, at most the operator's setting.
            tag: Words by which the list of running queries tells it from others.

        Raises:
            ReadOnlyError: It would write, read files or administer.
            QuerySyntaxError: It does not parse.
            QueryTimeoutError: It took too long and was ended.
        """
        text, limit_s = self._checked(text, tag), self.time_limit_s(timeout_s)
        most = min(max_rows or self.settings.max_rows, self.settings.max_rows)
        table = self.store.query(text, parameters, timeout_s=limit_s, max_rows=most)
        return TableOut(columns=table.columns, rows=table.rows, truncated=table.truncated)

    def stream_cypher(
        self,
        text: str,
        parameters: Mapping[str, Any] | None = None,
        *,
        timeout_s: float | None = None,
        max_rows: int | None = None,
        tag: str | None = None,
    ) -> AbstractContextManager[RowStream]:
        """Return a context that gives the rows as the store makes them; all else as in `cypher`.

        There may be as many as the setting `max_streamed_rows`; see `kg.store.Store.stream`.
        """
        text, limit_s = self._checked(text, tag), self.time_limit_s(timeout_s)
        most = min(max_rows or self.settings.max_streamed_rows, self.settings.max_streamed_rows)
        return self.store.stream(text, parameters, timeout_s=limit_s, max_rows=most)

    def time_limit_s(self, timeout_s: float | None) -> float:
        """Return the seconds that a query may take which asks for some."""
        return min(timeout_s or self.settings.timeout_s, self.settings.timeout_s)

    def _checked(self, text: str, tag: str | None) -> str:
        from kg.cypher import check

        check(text)  # a text that may not run starts no store; places are told without the tag
        return text if tag is None else f"{text}\n// {tag}"

    def entity(self, key: str, *, limit: int = 100, after: str | None = None) -> EntityOut:
        """Return an entity with its images, parts and a page of its edges, both directions.

        Args:
            key: Its key.
            limit: Edges of the page.
            after: The `next` of the page before.

        Raises:
            UnknownEntityError: No entity has this key.
            InputError: `after` is no cursor.
        """
        from api.cursors import edge_of
        from api.entities import show_entity

        return show_entity(self, key, limit=limit, after=None if after is None else edge_of(after))

    def entities(
        self, *, label: str | None = None, limit: int = 100, after: str | None = None
    ) -> EntitiesOut:
        """Return a page of the snapshot's entities, ascending by key.

        Args:
            label: Only entities of this label; all if not given.
            limit: Entities of the page.
            after: The `next` of the page before.

        Raises:
            InputError: No entity has the label, or `after` is no cursor.
            MissingPartError: There is no snapshot yet.
        """
        from api.entity_list import list_entities

        return list_entities(self.snapshot, label=label, limit=limit, after=after)

    def picture(self, key: str) -> Picture:
        """Return the first picture of an entity, or that which a part belongs to, outlined.

        Raises:
            UnknownEntityError: No entity has this key.
            InputError: It has no picture.
        """
        from api.display import picture_of

        return picture_of(self, key)

    def sheet(self, *keys: str, most: int = 24) -> Picture:
        """Return pictures on one page, with the boxes, labels and relations of their parts.

        Args:
            keys: Entities whose pictures are shown; the first of the graph if not given.
            most: Largest number of pictures.

        Raises:
            UnknownEntityError: No entity has this key.
            MissingPartError: None of these entities has a picture whose parts are known.
        """
        from api.display import Picture
        from api.steps.scene_sheet import sheet_tiles
        from scenes.sheet import sheet_svg

        return Picture(sheet_svg(sheet_tiles(self, keys, most=most)))
