"""The sockets that a server listens on: one, or one for each of its processes."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

from kg.errors import SettingError

if TYPE_CHECKING:
    from api.settings import Settings

__all__ = ["listen"]


def listen(settings: Settings) -> list[socket.socket]:
    """Open the sockets before anything is loaded, so that a taken port is told at once.

    Raises:
        SettingError: The address cannot be had.
    """
    host, port = settings.host.strip("[]"), settings.port
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    first = socket.socket(family, socket.SOCK_STREAM)
    first.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        first.bind((host, port))
        first.listen(2048)
    except OSError as error:
        first.close()
        raise SettingError(
            f"cannot listen on {host} port {port}: {error.strerror or error}",
            where="host and port",
            hint="another server may run there; --port 0 takes any free port",
        ) from error
    if settings.workers == 1:
        return [first]
    port = first.getsockname()[1]
    first.close()  # it was there to tell whether the port is free: sharing one asks for an option
    listeners = []
    for _ in range(settings.workers):
        one = socket.socket(family, socket.SOCK_STREAM)
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        one.bind((host, port))
        one.listen(2048)
        listeners.append(one)
    return listeners
