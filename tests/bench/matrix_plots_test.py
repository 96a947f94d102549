# SPDX-License-Identifier: Apache-2.0
"""The page and the plots of bench/matrix, as a reader gets them."""

import re
import shutil
import unittest
import xml.etree.ElementTree as ElementTree

from matrix_case import Page, RunTest


class Drawn(RunTest):
    plots = []

    def test_html_is_whole_and_refers_to_nothing_outside(self):
        self.run_matrix()
        text = self.html()
        page = Page(text)
        self.assertEqual(set(re.findall(r"https?://[^\s\"'<>)]*", text)),
                         {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"})
        self.assertTrue(all(reference.startswith("#") for reference in page.references), page.references)
        self.assertEqual(len(page.ids), len(set(page.ids)))
        self.assertLessEqual({reference[1:] for reference in page.references}, set(page.ids))
        self.assertLessEqual(set(re.findall(r"url\(#([^)]*)\)", text)), set(page.ids))
        self.assertNotIn("@import", text)
        # Speedup and ranks of two networks, ratios, predictions.
        self.assertEqual(text.count("<svg"), 6)
        for word in ("resnet18, local", "ideal", "whole rows", "speedup over the best single rank", "ranks",
                     "measured ms (median)", "± 8 %", "ms of a frame (medians)", "compute", "wait"):
            self.assertIn(word, page.texts)

    def test_the_communication_bound_is_drawn_where_it_is_known(self):
        self.assertNotIn("communication", self.plotted("speedup-unet-local"))
        (self.fake / "communication").write_text("yes")
        shutil.rmtree(self.work)
        self.assertIn("communication", self.plotted("speedup-unet-local"))
        self.assertIn("1.60", Page(self.html()).texts)  # 40 / 25

    def plotted(self, name):
        """Texts of a plot."""
        plots = self.scratch / "plots"
        self.run_matrix("--plots", str(plots))
        return [element.text for element in ElementTree.parse(plots / f"{name}.svg").iter() if element.text]

    def test_plots_are_files_and_the_same_each_time(self):
        contents = []
        for folder in ("one", "two"):
            self.run_matrix("--plots", str(self.scratch / folder))
            contents.append({file.name: file.read_text() for file in (self.scratch / folder).iterdir()})
        self.assertEqual(sorted(contents[0]), ["predicted.svg", "ranks-resnet18-local.svg", "ranks-unet-local.svg",
                                               "ratios.svg", "speedup-resnet18-local.svg", "speedup-unet-local.svg"])
        self.assertEqual(contents[0], contents[1])


if __name__ == "__main__":
    unittest.main()
