"""The steps that build what an engine opens: build, scenes, link, snapshot, train.

Each is resumable, reports progress, and leaves a stamp with the hash of its inputs, so that the
same step on the same inputs does nothing.
"""
