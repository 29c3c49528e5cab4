# SPDX-License-Identifier: MIT
"""Tests a page of 20,000 frames: limits the number of boxes laid out and painted, and of elements created."""

from selenium.webdriver.common.keys import Keys

import profiles
from case import PageTest


class Large(PageTest):
    """The work of layout and painting depends on the size of the window, not on that of the profile."""

    profile = staticmethod(profiles.large)

    def count(self):
        boxes, painted = self.browser.run("const {boxes, painted} = page.graph.host.dataset; return [+boxes, +painted]")
        return boxes, painted, self.browser.run("return document.querySelectorAll('*').length")

    def test_boxes(self):
        self.assertGreater(self.browser.run("return new Set(page.tree.stacks.frames).size"), 10000)
        for metric in ("live", "cumulative", "count", "temporary"):
            self.choose(metric)
            boxes, painted, elements = self.count()
            self.assertLess(boxes, 8000)
            self.assertLessEqual(painted, boxes)
            self.assertLess(elements, 1200)
            narrowest = self.browser.run("""
                return Math.min(...page.graph.rows.flat().map(({left, right}) => right - left))""")
            self.assertGreaterEqual(narrowest, 0.499)

    def test_nodes_are_made_when_they_are_seen(self):
        made, every = self.browser.run("""
            const made = node => (node.parts ?? []).reduce((sum, child) => sum + made(child), 1);
            const every = node => node.children.reduce((sum, child) => sum + every(child), 1);
            return [made(page.tree.root), every(page.tree.root)]""")
        self.assertGreater(every, 20000)
        self.assertLess(made, every / 2)

    def test_steps_follow_the_order_of_the_matches(self):
        """The next and the previous match, found without the whole tree, are those of the whole tree in order."""
        self.assertEqual(self.browser.run("""
            page.search('merge_copy');
            const order = [];
            const visit = node => {
              if (page.graph.matches.has(node)) {
                order.push(node);
              }
              node.children.filter(child => child.weight > 0).forEach(visit);
            };
            visit(page.tree.root);
            const {matches, found} = page.graph;
            const wrong = order.filter((node, index) => matches.after(node) !== order[(index + 1) % order.length] ||
              matches.before(node) !== order.at(index - 1));
            const weighs = node => matches.has(node) ? node.weight
              : node.children.reduce((sum, child) => sum + weighs(child), 0);
            return [wrong.length, order.length > 10, order.length - found.count, weighs(page.tree.root) - found.weight]"""),
                         [0, True, 0, 0])

    def test_a_narrow_window_is_less_work(self):
        wide = self.count()[0]
        self.browser.resize(400)
        self.assertLess(self.count()[0], wide / 2)

    def test_a_step_of_the_keys_lays_nothing_out(self):
        self.browser.run("""
            const {layOut} = page.graph;
            page.laidOut = 0;
            page.graph.layOut = () => { page.laidOut += 1; layOut.call(page.graph); }""")
        self.focus("#graph")
        self.press(*[Keys.ARROW_DOWN] * 5, Keys.ARROW_RIGHT)
        self.assertEqual(self.browser.run("return page.laidOut"), 0)
        self.press(Keys.ENTER)
        self.assertEqual(self.browser.run("return page.laidOut"), 1)

    def test_search(self):
        self.find("#query").send_keys("parse_merge")
        self.assertRegex(self.text("#matches"), r"^\d[\d,]* frames, \d+\.\d %$")
        self.find("#next").click()
        self.assertIn("parse_merge", self.text("#details-name"))

    def test_more_rows(self):
        self.assertEqual(len(self.sites()), 20)
        self.find("#sites > button").click()
        self.assertEqual(len(self.sites()), 80)

    def test_deep_stacks_scroll(self):
        self.open(profiles.profile([profiles.stack([1, 2] * 1500, 100, 100, 1)]))
        self.assertEqual(len(self.rows()), 3001)
        height, most = self.browser.run("return [page.graph.painter.canvas.height, innerHeight]")
        self.assertLess(height, most)
        self.assertLessEqual(self.count()[1], height / 20 + 2)
        self.focus("#graph")
        self.press(*[Keys.ARROW_DOWN] * 60, Keys.ENTER)
        self.assertEqual(self.browser.run("return page.graph.zoomed.depth - page.graph.host.scrollTop / 20"), 3)
        self.press(Keys.ESCAPE)
        self.assertEqual(self.browser.run("return page.graph.focused.depth"), 60)
        self.assertGreater(self.browser.run("return page.graph.host.scrollTop"), 0)
        top = self.browser.run("return page.graph.host.scrollTop + page.graph.host.clientHeight")
        self.assertGreaterEqual(top, 61 * 20)
        self.assertLessEqual(self.count()[1], height / 20 + 2)


class Huge(PageTest):
    profile = staticmethod(profiles.empty)

    def script_seconds(self):
        return next(entry["value"] for entry in self.browser.tell("Performance.getMetrics")["metrics"]
                    if entry["name"] == "ScriptDuration")

    def test_a_hundred_thousand_stacks(self):
        """They open quickly, and the page stays usable: by keyboard, in a narrow window, and printed."""
        self.browser.tell("Performance.enable")
        self.addCleanup(self.browser.tell, "Performance.disable")
        self.open(profiles.large(20_000, 100_000))
        seconds = self.script_seconds()
        print(f"100,000 stacks: {seconds:.2f} s of scripts", flush=True)
        self.assertLess(seconds, 8)  # the target is a second; a slow and busy machine takes longer
        self.assertIn("100,000, by libunwind", self.texts("dd"))
        self.focus("#graph")
        self.press(Keys.ARROW_DOWN, Keys.ARROW_DOWN, Keys.ENTER)
        self.assertEqual(self.browser.run("return page.graph.zoomed.depth"), 2)
        self.browser.resize(400)
        self.assertLessEqual(self.browser.run("return document.documentElement.scrollWidth"), 400)
        self.browser.tell("Emulation.setEmulatedMedia", media="print")
        self.addCleanup(self.browser.tell, "Emulation.setEmulatedMedia", media="")
        self.browser.settle()
        self.assertTrue(self.find("#graph").is_displayed())
        self.assertLess(self.browser.run("return document.querySelectorAll('*').length"), 1200)
