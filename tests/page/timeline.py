# SPDX-License-Identifier: MIT
"""Tests the peak, the timeline, the choice of a span, and the state of the page in its address."""

from selenium.webdriver.common.keys import Keys

import profiles
from case import PageTest


class Timeline(PageTest):
    profile = staticmethod(profiles.timed)

    def test_the_peak_comes_first(self):
        self.assertEqual(self.find("input:checked").get_attribute("value"), "peak")
        self.assertEqual(self.texts(".metric strong")[0], "16.0 MiB")
        self.assertIn("after 50 s", self.texts(".metric small")[0])
        self.assertEqual((self.sites()[0], self.sites(1)[0]), (profiles.RESERVE, "12.0 MiB"))
        self.assertEqual(self.find("th[aria-sort=descending]").text, "Peak")

    def test_lines(self):
        self.assertEqual(self.text("#timeline .told"), "The most live bytes: 10.0 MiB, after 49.8 s.")
        paths = self.browser.run("return [...document.querySelectorAll('#timeline .line')].map(path => "
                                 "path.getAttribute('d').split('L').length)")
        self.assertEqual(paths, [11] * 4)
        marks = self.browser.run("return [...document.querySelectorAll('#timeline .mark-moment')].map("
                                 "line => (line.x1.baseVal.value - AXIS_LEFT) / (page.timeline.x(page.timeline.end) - AXIS_LEFT))")
        self.assertEqual([round(mark, 2) for mark in marks], [0.24, 0.60])

    def test_by_arrows(self):
        self.focus("#timeline .plot")
        self.press(Keys.HOME, Keys.ARROW_RIGHT, Keys.ARROW_RIGHT)
        self.assertEqual(self.text("#timeline .told"), "After 16.6 s: 6.00 MiB live, 32.0 MiB resident, 361 requests and "
                                                       "1 misses per second.")
        self.press(Keys.END)
        self.assertIn("After 1 min 23 s: 6.00 MiB live", self.text("#timeline .told"))

    def test_without_points_there_is_no_chart(self):
        self.open(profiles.golden())
        self.assertFalse(self.find("#course").is_displayed())

    def test_widths_and_print(self):
        for width in (400, 700, 1200):
            self.browser.resize(width)
            self.assertLessEqual(self.browser.run("return document.documentElement.scrollWidth"), width)
        self.browser.tell("Emulation.setEmulatedMedia", media="print")
        self.browser.settle()
        self.assertFalse(self.find("#search").is_displayed())
        self.assertTrue(self.find("#timeline").is_displayed())
        self.browser.tell("Emulation.setEmulatedMedia", media="")


class Span(PageTest):
    profile = staticmethod(profiles.timed)

    def choose_span(self, start=None, end=None):
        for selector, value in (("#from", start), ("#to", end)):
            if value is not None:
                self.find(f"{selector} option[value='{value}']").click()
                self.browser.settle()

    def test_between_two_dumps(self):
        self.choose_span(start=0)
        self.assertIn("from=0", self.browser.driver.current_url)
        # Reserve had 1 MiB at the first dump, and 6 MiB at the end.
        self.assertEqual(dict(zip(self.sites(), self.sites(1)))[profiles.RESERVE], "+5.00 MiB")
        self.assertEqual(self.texts(".metric .title")[0], "Live")
        self.choose_span(end=1)
        self.assertEqual((self.sites(), self.sites(1)), (["operator<<"], ["+2.00 MiB"]))
        self.choose_span(end=2)
        self.choose_span(start=-1)
        self.assertEqual(self.text(".metric strong"), "16.0 MiB")  # the whole again
        self.assertNotIn("from", self.browser.driver.current_url)

    def test_a_span_that_is_none_is_ignored(self):
        for span in ("from=7&to=9", "from=1&to=0", "from=x", "to=99999999999", "from=-5"):
            self.browser.run("location.hash = arguments[0]; location.reload()", span)
            self.browser.settle()
            self.assertEqual(self.text(".metric strong"), "16.0 MiB", span)


class Address(PageTest):
    profile = staticmethod(profiles.timed)

    def reload(self):
        self.browser.driver.refresh()
        self.browser.settle()

    def test_a_link_shows_the_same_again(self):
        self.choose("count")
        self.click_frame("load(std::istream&)")
        self.select("#group", "library")
        self.select("#callees", "all")
        self.find("#query").send_keys("main")
        rows, sites = self.rows(), self.sites()
        self.reload()
        self.assertEqual((self.rows(), self.sites()), (rows, sites))
        self.assertEqual(self.find("input:checked").get_attribute("value"), "count")
        self.assertEqual(self.find("#query").get_attribute("value"), "main")
        self.find("#reset").click()
        self.find("#query").clear()
        self.assertNotIn("focus", self.browser.driver.current_url)

    def test_an_address_of_nonsense(self):
        for state in ("metric=__proto__", "metric=x&group=y&callees=z", "focus=%3Cb%3E;;%", "search=%00", "&&&=;=#"):
            self.browser.run("location.hash = arguments[0]; location.reload()", state)
            self.browser.settle()
            self.assertEqual(self.text("h1"), "app")
            self.assertFalse(self.find("#trouble").is_displayed(), state)
