"""Who may do what at the REST door: keys, the scopes that routes need, and the log of changes."""
