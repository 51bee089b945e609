"""SPARQL 1.1 queries over a store's graph, read only."""

from kg.sparql.endpoint import SparqlAnswer, SparqlEndpoint, StoreQuads
from kg.sparql.media import GRAPHS, RESULTS, acceptable

__all__ = ["GRAPHS", "RESULTS", "SparqlAnswer", "SparqlEndpoint", "StoreQuads", "acceptable"]
