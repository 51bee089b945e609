"""Tools by which an agent decides on single edges; only there where the operator says so."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from mcp.server.mcpserver import MCPServer
from mcp.types import ToolAnnotations
from pydantic import Field

from api.engine import Engine
from api.mcp_errors import told

__all__ = ["add_writing"]

CHANGES = ToolAnnotations(
    read_only_hint=False, destructive_hint=False, idempotent_hint=True, open_world_hint=False
)
Name = Annotated[str, Field(min_length=1, max_length=2_000)]


def add_writing(server: MCPServer, engine: Engine, *, who: str) -> None:
    """Add the tools that write to a server of tools that read.

    Args:
        server: The server.
        engine: The graph.
        who: Stands in the records of what the agent accepts.
    """
    from api.fact_desk import FactDesk
    from api.fact_schemas import FactIn

    desk = FactDesk(engine)

    @server.tool(title="Decide on a fact", annotations=CHANGES, structured_output=True)
    def decide_fact(
        head: Name,
        relation: Annotated[str, Field(min_length=1, max_length=1_000)],
        tail: Name,
        verdict: Literal["accept", "reject", "undo"],
        comment: Annotated[str | None, Field(max_length=2_000)] = None,
    ) -> dict[str, Any]:
        """Accept an edge into the graph, reject it, or take such a verdict back.

        Entities by key, or by a name that only one has. Only what a person asked for: an accepted
        edge counts as known in every later answer. People see the verdict, and can undo it.
        """
        with told():
            asked = FactIn(
                head=head, relation=relation, tail=tail, verdict=verdict, who=who, comment=comment
            )
            return desk.decide(asked).model_dump(mode="json")
