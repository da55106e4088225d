"""What tests of reading share: the catalog opened, copies of it damaged, and errors of one line."""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
import unittest
from typing import Any

from written import written

import routesae


class Reading(unittest.TestCase):
    """A test with the catalog opened."""

    def setUp(self) -> None:
        self.made = written()
        self.catalog = routesae.open(self.made.path)
        self.addCleanup(self.catalog.close)

    def refuses(self, words: str, call: Any, *arguments: Any, **options: Any) -> None:
        """A call has to fail with these words, in one line, by the package's own exception."""
        with self.assertRaises(routesae.CatalogError) as caught:
            call(*arguments, **options)
        self.assertIn(words, str(caught.exception))
        self.assertNotIn("\n", str(caught.exception))

    def copied(self) -> str:
        """A copy of the catalog in a folder of its own."""
        folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, folder)
        return shutil.copy(self.made.path, f"{folder}/damaged.catalog")

    def damaged(self, sql: str, *values: Any) -> routesae.Catalog:
        """A copy of the catalog, changed by a statement that no rule of SQLite keeps back."""
        path = self.copied()
        database = sqlite3.connect(path, isolation_level=None)
        database.execute("PRAGMA foreign_keys = OFF")
        database.execute("PRAGMA ignore_check_constraints = ON")
        database.execute(sql, values)
        database.close()
        catalog = routesae.open(path)
        self.addCleanup(catalog.close)
        return catalog
