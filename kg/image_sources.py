"""Pictures that a row of a table names: a path, a data URL, or an address on an allowed host.

What a row says is hostile: a path leads nowhere but into the folder of the table, and everything is
limited before it is decoded.
"""

from __future__ import annotations

import base64
import binascii
import re
from pathlib import Path
from urllib.parse import unquote_to_bytes

from PIL import Image

from kg.errors import ImageError
from kg.image_fetching import ImageFetcher
from kg.images import MAX_BYTES, MAX_PIXELS, decoded, read_picture

__all__ = ["ImageSources"]

_SCHEME = re.compile(r"([a-zA-Z][a-zA-Z0-9+.-]+):")  # two letters or more: not a drive
_PACKED = re.compile(r";\s*base64\s*$", re.IGNORECASE)
_HEAD = 1_000  # characters before the comma of a data URL
_SHOWN = 100


class ImageSources:
    """Opens pictures by what a row says.

    Args:
        root: The folder that no path may leave.
        fetcher: Fetches what lies on allowed hosts; without one no address is asked.
        max_bytes: Limit on the size of a file.
        max_pixels: Limit on width times height, checked before anything is decoded.

    Example:
        >>> import io
        >>> file = io.BytesIO()
        >>> Image.new("RGB", (3, 2), "red").save(file, "PNG")
        >>> url = "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()
        >>> ImageSources(Path()).open(url).getpixel((0, 0))
        (255, 0, 0)
    """

    def __init__(
        self,
        root: Path,
        *,
        fetcher: ImageFetcher | None = None,
        max_bytes: int = MAX_BYTES,
        max_pixels: int = MAX_PIXELS,
    ) -> None:
        self._root = root.resolve()
        self._fetcher = fetcher
        self._max_bytes, self._max_pixels = max_bytes, max_pixels

    def open(self, name: str, *, folder: Path | None = None) -> Image.Image:
        """Return a picture, decoded, as RGB on white.

        Args:
            name: What the row says.
            folder: What a path is relative to; the root if not given.

        Raises:
            ImageError: It is not there, not allowed, too large, broken, or of a kind that is not
                read.
        """
        content = self.read(name, folder=folder)
        return decoded(content, name[:_SHOWN], max_pixels=self._max_pixels)

    def read(self, name: str, *, folder: Path | None = None) -> bytes:
        """Return the bytes of a picture (see `open`)."""
        scheme = _SCHEME.match(name)
        kind = scheme[1].lower() if scheme else ""
        if kind == "data":
            return self._inline(name)
        if kind in ("http", "https"):
            if self._fetcher is None:
                raise ImageError(
                    "no host is allowed", where=name[:_SHOWN], hint="--allow-host HOST"
                )
            return self._fetcher.fetch(name)
        if kind:
            raise ImageError(f"a picture is not read by {kind[:20]}:", where=name[:_SHOWN])
        return self._file(name, self._root if folder is None else folder)

    def _inline(self, name: str) -> bytes:
        head, comma, body = name[:_HEAD].partition(",")
        if not comma:
            raise ImageError("not a data URL", where=name[:_SHOWN])
        if len(name) > 2 * self._max_bytes:
            raise ImageError(f"larger than {self._max_bytes:,} bytes", where=name[:_SHOWN])
        content = unquote_to_bytes(body + name[_HEAD:])
        if not _PACKED.search(head):
            return content
        try:
            return base64.b64decode(b"".join(content.split()), validate=True)
        except binascii.Error as error:
            raise ImageError(f"not base64: {error}", where=name[:_SHOWN]) from error

    def _file(self, name: str, folder: Path) -> bytes:
        shown = name[:_SHOWN]
        try:
            path = (folder / name).resolve()
        except (OSError, ValueError, RuntimeError) as error:  # a null character, a ring of links
            raise ImageError("not a path", where=shown) from error
        if not path.is_relative_to(self._root):
            raise ImageError("outside the folder of the table", where=shown)
        return read_picture(path, shown, max_bytes=self._max_bytes)
