# SPDX-License-Identifier: MIT
"""Tests the graph: metrics, zoom, search, keys and differences."""

from selenium.webdriver.common.keys import Keys

import contrast
import profiles
from case import PageTest


class Graph(PageTest):
    def test_metrics(self):
        self.assertEqual(self.rows(), [
            [["app", 1]], [["main", 1]], [["load(std::istream&)", 0.7], ["operator<<", 0.3]],
            [[profiles.RESERVE, 0.6], [profiles.HOSTILE, 0.1]]])
        self.choose("cumulative")
        self.assertEqual([name for name, _ in self.rows()[2]], ["operator<<", "load(std::istream&)", "0x401060"])
        self.choose("count")
        self.assertEqual(self.rows()[3][0], [profiles.HOSTILE, round(9000 / 9312, 3)])
        self.assertEqual(self.text("#details-text"),
                         "Count 9,312 (100.0 %) · live 10.0 MiB · cumulative 34.0 MiB · temporary 9,100")
        self.choose("temporary")
        self.assertEqual(self.rows()[3][0], [profiles.HOSTILE, round(8996 / 9100, 3)])

    def test_without_live_bytes_the_cumulative_ones_come_first(self):
        self.open(profiles.profile([profiles.stack([3, 0], 0, 20, 1)]))
        self.assertEqual(self.find("input:checked").get_attribute("value"), "cumulative")

    def test_a_zoom_to_what_the_metric_has_not_ends(self):
        self.choose("cumulative")
        self.click_frame("0x401060")
        self.assertEqual(self.rows()[2], [["0x401060", 1]])
        self.choose("live")
        self.assertEqual(self.rows()[2][0], ["load(std::istream&)", 0.7])
        self.assertFalse(self.find("#reset").is_displayed())

    def test_zoom_by_click(self):
        self.assertFalse(self.find("#reset").is_displayed())
        self.click_frame("load(std::istream&)")
        self.assertEqual(self.rows()[3], [[profiles.RESERVE, 0.857], [profiles.HOSTILE, 0.143]])
        self.assertEqual(self.texts(".scope"), ["below load(std::istream&)"] * 2)
        self.assertEqual(self.sites(), [profiles.RESERVE, profiles.HOSTILE])
        self.assertIn("9,010 objects freed, 7,168 still live", self.text("#lifetimes .told"))
        self.click_frame("main")  # a caller of the frame that is zoomed to
        self.assertEqual(len(self.rows()[2]), 2)
        self.find("#reset").click()
        self.assertEqual(self.texts(".scope"), ["", ""])
        self.assertIn("9,312 objects freed, 10,240 still live", self.text("#lifetimes .told"))

    def test_keys(self):
        self.focus("#graph")
        self.press(Keys.ARROW_DOWN, Keys.ARROW_DOWN)
        self.assertEqual(self.text("#details-name"), "load(std::istream&)")
        self.assertIn("Live 7.00 MiB (70.0 %) · cumulative 12.0 MiB · count 9,010", self.text("#details-text"))
        self.press(Keys.ARROW_RIGHT)
        self.assertEqual(self.text("#details-name"), "operator<<")
        self.assertEqual(self.text("#details-place"), "print.cpp:30 · app")
        self.press(Keys.ENTER)
        self.assertEqual(self.rows(), [[["app", 1]], [["main", 1]], [["operator<<", 1]]])
        self.press(Keys.ESCAPE)
        self.assertEqual(len(self.rows()), 4)
        self.press(Keys.ARROW_LEFT, Keys.ARROW_DOWN, Keys.ARROW_RIGHT)
        self.assertEqual(self.text("#details-name"), profiles.HOSTILE)
        self.press(Keys.ARROW_UP, Keys.ARROW_UP, Keys.ARROW_UP, Keys.ARROW_UP)
        self.assertEqual(self.text("#details-name"), "all of app")

    def test_the_focused_frame_is_seen(self):
        self.focus("#graph")
        self.press(Keys.ARROW_DOWN, Keys.ARROW_DOWN)
        focus = self.browser.run("return colourOf('var(--focus)').match(/\\d+/g).map(Number)")
        self.assertIn(tuple(focus), self.pixels("load(std::istream&)"))
        self.browser.run("document.activeElement.blur()")
        self.browser.settle()
        self.assertNotIn(tuple(focus), self.pixels("load(std::istream&)"))

    def test_a_line_is_said_only_where_there_is_one(self):
        self.focus("#graph")
        self.press(Keys.ARROW_DOWN, Keys.ARROW_DOWN)  # load, at line 20 and at line 25
        self.assertEqual(self.text("#details-place"), "load.cpp · app")

    def test_search(self):
        before = self.pixels("operator<<"), self.pixels("main")
        self.find("#query").send_keys("OPERATOR<")
        self.browser.settle()
        self.assertEqual(self.text("#matches"), "1 frame, 30.0 %")
        self.assertNotEqual(self.pixels("main"), before[1])  # frames that do not match are grey, the others are marked
        self.assertIn(tuple(self.browser.run("return colourOf('var(--match)').match(/\\d+/g).map(Number)")),
                      self.pixels("operator<<"))
        self.press(Keys.ENTER)
        self.assertEqual(self.text("#details-name"), "operator<<")
        self.press(Keys.ESCAPE)
        self.browser.settle()
        self.assertEqual((self.text("#matches"), self.find("#query").get_attribute("value")), ("", ""))
        self.assertEqual((self.pixels("operator<<"), self.pixels("main")), before)

    def test_search_steps_through_matches(self):
        self.find("#query").send_keys("/src/app")  # matches by file: main, with load and operator<< below it
        self.assertEqual(self.text("#matches"), "3 frames, 100.0 %")
        found = []
        for _ in range(4):
            self.find("#next").click()
            found.append(self.text("#details-name"))
        self.assertEqual(found, ["main", "load(std::istream&)", "operator<<", "main"])
        self.find("#previous").click()
        self.assertEqual(self.text("#details-name"), "operator<<")
        self.find("#query").send_keys("nowhere")
        self.assertEqual(self.text("#matches"), "no match")
        self.assertFalse(self.find("#next").is_enabled())

    def test_search_zooms_out_to_a_match(self):
        self.click_frame("load(std::istream&)")
        self.find("#query").send_keys("operator<<", Keys.ENTER)
        self.assertEqual(self.text("#details-name"), "operator<<")
        self.assertEqual(len(self.rows()), 4)


