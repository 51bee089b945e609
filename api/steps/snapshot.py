"""The step that freezes the store's graph into snapshots, whole and for evaluation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from api.opened_store import identity_of_store
from kg.files import sha256_of_text

if TYPE_CHECKING:
    from api.engine import Engine
    from api.workspace import Workspace

__all__ = ["HoldOut", "freeze", "freeze_for_evaluation"]


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldOut:
    """Which edges an evaluation snapshot lacks.

    Attributes:
        relations: Relations of which edges are held out.
        undirected: Those of them whose two directions are held out together.
        share: Share of the edges, in (0, 1).
        seed: Seed of the choice.
    """

    relations: Sequence[str]
    undirected: Sequence[str] = ()
    share: float = 0.1
    seed: int = 0


def freeze(engine: Engine) -> dict[str, Any]:
    """Make the snapshot `full` of the store as it is; nothing to do if the store has not changed.

    Returns:
        What was frozen: hash, counts, the store's version.
    """
    from kg.snapshot import save_snapshot, snapshot_of

    version = engine.store.version
    workspace = engine.workspace
    made_of = f"{version} of {identity_of_store(workspace, engine.settings)}"
    done = workspace.done("snapshot-full", made_of)
    if done is not None and (workspace.snapshot("full") / "snapshot.json").exists():
        return done
    with workspace.doing("snapshot-full", made_of) as outcome:
        snapshot = snapshot_of(engine.store)
        save_snapshot(snapshot, workspace.snapshot("full"))
        outcome.update(
            hash=snapshot.hash,
            store_version=version,
            entities=snapshot.num_entities,
            edges=snapshot.num_edges,
            relations=snapshot.num_relations,
        )
    engine.forget()
    return outcome


def freeze_for_evaluation(
    engine: Engine, hold_out: HoldOut, *, into: Workspace | None = None
) -> dict[str, Any]:
    """Make the snapshot `evaluation`: `full` without the held-out edges, same ids.

    Args:
        engine: Whose `full` is read.
        hold_out: Which edges.
        into: Folder that holds the new one, the engine's own if not given: there it takes the
            place of the demo's.

    Returns:
        What was frozen: hash, counts, held-out edges by relation, the rule.
    """
    import numpy as np

    from kg.snapshot import load_snapshot, save_snapshot
    from kg.splits import hold_out as choose

    workspace = into or engine.workspace
    full = load_snapshot(engine.workspace.snapshot("full"))
    inputs = sha256_of_text(f"{full.hash} {hold_out}")
    done = workspace.done("snapshot-evaluation", inputs)
    if done is not None:
        return done
    with workspace.doing("snapshot-evaluation", inputs) as outcome:
        relations = [name for name in hold_out.relations if name in full.relation_names]
        held = choose(
            full,
            relations=relations,
            share=hold_out.share,
            seed=hold_out.seed,
            undirected=tuple(hold_out.undirected),
        )
        kept = full.keeping(~held)
        save_snapshot(kept, workspace.snapshot("evaluation"))
        counts = np.bincount(full.relations[held], minlength=full.num_relations)
        outcome.update(
            hash=kept.hash,
            edges=kept.num_edges,
            held_out={name: int(counts[full.relation_id(name)]) for name in relations},
            rule=asdict(hold_out),
        )
    return outcome
