"""A typed client of the REST service: the same models as the server's, errors as in the engine."""

from api.client.calls import OPERATIONS, Client

__all__ = ["OPERATIONS", "Client"]
