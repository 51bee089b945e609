"""The graph: its model, stores, imports, snapshots, jobs and files; imports no other part."""
