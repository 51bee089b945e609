# %% [markdown]
# # A first graph in a notebook
#
# A graph of five countries, in memory: no store is started, and nothing is written but the
# pictures. A graph of yours is opened by `umbra.open(FOLDER)`; what follows is the same.

# %%
from pathlib import Path
from tempfile import mkdtemp

import umbra
from api.settings import Settings
from api.workspace import Workspace
from kg.backends.memory import MemoryStore
from kg.images import ImageFolder
from kg.model import ImagePart
from kg.snapshot import save_snapshot, snapshot_of
from umbra import Edge, Entity, EntityKey, Provenance

workspace = Workspace(Path(mkdtemp()))
workspace.create()
pictures = ImageFolder(workspace.images)
flags = Path("../countries/flags")
told = (Provenance(kind="asserted", source="an atlas", locator="page 7"),)
report = Provenance(kind="linked", source="a report", text="… as far as Libya", probability=0.7)
countries = {"TN": "Tunisia", "DZ": "Algeria", "LY": "Libya", "NE": "Niger", "TD": "Chad"}

store = MemoryStore()
for code, name in countries.items():
    images = (pictures.add(flags / f"{code}.png"),)
    key = EntityKey(code)
    store.upsert_entities(
        [Entity(key=key, label="Country", name=name, images=images, provenance=told)]
    )
store.upsert_entities([Entity(key=EntityKey("ara"), label="Language", name="Arabic")])
flag = store.entity(EntityKey("TN")).images[0]
disc = ImagePart(parent=EntityKey("TN"), image=flag.sha256, box_xyxy=(85.0, 42.0, 171.0, 128.0))
store.upsert_entities(
    [Entity(key=EntityKey("TN/disc"), label="Part", name="white disc", part=disc)]
)


def edge(head, relation, tail, records=told):
    return Edge(head=EntityKey(head), relation=relation, tail=EntityKey(tail), provenance=records)


borders = [("TN", "DZ"), ("DZ", "NE"), ("LY", "NE"), ("LY", "TD"), ("NE", "TD")]
store.upsert_edges(edge(one, "borders", other) for one, other in borders)
store.upsert_edges(edge(code, "speaks", "ara") for code in ("TN", "DZ", "LY", "TD"))
store.upsert_edges([edge("TN", "borders", "LY", (report,)), edge("TN", "has_part", "TN/disc")])
save_snapshot(snapshot_of(store), workspace.snapshot("full"))
graph = umbra.Engine(workspace, settings=Settings(text_encoder="tiny"), store=store)

# %% [markdown]
# ## Ask
#
# Without a trained model only what is known is answered; the note above the table says so.

# %%
question = """
MATCH (c:Country)-[:borders]->(:Country)-[:speaks]->(:Language {name: 'Arabic'}) RETURN c
"""
answers = graph.ask(question)
answers

# %% [markdown]
# ## Why
#
# An answer shows its proof: each edge with its source.

# %%
answers.answers[0]

# %% [markdown]
# ## What is around an entity
#
# Its neighbours, likely edges dashed, and its attributes.

# %%
graph.entity("TN")

# %% [markdown]
# ## Pictures
#
# A picture, and one of its parts outlined.

# %%
graph.picture("TD")

# %%
graph.picture("TN/disc")

# %% [markdown]
# ## Search, and what to ask next

# %%
graph.search("tunisia", k=3)

# %%
from api.suggestions import suggest_for_question

found = suggest_for_question(graph, "MATCH (c:Country) RETURN c")
[(one.text, one.results) for one in found.suggestions]

# %% [markdown]
# As a DataFrame (extra `pandas`):

# %%
umbra.ask_frame(graph, question)[["key", "name", "status"]]
