"""The functions and procedures that an untrusted query may use: they compute and read, no more."""

from __future__ import annotations

__all__ = ["FUNCTIONS", "PROCEDURES"]

_AGGREGATES = "avg collect count max min percentilecont percentiledisc stdev stdevp sum"
_GRAPH = (
    "allshortestpaths elementid endnode exists id keys labels length nodes properties "
    "relationships shortestpath startnode type"
)
_LISTS = "head isempty last range reverse size tail coalesce nullif"
_TEXTS = (
    "btrim char_length character_length left lower ltrim replace right rtrim split substring "
    "tolower toupper tostring tostringornull trim upper normalize"
)
_NUMBERS = (
    "abs acos asin atan atan2 ceil cos cosh cot coth degrees e exp floor haversin isnan log log10 "
    "pi radians rand randomuuid round sign sin sinh sqrt tan tanh toboolean tobooleanlist "
    "tobooleanornull tofloat tofloatlist tofloatornull tointeger tointegerlist tointegerornull "
    "tostringlist valuetype"
)
_SPACE = "distance point point.distance point.withinbbox"
_VECTORS = "vector.similarity.cosine vector.similarity.euclidean"
_INSTANTS = ("date", "datetime", "localdatetime", "localtime", "time")
_CLOCKS = ("", ".truncate", ".realtime", ".statement", ".transaction")
_TIMES = (
    "datetime.fromepoch datetime.fromepochmillis duration duration.between duration.indays "
    "duration.inmonths duration.inseconds timestamp"
)

FUNCTIONS = frozenset(
    " ".join((_AGGREGATES, _GRAPH, _LISTS, _TEXTS, _NUMBERS, _SPACE, _VECTORS, _TIMES)).split()
) | frozenset(instant + clock for instant in _INSTANTS for clock in _CLOCKS)
"""Functions by lower-case name."""

PROCEDURES = frozenset({"db.labels", "db.relationshiptypes", "db.propertykeys"})
"""Procedures by lower-case name."""
