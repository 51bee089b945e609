"""BetaE's nested tuples as a notation: ``((e, (r,)), (e, (r, -2)))``.

As KGReasoning and the query files of BetaE (Ren and Leskovec, arXiv 2010.11465) write them:

    (start, (steps…))        a path; the start is an entity or a nested query
    step                     a relation, or -2: everything that is not in the set so far
    (x, y, …)                an intersection
    (x, y, …, (-1,))         a union

Read as a text of tuples or of lists, or as plain values. An entity is a path without steps where it
stands alone: ``(e, ())``. Names are quoted; a number is a name too, or the place of one in a given
order. ``'-r'`` is the inverse of the relation r, as in FB15k-237's files, and ``'+r'`` is r itself;
among numbers r ^ 1 is the inverse of r where only r has edges (BetaE's numbering).
"""

from __future__ import annotations

from reasoning.notations.betae.reader import BetaeNames, read_betae
from reasoning.notations.betae.writer import nested_tuples, write_betae

__all__ = ["BetaeNames", "nested_tuples", "read_betae", "write_betae"]
