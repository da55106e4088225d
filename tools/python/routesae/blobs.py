"""The blobs of a catalog: zstd frames of little-endian values (schema/README.md, "Blobs")."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import zstandard

from .errors import CatalogError, one_line

#: The most bytes that the content of a frame may have.
MOST_BYTES = 1 << 30
#: Bytes of a value, by dtype.
WIDTHS = {"f32": 4, "f16": 2, "bf16": 2}


def decompress(frame: bytes, limit: int, place: str) -> bytes:
    """The content of a blob: exactly one zstd frame, with content size and checksum, of at most ``limit`` bytes.

    The size that the frame claims is checked before memory is taken for it.
    """
    try:
        parameters = zstandard.get_frame_parameters(frame)
    except zstandard.ZstdError:
        raise CatalogError(f"{place}: is not a zstd frame") from None
    if not parameters.has_checksum:
        raise CatalogError(f"{place}: its zstd frame has no checksum")
    claimed = zstandard.frame_content_size(frame)
    if claimed < 0:
        raise CatalogError(f"{place}: its zstd frame does not tell its content's size")
    most = min(limit, MOST_BYTES)
    if claimed > most:
        raise CatalogError(f"{place}: its zstd frame claims {claimed} bytes, where at most {most} belong")
    if parameters.dict_id:
        raise CatalogError(f"{place}: its zstd frame needs dictionary {parameters.dict_id}, and a catalog has none")
    try:
        content = zstandard.ZstdDecompressor().decompress(frame, allow_extra_data=False)
    except (zstandard.ZstdError, MemoryError) as error:
        raise CatalogError(f"{place}: its zstd frame is damaged ({one_line(error)})") from None
    if len(content) != claimed:
        raise CatalogError(f"{place}: its zstd frame claims {claimed} bytes and has {len(content)}")
    return bytes(content)


def exactly(frame: bytes, length: int, place: str) -> bytes:
    """The content of a frame that has to have ``length`` bytes."""
    content = decompress(frame, length, place)
    if len(content) != length:
        raise CatalogError(f"{place}: has {len(content)} bytes, where {length} belong")
    return content


def unshuffled(content: bytes, width: int) -> bytes:
    """Undoes byte-shuffling: first the lowest byte of all values, then the second byte of all, and so on."""
    return np.frombuffer(content, np.uint8).reshape(width, -1).T.tobytes() if content else content


def widened(raw: bytes, dtype: str) -> npt.NDArray[np.float32]:
    """Little-endian values of a dtype as float32, which holds all of them exactly."""
    if dtype == "bf16":
        return (np.frombuffer(raw, "<u2").astype(np.uint32) << 16).view(np.float32)
    return np.frombuffer(raw, {"f32": "<f4", "f16": "<f2"}[dtype]).astype(np.float32)
