# SPDX-License-Identifier: MIT
"""Tests the page of a profile with a base: what changed, each of the two alone, and the choice in the address."""

import profiles
from case import PageTest


class Comparison(PageTest):
    profile = staticmethod(profiles.compared)

    def view(self, name):
        self.find(f"#view option[value={name}]").click()
        self.browser.settle()

    def numbers(self):
        return dict(zip(self.sites(), self.sites(1)))

    def test_what_changed_comes_first(self):
        self.assertEqual(self.text("#comparison .quiet"),
                         "Base: before · process 99 · by interval, no. 3 · 2026-09-21 14:13:20 UTC")
        self.assertEqual(self.numbers(), {"load(std::istream&)": "−5.00 MiB", profiles.RESERVE: "+4.00 MiB",
                                          "operator<<": "−1.00 MiB", profiles.HOSTILE: "+1.00 MiB", "0x401060": "0 B"})
        self.assertIn("difference", self.text("#meaning"))
        self.find("#classes summary").click()
        self.assertEqual(self.texts("#classes td")[:5], ["64 B", "596", "99.0 %", "6", "600"])
        self.assertIn("9,310 objects freed", self.text("#lifetimes .told").replace("+", ""))

    def test_a_link_shows_the_same_view(self):
        self.view("after")
        self.assertIn("view=after", self.browser.driver.current_url)
        self.assertEqual(self.numbers(), {profiles.RESERVE: "6.00 MiB", "operator<<": "3.00 MiB",
                                          profiles.HOSTILE: "1.00 MiB", "0x401060": "0 B"})
        self.assertIn("4, by libunwind", self.texts("dd"))
        self.find("#query").send_keys("operator")
        self.click_frame("operator<<")
        rows = self.rows()
        self.browser.driver.refresh()
        self.browser.settle()
        self.assertEqual((self.rows(), self.find("#view").get_attribute("value"), self.text("#matches")),
                         (rows, "after", "1 frame, 30.0 %"))

    def test_the_base_alone(self):
        self.view("before")
        self.assertEqual(self.text("h1"), "before")
        self.assertEqual(self.numbers(), {"load(std::istream&)": "5.00 MiB", "operator<<": "4.00 MiB",
                                          profiles.RESERVE: "2.00 MiB"})
        self.assertIn("by interval, no. 3", self.texts("dd"))
        self.view("change")
        self.assertNotIn("view", self.browser.driver.current_url)
        self.assertEqual(self.numbers()[profiles.RESERVE], "+4.00 MiB")

    def test_a_view_that_is_none_is_ignored(self):
        for view in ("x", "__proto__", ""):
            self.browser.run("location.hash = `view=${arguments[0]}`; location.reload()", view)
            self.browser.settle()
            self.assertEqual(self.numbers()[profiles.RESERVE], "+4.00 MiB", view)

    def test_without_a_base_there_is_no_choice(self):
        self.open(profiles.golden())
        self.assertFalse(self.find("#comparison").is_displayed())

    def test_a_page_that_was_served_has_a_link_to_a_later_one(self):
        self.assertEqual(self.texts("#comparison a"), [])
        self.open(profiles.compared() | {"served": True, "sequence": 7})
        self.view("before")
        self.find("#comparison a").click()
        self.browser.settle()
        self.assertTrue(self.browser.driver.current_url.endswith("?base=7#view=before"), self.browser.driver.current_url)
