"""Layers, windows and special tokens of collecting."""

from __future__ import annotations

import unittest

from activation_files import InFolder

from routesae.collecting.layers import check_layers, parse_layers
from routesae.collecting.windows import Framing, check_context, framing, limited, windows


class Layers(InFolder):
    def test_layers(self) -> None:
        self.assertIsNone(parse_layers("all"))
        for text, layers in (("4", [4]), ("3-5", [3, 4, 5]), ("7,3,5", [3, 5, 7]), ("0-2,1,9", [0, 1, 2, 9])):
            self.assertEqual(parse_layers(text), layers)
        for text in ("", ",", "3,", "5-3", "-1", "1-", "x", "1.5", "All", "1-2-3", " 1", "½"):
            self.refuses("--layers is", parse_layers, text)
        self.assertEqual(check_layers(None, 3, "m"), [0, 1, 2])
        self.assertEqual(check_layers([2], 3, "m"), [2])
        self.refuses("layer 3; m has layers 0 ... 2", check_layers, [1, 3], 3, "m")


class Contexts(InFolder):
    def test_context(self) -> None:
        self.assertEqual(check_context(None, 512, 2), 512)
        self.assertEqual(check_context(None, 8192, 2), 2048)
        self.assertEqual(check_context(None, None, 0), 2048)
        self.assertEqual(check_context(3, 512, 2), 3)
        self.refuses("takes 3 ... 512", check_context, 2, 512, 2)
        self.refuses("takes 2 ... 512", check_context, 513, 512, 0)
        self.refuses("takes 2 ...", check_context, 1, None, 0)


class Windows(unittest.TestCase):
    def test_a_decoder_has_bos_in_front_and_a_row_for_it(self) -> None:
        around = framing([1], [2], 1, causal=True)
        self.assertEqual(around, Framing([1], [], True))
        found = list(windows([10, 11, 12, 13, 14], 3, 3, around))
        self.assertEqual([w.ids for w in found], [[1, 10, 11], [1, 12, 13], [1, 14]])
        self.assertEqual([w.ids[w.first : w.end] for w in found], [w.ids for w in found])
        self.assertEqual({w.document for w in found}, {3})

    def test_an_encoder_has_special_tokens_without_rows(self) -> None:
        around = framing([1], [2], 1, causal=False)
        self.assertEqual((around.special, around.writes_bos), (2, False))
        found = list(windows([10, 11, 12, 13], 0, 4, around))
        self.assertEqual([w.ids for w in found], [[1, 10, 11, 2], [1, 12, 13, 2]])
        self.assertEqual([w.ids[w.first : w.end] for w in found], [[10, 11], [12, 13]])

    def test_without_special_tokens(self) -> None:
        around = framing([], [], 1, causal=True)
        self.assertFalse(around.writes_bos)
        self.assertEqual([w.ids for w in windows([5, 6, 7], 0, 2, around)], [[5, 6], [7]])
        self.assertEqual(list(windows([], 0, 2, around)), [])

    def test_what_is_put_in_front_but_is_not_bos_gets_no_row(self) -> None:
        for prefix in ([7], [1, 7]):
            (window,) = windows([10], 0, 9, framing(prefix, [], 1, causal=True))
            self.assertEqual((window.ids, window.ids[window.first : window.end]), (prefix + [10], [10]))

    def test_a_limit_ends_with_the_window_that_reaches_it(self) -> None:
        parts = list(windows(list(range(9)), 0, 3, framing([1], [], 1, causal=True)))
        for most, count in ((1, 1), (3, 1), (4, 2), (6, 2), (7, 3), (99, 5), (None, 5)):
            self.assertEqual(len(list(limited(parts, most))), count)


if __name__ == "__main__":
    unittest.main()
