"""Who decides, at the command line."""

from __future__ import annotations

__all__ = ["decider"]


def decider(named: str | None) -> str:
    """Return who was named, else the user's name.

    Raises:
        SettingError: Neither is there.
    """
    import getpass

    from kg.errors import SettingError

    try:
        return named or getpass.getuser()
    except (OSError, KeyError):
        raise SettingError("nobody is named", where="--who", hint="say who decides") from None
