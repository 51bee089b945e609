"""The embedded engine's three users, with passwords that are new at each start.

``root`` administers, ``writer`` writes, ``reader`` runs other people's queries.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from pathlib import Path
from typing import Any

from kg.supervisor import private_file

__all__ = ["write_users"]

USERS = {"root": "admin", "reader": "umbra_reader", "writer": "umbra_writer"}
READ = ["readRecord"]
WRITE = ["createRecord", "readRecord", "updateRecord", "deleteRecord"]


def hashed_password(password: str) -> str:
    """Return a password in the engine's own format.

    Passwords here are 192 random bits, so stretching them would only slow down each connection.
    """
    salt, rounds = base64.b64encode(secrets.token_bytes(32)).decode(), 1000
    digest = hashlib.pbkdf2_hmac("sha256", password.encode(), salt.encode(), rounds, 32)
    return f"PBKDF2WithHmacSHA256${rounds}${salt}${base64.b64encode(digest).decode()}"


def write_users(config: Path) -> dict[str, str]:
    """Write the engine's users and groups with new passwords, and return the passwords."""
    config.mkdir(parents=True, exist_ok=True)
    passwords = {name: secrets.token_urlsafe(24) for name in USERS}
    lines = (
        json.dumps(
            {
                "name": name,
                "databases": {"*": [group]},
                "password": hashed_password(passwords[name]),
            }
        )
        for name, group in USERS.items()
    )
    private_file(config / "server-users.jsonl", "".join(f"{line}\n" for line in lines))
    groups = {
        "admin": _group(["updateSecurity", "updateSchema", "updateDatabaseSettings"], WRITE),
        "umbra_reader": _group([], READ),
        "umbra_writer": _group(["updateSchema"], WRITE),
        "*": _group([], []),
    }
    content = {"databases": {"*": {"groups": groups}}, "version": 2}
    private_file(config / "server-groups.json", json.dumps(content))
    return passwords


def _group(access: list[str], records: list[str]) -> dict[str, Any]:
    types = {"*": {"access": records}}
    return {"resultSetLimit": -1, "readTimeout": -1, "access": access, "types": types}
