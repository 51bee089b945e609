"""The graph: its model, its stores, imports, snapshots, jobs and files; it imports no other part."""