class Difference(PageTest):
    profile = staticmethod(profiles.difference)

    def test_signs(self):
        self.assertEqual(self.texts(".metric strong"), ["+3.00 MiB", "+2.00 MiB", "−20", "0"])
        self.assertIn("difference", self.text("#meaning"))
        self.assertEqual(self.sites(1), ["+4.00 MiB", "−1.00 MiB"])
        labels = self.browser.run("return page.graph.rows.flat().map(({node}) => page.graph.labelOf(node))")
        self.assertEqual([label[0] for label in labels], list("+++−+"))

    def test_width_is_what_changed(self):
        self.assertEqual(self.rows()[2], [["load(std::istream&)", 0.8], ["operator<<", 0.2]])

    def test_a_decrease_is_hatched(self):
        self.assertEqual(len(self.pixels("load(std::istream&)")), 1)
        for scheme in ("light", "dark"):
            self.browser.prefer(scheme)
            hatched = self.pixels("operator<<")
            self.assertGreater(len(hatched), 2)
            ink = self.browser.run("return page.graph.painter.ink")
            for pixel in hatched:
                self.assertGreaterEqual(contrast.ratio(ink, f"rgb{pixel}"), 4.5, f"{scheme}: {pixel}")

    def test_details_are_signed(self):
        self.focus("#graph")
        self.press(Keys.ARROW_DOWN, Keys.ARROW_DOWN, Keys.ARROW_RIGHT)
        self.assertEqual(self.text("#details-text"),
                         "Live −1.00 MiB · cumulative −2.00 MiB · count −30 · temporary 0")

    def test_lifetimes_go_below_the_axis(self):
        bottom, zero, bars = self.browser.run("""
            const chart = page.lifetimes.chart;
            const ends = ({y, height}) => [y.baseVal.value, y.baseVal.value + height.baseVal.value];
            return [chart.options.height - AXIS_BOTTOM, chart.y(0),
                    [...chart.svg.querySelectorAll('.column')].map(ends)]""")
        self.assertAlmostEqual(bars[0][0], zero, places=3)
        self.assertGreater(bars[0][1], zero + 20)
        self.assertLessEqual(bars[0][1], bottom + 0.001)
        self.assertAlmostEqual(bars[1][1], zero, places=3)
