"""The image folder: pictures checked once, then kept under the hash of their bytes.

A file that is here is whole and small enough to be opened; a broken one never gets in, and the
caller learns why. The name of a file is its SHA-256, so adding it twice changes nothing.
"""

from __future__ import annotations

import hashlib
import io
import stat
import warnings
from pathlib import Path

from PIL import Image, UnidentifiedImageError

from kg.errors import ImageError
from kg.files import atomic_write
from kg.model import ImageRef

__all__ = ["FORMATS", "MAX_BYTES", "MAX_PIXELS", "ImageFolder", "decoded", "read_picture"]

MAX_BYTES = 32 * 2**20
"""Default limit on the size of a file."""

MAX_PIXELS = 50_000_000
"""Default limit on width times height: some 200 MB once decoded."""

FORMATS = ("PNG", "JPEG", "WEBP", "GIF")
"""What is read; of an animation only the first picture."""

DIGITS = frozenset("0123456789abcdef")


class ImageFolder:
    """A folder of pictures by content.

    Args:
        folder: The folder; made when the first picture is added.
        max_bytes: Limit on the size of a file.
        max_pixels: Limit on width times height, checked before anything is decoded.

    Example:
        >>> import tempfile
        >>> file = io.BytesIO()
        >>> Image.new("RGB", (3, 2), "red").save(file, "PNG")
        >>> folder = ImageFolder(Path(tempfile.mkdtemp()))
        >>> added = folder.add(file.getvalue(), source="red.png")
        >>> added.width, added.height, folder.open(added.sha256).getpixel((0, 0))
        (3, 2, (255, 0, 0))
    """

    def __init__(
        self, folder: Path, *, max_bytes: int = MAX_BYTES, max_pixels: int = MAX_PIXELS
    ) -> None:
        self.folder = folder
        self.max_bytes = max_bytes
        self.max_pixels = max_pixels

    def add(self, picture: Path | bytes, *, source: str | None = None) -> ImageRef:
        """Check a picture and keep it.

        Args:
            picture: A file, or its bytes.
            source: Where it comes from; the file's name if not given.

        Raises:
            ImageError: It is missing, too large, broken, or of a kind that is not read.
        """
        content, found = self._checked(picture, source)
        path = self.path(found.sha256)
        if not path.exists():
            with atomic_write(path) as file:
                file.write(content)
        return found

    def check(self, picture: Path | bytes, *, source: str | None = None) -> ImageRef:
        """Return what `add` would; nothing is kept."""
        return self._checked(picture, source)[1]

    def _checked(self, picture: Path | bytes, source: str | None) -> tuple[bytes, ImageRef]:
        origin = source or (picture.name if isinstance(picture, Path) else "bytes")
        content = self._read(picture, origin) if isinstance(picture, Path) else picture
        _refuse_large(len(content), origin, self.max_bytes)
        width, height = self._verified(content, origin)
        digest = hashlib.sha256(content).hexdigest()
        return content, ImageRef(sha256=digest, width=width, height=height, source=origin)

    def path(self, sha256: str) -> Path:
        """Return where the picture of this hash lies, or would lie.

        Raises:
            ImageError: The text is no SHA-256 in hexadecimal.
        """
        if len(sha256) != 64 or not DIGITS.issuperset(sha256):
            raise ImageError(f"{sha256[:80]!r} is not the hash of an image")
        return self.folder / sha256[:2] / sha256

    def open(self, sha256: str) -> Image.Image:
        """Return the first picture of a kept file, decoded, as RGB on white.

        Raises:
            ImageError: There is no such file, or it was changed since it was added.
        """
        path = self.path(sha256)
        content = self._read(path, sha256)
        if hashlib.sha256(content).hexdigest() != sha256:
            raise ImageError("the file was changed", where=str(path), hint="add the image again")
        return decoded(content, sha256, max_pixels=self.max_pixels)

    def _read(self, path: Path, origin: str) -> bytes:
        return read_picture(path, origin, max_bytes=self.max_bytes)

    def _verified(self, content: bytes, origin: str) -> tuple[int, int]:
        with _opened(content, origin, self.max_pixels) as image:
            return image.size


def read_picture(path: Path, origin: str, *, max_bytes: int = MAX_BYTES) -> bytes:
    """Return the bytes of a file, if it is one and not too large.

    Args:
        path: The file.
        origin: How messages call it.
        max_bytes: Limit on its size.

    Raises:
        ImageError: It is missing, no file, too large, or not readable.
    """
    try:
        facts = path.stat()
        if not stat.S_ISREG(facts.st_mode):
            raise ImageError("not a file", where=origin)
        _refuse_large(facts.st_size, origin, max_bytes)
        with path.open("rb") as file:
            return file.read(max_bytes + 1)
    except FileNotFoundError as error:
        raise ImageError("no such file", where=origin) from error
    except OSError as error:
        raise ImageError(f"not readable: {error.strerror}", where=origin) from error


def decoded(content: bytes, origin: str, *, max_pixels: int = MAX_PIXELS) -> Image.Image:
    """Return the first picture in some bytes, decoded, as RGB on white.

    Args:
        content: The bytes of a file.
        origin: How messages call it.
        max_pixels: Limit on width times height, checked before anything is decoded.

    Raises:
        ImageError: It is too large, broken, or of a kind that is not read.
    """
    with _opened(content, origin, max_pixels) as image:
        return _on_white(image)


def _refuse_large(size: int, origin: str, most: int) -> None:
    if size > most:
        raise ImageError(f"larger than {most:,} bytes", where=origin, hint="save a smaller one")


def _opened(content: bytes, origin: str, max_pixels: int) -> Image.Image:
    """Open bytes as an image and decode them whole; what Pillow raises becomes `ImageError`."""
    try:
        with warnings.catch_warnings():
            # Pillow warns about sizes that are refused below, by our own limit.
            warnings.simplefilter("ignore")
            image = Image.open(io.BytesIO(content), formats=FORMATS)
            width, height = image.size
            if width * height > max_pixels:
                image.close()
                raise ImageError(
                    f"{width} x {height} pixels, more than {max_pixels:,}", where=origin
                )
            image.load()
    except UnidentifiedImageError as error:
        raise ImageError(f"not an image of {', '.join(FORMATS)}", where=origin) from error
    except Image.DecompressionBombError as error:  # Pillow's own limit, seen before ours
        limit = min(max_pixels, 2 * (Image.MAX_IMAGE_PIXELS or max_pixels))
        raise ImageError(f"more than {limit:,} pixels", where=origin) from error
    except ImageError:
        raise
    except Exception as error:  # Pillow's decoders raise many kinds on broken files
        raise ImageError(f"broken: {error}", where=origin) from error
    return image


def _on_white(image: Image.Image) -> Image.Image:
    if "A" not in image.getbands() and "transparency" not in image.info:
        return image.convert("RGB")
    ground = Image.new("RGBA", image.size, "white")
    ground.alpha_composite(image.convert("RGBA"))
    return ground.convert("RGB")
