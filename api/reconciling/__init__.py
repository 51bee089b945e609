"""The reconciliation protocol of OpenRefine (W3C community group, version 0.2) over a graph."""
