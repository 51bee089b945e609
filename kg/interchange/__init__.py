"""A graph as the values of other libraries, and back: networkx, pandas, rdflib.

What comes back is entities and edges, for `Store.upsert_entities` and `Store.upsert_edges`.
"""

from kg.interchange.frames import from_pandas, to_pandas
from kg.interchange.networks import from_networkx, to_networkx
from kg.interchange.triples import from_rdflib, to_rdflib

__all__ = [
    "from_networkx",
    "from_pandas",
    "from_rdflib",
    "to_networkx",
    "to_pandas",
    "to_rdflib",
]
