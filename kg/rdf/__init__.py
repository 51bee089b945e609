"""A graph as RDF: IRIs and literals, files, the SPARQL endpoint's store, shapes."""
