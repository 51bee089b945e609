"""What mentions are of one document."""

from __future__ import annotations

from linkers.model import Mention

__all__ = ["document_of"]


def document_of(mention: Mention) -> str:
    """Return what a mention's document is called; its text where it has none.

    Example:
        >>> document_of(Mention(id="1", surface="Peru", context="in Peru"))
        'in Peru'
    """
    return mention.document if mention.document is not None else mention.context
