# SPDX-License-Identifier: MIT
"""Tests the table of sites: order, groups and numbers."""

from selenium.webdriver.common.keys import Keys

import profiles
from case import PageTest


class Sites(PageTest):
    def test_sorts(self):
        self.assertEqual(self.sites(), [profiles.RESERVE, "operator<<", profiles.HOSTILE, "0x401060"])
        self.assertEqual(self.find("th[aria-sort=descending]").text, "Live")
        for column, title, first in ((3, "Count", profiles.HOSTILE), (2, "Cumulative", "operator<<"),
                                     (4, "Temporary", profiles.HOSTILE), (6, "Remote", "operator<<")):
            with self.subTest(title):
                self.find(f"#sites thead th:nth-child({column + 1}) button").click()
                self.assertEqual(self.sites()[0], first)
                self.press(Keys.ENTER)  # the heading keeps the focus, so Enter reverses the order
                self.assertEqual(self.sites()[-1], first)
                self.assertEqual(self.find(f"#sites thead th:nth-child({column + 1})").get_attribute("aria-sort"),
                                 "ascending")
        self.find("#sites thead th:first-child button").click()
        self.assertEqual(self.sites()[-1], profiles.RESERVE)

    def test_the_metric_sorts_as_well(self):
        self.choose("count")
        self.assertEqual(self.find("th[aria-sort]").text, "Count")
        self.assertEqual(self.sites()[0], profiles.HOSTILE)

    def test_numbers(self):
        self.assertEqual(self.texts("#sites tbody tr:nth-child(2) td"),
                         ["3.00 MiB", "20.0 MiB", "300", "100\n33.3 %", "5.00 MiB\n25.0 %", "1.00 MiB\n5.0 %"])
        self.assertEqual(self.text("#sites tbody th small"), "vector:50 · libvector.so.1 · inlined")

    def test_groups(self):
        self.select("#group", "library")
        self.assertEqual(self.sites(), ["libvector.so.1", "app", "libhostile.so", "libstripped.so"])
        self.select("#callees", "all")
        self.assertEqual((self.sites()[0], self.sites(1)[0]), ("app", "10.0 MiB"))
        self.select("#group", "function")
        self.assertEqual(dict(zip(self.sites(), self.sites(1)))["load(std::istream&)"], "7.00 MiB")
        self.select("#group", "site")
        self.assertEqual(self.sites().count("load(std::istream&)"), 2)  # once for each of its two lines

    def test_a_site_is_the_first_frame_that_is_no_allocators(self):
        stack = profiles.stack([5, 1, 0], 100, 100, 1) | {"site": 1}
        self.open(profiles.profile([stack]))
        self.assertEqual(self.sites(), ["load(std::istream&)"])

    def test_recursion_counts_once(self):
        self.open(profiles.profile([profiles.stack([1, 0, 1, 0], 100, 100, 1)]))
        self.select("#callees", "all")
        self.assertEqual(self.sites(1), ["100 B", "100 B"])

    def test_a_site_is_found_in_the_graph(self):
        self.find("#sites tbody tr:nth-child(2) button").click()
        self.assertEqual(self.find("#query").get_attribute("value"), "operator<<")
        self.assertEqual(self.text("#details-name"), "operator<<")
        self.assertEqual(self.browser.run("return document.activeElement.id"), "graph")
