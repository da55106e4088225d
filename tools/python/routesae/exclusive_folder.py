"""A folder that one process writes at a time and that appears, or is replaced, as a whole.

The new content is written to ``.NAME.partial`` beside it and renamed when it is complete; ``.NAME.lock`` is locked
meanwhile. What a run that was killed left under these names is removed by the next one.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
from pathlib import Path
from typing import Any

from .errors import CANNOT_WRITE, CatalogError

#: The longest name that is repeated in those beside it; a longer one is named by its digest.
_LONGEST_NAME = 200


class ExclusiveFolder:
    """A folder to write; used as a context, in which no other process writes it by this class.

    Attributes:
        path: where it will be.
        partial: where its content is written to, in the context.
    """

    def __init__(self, path: Path) -> None:
        name = path.name
        if len(os.fsencode(name)) > _LONGEST_NAME:
            name = hashlib.sha256(os.fsencode(name)).hexdigest()
        self.path = path
        self.partial = path.with_name(f".{name}.partial")
        self._former = path.with_name(f".{name}.former")
        self._lock = path.with_name(f".{name}.lock")
        self._descriptor = -1

    def __enter__(self) -> ExclusiveFolder:
        """Locks the folder and makes ``partial``; removes or restores what a killed run left.

        Raises:
            CatalogError: another process is writing the folder.
            OSError: nothing can be written beside it.
        """
        self._descriptor = self._locked()
        try:
            self._recover()
            self.partial.mkdir()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: Any) -> None:
        shutil.rmtree(self.partial, ignore_errors=True)
        # Removed while it is locked: a process that has opened it meanwhile sees that its name is gone.
        self._lock.unlink(missing_ok=True)
        os.close(self._descriptor)

    def finish(self, replacing: bool) -> None:
        """Gives what was written the folder's name; with ``replacing`` it takes the place of the folder that is there.

        Raises:
            OSError: it cannot be renamed; a folder that is there stays.
        """
        if not replacing:
            os.rename(self.partial, self.path)
            return
        os.rename(self.path, self._former)
        try:
            os.rename(self.partial, self.path)
        except OSError:
            os.rename(self._former, self.path)
            raise
        shutil.rmtree(self._former, ignore_errors=True)

    def _locked(self) -> int:
        """The lock's descriptor."""
        while True:
            descriptor = os.open(self._lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o666)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if os.path.samestat(os.fstat(descriptor), os.lstat(self._lock)):
                    return descriptor
            except FileNotFoundError:
                pass  # Its last holder removed it before it was locked.
            except BlockingIOError:
                os.close(descriptor)
                raise CatalogError(
                    f"{self.path}: another process is writing it; wait until that has ended", CANNOT_WRITE
                ) from None
            except BaseException:
                os.close(descriptor)
                raise
            os.close(descriptor)

    def _recover(self) -> None:
        """Removes what a killed run left; where it was killed between two renames, the former folder comes back."""
        if os.path.lexists(self._former):
            if os.path.lexists(self.path):
                shutil.rmtree(self._former)
            else:
                os.rename(self._former, self.path)
        if os.path.lexists(self.partial):
            shutil.rmtree(self.partial)
