"""Pages for notebooks: well formed, complete, and harmless whatever a catalog's text is."""

from __future__ import annotations

import unittest
from html.parser import HTMLParser

import numpy as np
from reading import Reading

from routesae.html import tokens_html

NASTY = "<script>alert(1)</script>\"'&\x1b[31m</div><img src=x onerror=alert(1)>"


class Elements(HTMLParser):
    """The elements and the text of a page; refuses what is not closed."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(page)
        assert not self.open, self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.open.append(tag)
        self.seen.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, tag

    def handle_data(self, data: str) -> None:
        self.text += data


class Pages(Reading):
    def test_a_feature_page_has_every_context_with_coloured_tokens(self) -> None:
        page = self.catalog.feature(7, "demo", "bible", n_contexts=3)
        html = Elements(page._repr_html_())
        self.assertEqual(len(page.contexts), 9)
        for context in page.contexts:
            self.assertIn("".join(context["tokens"]).replace("\n", "⏎\n"), html.text)
        spans = [attributes for tag, attributes in html.seen if tag == "span"]
        fired = sum(int((context["activations"] != 0).sum()) for context in page.contexts)
        quiet = sum(context["activation"] == 0 for context in page.contexts)
        self.assertEqual(len(spans), fired + quiet)
        strongest = max(context["activation"] for context in page.contexts)
        self.assertTrue(any("1.00)" in span["style"] and span["title"] == f"{strongest:.4g}" for span in spans))
        for words in ("Feature 7 of demo on bible", "what burns", "promoted:", " God", "suppressed:", "0.75"):
            self.assertIn(words, html.text)
        self.assertIn("«the»", str(page))

    def test_text_of_the_file_is_never_markup(self) -> None:
        for sql in (
            "UPDATE dictionary SET name = ?",
            "UPDATE corpus SET name = ?",
            "UPDATE document SET title = ?",
            "UPDATE explanation SET text = ?",
            "UPDATE token SET text = ?",
            "UPDATE dictionary SET architecture = ?",
            "UPDATE passage SET text = ? || text",
        ):
            with self.subTest(sql=sql):
                catalog = self.damaged(sql.replace("name = ?", "name = ? || rowid"), NASTY)
                for html in (catalog._repr_html_(), catalog.feature(7, 1)._repr_html_()):
                    seen = {tag for tag, _ in Elements(html).seen}
                    self.assertLessEqual(seen, {"div", "h3", "p", "table", "tr", "th", "td", "small", "span", "code"})
                    self.assertNotIn("<script", html)

    def test_colours_are_shares_of_the_strongest(self) -> None:
        html = tokens_html(["a", "<b>", "c", "d"], np.array([0, 1, 2, -1], np.float32), 2.0, peak=0)
        spans = [attributes["style"] for tag, attributes in Elements(html).seen if tag == "span"]
        self.assertEqual([style.split(", ")[3].split(")")[0] for style in spans], ["0.00", "0.50", "1.00", "0.00"])
        self.assertEqual(Elements(html).text, "a<b>cd")
        self.assertIn("0.00", tokens_html(["a"], np.array([1], np.float32), 0.0))


if __name__ == "__main__":
    unittest.main()
