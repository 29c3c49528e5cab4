# SPDX-License-Identifier: MIT
"""Tests the content of the page: heading, totals, names and size classes. The page must not load anything else."""

from selenium.webdriver.common.keys import Keys

import profiles
from case import PageTest


class Contents(PageTest):
    def test_heading(self):
        facts = dict(zip(self.texts("dt"), self.texts("dd")))
        self.assertEqual(self.text("h1"), "app")
        self.assertEqual(facts, {
            "Program": "/usr/bin/app", "Process": "1234", "Taken": "2026-09-21 14:13:20 UTC",
            "Dump": "at exit, no. 0", "Duration": "1 min 23 s", "Period": "one sample per 512 KiB", "Samples": "1,234", "Lost samples": "⚠ 7",
            "Stacks": "4, by libunwind"})
        self.assertIn("estimated", self.text("#meaning"))
        self.assertIn("the bytes of its size class", self.text("#meaning"))

    def test_every_allocation_is_exact(self):
        self.open(profiles.golden() | {"period": 1, "lost_samples": 0})
        self.assertIn("every allocation", self.texts("dd"))
        self.assertEqual(self.texts(".warning"), [])
        self.assertIn("Exact", self.text("#meaning"))

    def test_totals(self):
        self.assertEqual(self.texts(".metric strong"), ["10.0 MiB", "34.0 MiB", "9,312", "9,100"])
        self.assertIn("10,240 objects", self.text(".metric small"))
        self.assertIn("97.7 %", self.texts(".metric small")[3])

    def test_names_are_no_markup(self):
        page = self.render(profiles.golden()).decode()
        scripts = page.count("<script")
        self.assertEqual(page.count("</script"), scripts)
        self.assertEqual(scripts, self.browser.run("return document.scripts.length"))
        self.assertEqual(self.browser.driver.title, "app: hotlane profile")
        self.assertIn(profiles.HOSTILE, self.sites())
        self.assertIn("operator<<", self.sites())
        self.open(profiles.golden() | {"program": profiles.HOSTILE})
        self.assertIn(profiles.HOSTILE, self.texts("dd"))
        name = profiles.HOSTILE.rpartition("/")[2]
        self.assertEqual(self.text("h1"), name)
        self.assertEqual(self.browser.driver.title, f"{name}: hotlane profile")

    def test_asks_no_network(self):
        self.browser.requests()
        file = self.open(profiles.golden())
        self.choose("count")
        self.assertEqual(self.browser.requests(), [file.as_uri()])
        stopped = self.browser.driver.execute_async_script("""
            const done = arguments[0];
            document.addEventListener('securitypolicyviolation', event => done(event.effectiveDirective));
            fetch('http://127.0.0.1:9/').catch(() => setTimeout(() => done('nothing'), 500))""")
        self.assertEqual(stopped, "connect-src")
        self.assertEqual(self.browser.requests(), [])
        self.assertTrue(all("Content Security Policy" in message for message in self.browser.messages()))

    def test_numbers(self):
        for script, text in {
            "formatBytes(1023)": "1023 B", "formatBytes(1024)": "1.00 KiB", "formatBytes(1048575)": "1.00 MiB",
            "formatBytes(-1536)": "−1.50 KiB", "formatBytes(10240, true)": "+10.0 KiB", "formatBytes(0, true)": "0 B",
            "formatBytes(2 ** 62)": "4096 PiB", "formatCount(999999)": "999,999", "formatCount(1e6)": "1.00 M",
            "formatCount(999.9e6)": "1.00 G", "formatCount(-12)": "−12", "formatShare(1, 3)": "33.3 %",
            "formatShare(1, 1e6)": "< 0.1 %", "formatShare(1, 0)": "", "formatTime(1)": "1 ns",
            "formatTime(1500)": "1.50 µs", "formatTime(0)": "0 ns", "formatTime(61e9)": "1 min 1 s",
            "formatTime(90061e9)": "1 d 1 h",
        }.items():
            with self.subTest(script):
                self.assertEqual(self.browser.run(f"return {script}"), text)

    def test_size_classes(self):
        self.assertIn("101,101 requests, 99.9 % hits", self.text("#classes .told"))
        self.find("#classes summary").click()
        self.assertEqual(self.texts("#classes td"), [
            "64 B", "1,000", "99.0 %", "10", "900", "128 B", "0", "", "0", "0", "192 B", "100", "50.0 %", "50", "100",
            "4.00 KiB", "100,001", "100.0 %", "1", "100,000"])
        heights = self.browser.run("""
            return [...document.querySelectorAll('.rate')].map(bar => bar.height.baseVal.value)""")
        self.assertEqual(len(heights), 3)
        self.assertAlmostEqual(heights[1] / heights[2], 0.5, places=3)

    def test_a_profile_that_is_none_is_said(self):
        self.open({"hotlane_profile": 1})
        self.assertIn("Cannot show the profile: ", self.text("#trouble"))
        self.assertEqual(len(self.browser.messages()), 1)

    def test_a_profile_of_nothing(self):
        self.open(profiles.empty())
        self.assertEqual(self.text("#classes .told"), "No requests were counted.")
        self.assertEqual(self.sites(), [])
        self.focus("#graph")
        self.press(Keys.ARROW_DOWN, Keys.ARROW_LEFT, Keys.ENTER, Keys.ESCAPE)
