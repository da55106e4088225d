"""A folder that is written as a whole: by one process at a time, whatever killed ones left."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest
import unittest.mock
from pathlib import Path

from written import ROOT

from routesae.errors import CatalogError
from routesae.exclusive_folder import ExclusiveFolder

#: Opens a folder, writes a file into it, says so, and goes on as it is told.
WRITER = """
import os, pathlib, sys
from routesae.exclusive_folder import ExclusiveFolder
path, replacing, moment = pathlib.Path(sys.argv[1]), sys.argv[2] == "replacing", sys.argv[3]
real = os.rename
def rename(source, target):
    real(source, target)
    if moment == "between renames":
        print("ready", flush=True)
        sys.stdin.read()
os.rename = rename
with ExclusiveFolder(path) as folder:
    (folder.partial / "content").write_text("new")
    if moment == "writing":
        print("ready", flush=True)
        sys.stdin.read()
    folder.finish(replacing)
"""


class Folders(unittest.TestCase):
    def setUp(self) -> None:
        self.folder = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.folder)
        self.path = self.folder / "set"

    def written(self, text: str, replacing: bool = False) -> None:
        with ExclusiveFolder(self.path) as folder:
            self.assertEqual(os.listdir(folder.partial), [])
            (folder.partial / "content").write_text(text)
            folder.finish(replacing)

    def content(self) -> str:
        """The content of the folder, which has to be the only thing here."""
        self.assertEqual(os.listdir(self.folder), ["set"])
        return (self.path / "content").read_text()

    def started(self, replacing: bool, moment: str) -> subprocess.Popen[str]:
        """Another process that writes the folder and has come to a moment."""
        process = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(self.path), "replacing" if replacing else "new", moment],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(ROOT / "tools" / "python")},
        )
        self.addCleanup(process.communicate)
        assert process.stdout
        self.assertEqual(process.stdout.readline(), "ready\n")
        return process

    def test_it_appears_and_is_replaced_as_a_whole(self) -> None:
        self.written("one")
        self.assertEqual(self.content(), "one")
        self.written("two", replacing=True)
        self.assertEqual(self.content(), "two")
        self.assertEqual(oct(self.path.stat().st_mode & 0o777), oct(0o777 & ~_umask()))

    def test_without_replacing_a_folder_that_is_there_stays(self) -> None:
        self.written("one")
        with self.assertRaises(OSError):
            self.written("two")
        self.assertEqual(self.content(), "one")

    def test_an_error_leaves_nothing(self) -> None:
        for error in (ValueError, KeyboardInterrupt):
            with self.assertRaises(error), ExclusiveFolder(self.path) as folder:
                (folder.partial / "content").write_text("half")
                raise error
            self.assertEqual(os.listdir(self.folder), [])
        self.written("one")
        with unittest.mock.patch("os.rename", side_effect=[None, OSError(28, "No space left on device"), None]):
            with self.assertRaises(OSError):
                self.written("two", replacing=True)
        self.assertEqual(self.content(), "one")

    def test_a_second_process_is_refused_while_the_first_writes(self) -> None:
        process = self.started(False, "writing")
        with self.assertRaises(CatalogError) as caught:
            self.written("mine")
        self.assertIn("another process is writing it", str(caught.exception))
        self.assertEqual(caught.exception.status, 73)
        self.assertEqual((self.folder / ".set.partial" / "content").read_text(), "new")
        process.communicate("")
        self.assertEqual(process.returncode, 0)
        self.assertEqual(self.content(), "new")

    def test_what_a_killed_process_left_is_removed(self) -> None:
        process = self.started(False, "writing")
        process.send_signal(signal.SIGKILL)
        process.wait()
        self.assertEqual(sorted(os.listdir(self.folder)), [".set.lock", ".set.partial"])
        self.written("mine")
        self.assertEqual(self.content(), "mine")

    def test_a_process_killed_between_two_renames_loses_nothing(self) -> None:
        self.written("old")
        process = self.started(True, "between renames")
        process.send_signal(signal.SIGKILL)
        process.wait()
        self.assertEqual(sorted(os.listdir(self.folder)), [".set.former", ".set.lock", ".set.partial"])
        with ExclusiveFolder(self.path):
            self.assertEqual((self.path / "content").read_text(), "old")
        self.assertEqual(self.content(), "old")

    def test_a_process_killed_after_them_leaves_the_new_folder(self) -> None:
        self.written("new")
        (self.folder / ".set.former").mkdir()
        (self.folder / ".set.former" / "content").write_text("old")
        with ExclusiveFolder(self.path):
            pass
        self.assertEqual(self.content(), "new")

    def test_links_under_its_names_are_not_followed(self) -> None:
        precious = self.folder / "precious"
        precious.mkdir()
        (precious / "file").write_text("mine")
        for name in (".set.partial", ".set.lock"):
            os.symlink(precious, self.folder / name)
            with self.assertRaises(OSError):
                self.written("one")
            os.unlink(self.folder / name)
        self.assertEqual((precious / "file").read_text(), "mine")
        self.assertEqual(os.listdir(self.folder), ["precious"])

    def test_long_names_that_begin_alike_do_not_meet(self) -> None:
        first, second = (ExclusiveFolder(self.folder / ("n" * 254 + end)) for end in "ab")
        with first, second:
            self.assertNotEqual(first.partial, second.partial)
            first.finish(False)
            second.finish(False)
        self.assertEqual(len(os.listdir(self.folder)), 2)

    def test_processes_that_come_at_once_take_turns(self) -> None:
        """Ten processes write until each was let in; each sees the folder that another one left as a whole."""
        code = (
            "import pathlib, sys, time\n"
            "from routesae.errors import CatalogError\n"
            "from routesae.exclusive_folder import ExclusiveFolder\n"
            "path = pathlib.Path(sys.argv[1])\n"
            "while True:\n"
            "    try:\n"
            "        with ExclusiveFolder(path) as folder:\n"
            "            former = (path / 'content').read_text()\n"
            "            (folder.partial / 'content').write_text(former + 'x')\n"
            "            folder.finish(True)\n"
            "            break\n"
            "    except CatalogError:\n"
            "        time.sleep(0.001)\n"
        )
        self.written("")
        environment = {**os.environ, "PYTHONPATH": str(ROOT / "tools" / "python")}
        processes = [subprocess.Popen([sys.executable, "-c", code, str(self.path)], env=environment) for _ in range(10)]
        self.assertEqual([process.wait() for process in processes], [0] * 10)
        self.assertEqual(self.content(), "x" * 10)


def _umask() -> int:
    """The process's umask."""
    mask = os.umask(0)
    os.umask(mask)
    return mask


if __name__ == "__main__":
    unittest.main()
