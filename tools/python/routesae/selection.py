"""Which latents a dictionary with a k keeps."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .errors import CatalogError

Floats = npt.NDArray[np.float32]


def largest(a: Floats, k: int) -> npt.NDArray[np.bool_]:
    """Which are among the k largest of each row; of equal ones those of lower index."""
    if k >= a.shape[1]:
        return np.ones(a.shape, bool)
    least = -np.partition(-a, k - 1, axis=1)[:, k - 1 : k]
    kept, equal = a > least, a == least
    found: npt.NDArray[np.bool_] = kept | equal & (np.cumsum(equal, 1) <= k - kept.sum(1, keepdims=True))
    return found


def largest_of_groups(a: Floats, k: int) -> npt.NDArray[np.bool_]:
    """Which are the largest of each of k equal runs of a row."""
    if a.shape[1] % k:
        raise CatalogError(f"{a.shape[1]} latents do not make {k} equal groups")
    groups = a.reshape(len(a), k, -1)
    kept = np.zeros(groups.shape, bool)
    np.put_along_axis(kept, groups.argmax(2)[..., None], True, 2)
    return kept.reshape(a.shape)
