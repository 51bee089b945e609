"""What a running server needs beside its routes: worker processes, a cache, measures, a drain."""
