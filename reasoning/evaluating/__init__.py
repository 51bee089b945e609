"""How good an answerer is on queries with held-out answers: ranks, figures, tables, plots.

The protocol is that of the field (specification of evaluation): each hard answer is ranked among
all entities that are no answer, ties count by their mean, figures are means over the hard answers
of a query, then over queries, then over structures.
"""

from reasoning.evaluating.figures import Figures, figures_of
from reasoning.evaluating.ranking import RankedQueries, evaluate_queries, rank_queries

__all__ = ["Figures", "RankedQueries", "evaluate_queries", "figures_of", "rank_queries"]
