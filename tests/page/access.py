# SPDX-License-Identifier: MIT
"""Tests that everything on the page can be reached with the keyboard, has a name, fits into the window, and has enough
contrast in both themes."""

from selenium.webdriver.common.keys import Keys

import contrast
import profiles
from case import PageTest


class Access(PageTest):
    def test_every_control_by_tab(self):
        self.browser.run("document.activeElement.blur()")
        self.find("#query").send_keys("main")  # enables the buttons of the search; zooming shows the reset button
        self.click_frame("main")
        self.browser.run("const {body} = document; body.tabIndex = -1; body.focus(); body.removeAttribute('tabindex')")
        reached = []
        for _ in range(60):
            self.press(Keys.TAB)
            name, outline = self.browser.run("""
                const active = document.activeElement;
                const shown = active.closest('.metric') ?? active;
                return [active.id || active.name || active.getAttribute('aria-label') || active.innerText,
                        getComputedStyle(shown).outlineStyle]""")
            if name in reached and name != "" or self.browser.run("return document.activeElement === document.body"):
                break
            self.assertEqual(outline, "solid", f"no outline around {name}")
            reached.append(name)
        for name in ("theme", "metric", "reset", "query", "previous", "next", "graph", "Requests by size",
                     "Hit rate by size", "Objects by time from request to free", "As a table", "group", "callees"):
            self.assertIn(name, reached)
        for title in ("Site", "Cumulative", "Count", "Temporary", "Slack", "Remote"):
            self.assertIn(title, reached)

    def test_the_switch_by_arrows(self):
        self.focus("input:checked")
        self.press(Keys.ARROW_RIGHT)
        self.assertEqual(self.browser.run("return page.metric === 'cumulative'"), True)

    def test_charts_by_arrows(self):
        self.focus("#classes .plot")
        self.press(Keys.ARROW_RIGHT, Keys.ARROW_RIGHT)
        self.assertEqual(self.text("#classes .told"), "192 B: 100 requests, 50.0 % hits, 50 misses")
        self.press(Keys.END)
        self.assertTrue(self.text("#classes .told").startswith("4.00 KiB: 100,001 requests"))
        self.press(Keys.HOME)
        self.assertTrue(self.text("#classes .told").startswith("64 B: 1,000 requests"))

    def test_roles_and_names(self):
        nodes = [node for node in self.browser.tell("Accessibility.getFullAXTree")["nodes"] if not node["ignored"]]
        role = {}
        for node in nodes:
            role.setdefault(node["role"]["value"], []).append(node.get("name", {}).get("value", ""))
            focusable = any(p["name"] == "focusable" and p["value"].get("value") for p in node.get("properties", []))
            if focusable and node["role"]["value"] != "RootWebArea":
                self.assertTrue(node.get("name", {}).get("value"), f"a nameless {node['role']['value']}")
        self.assertEqual(len(role["radio"]), 4)
        self.assertEqual(role["searchbox"], ["Search function, file, library"])
        self.assertEqual(len(role["application"]), 4)
        self.assertEqual(len(role["columnheader"]), 7)
        for landmark in ("banner", "main", "search", "status"):
            self.assertIn(landmark, role)

    def test_widths(self):
        for profile in (profiles.golden(), profiles.large(2000, 500)):
            self.open(profile)
            for width in (400, 560, 700, 901, 1200, 2400):
                with self.subTest(profile["program"], width=width):
                    self.browser.resize(width)
                    self.assertLessEqual(self.browser.run("return document.documentElement.scrollWidth"), width)
                    outside = self.browser.run("""
                        return [...document.querySelectorAll('button, input, select, p, h2, dd, #graph, .plot')].filter(
                          found => found.checkVisibility() && !found.closest('.scroll, .skip') &&
                          found.getBoundingClientRect().right > innerWidth).map(found => found.outerHTML)""")
                    self.assertEqual(outside, [])
                    self.assertEqual(self.browser.run("""
                        const {scrollWidth, clientWidth} = document.querySelector('#sites .scroll');
                        return scrollWidth - clientWidth"""), 0)
                    self.assertEqual(self.browser.run("return page.graph.painter.canvas.width"),
                                     self.browser.run("return page.graph.host.clientWidth"))


class Themes(PageTest):
    def dark(self):
        return contrast.luminance(self.browser.run("return getComputedStyle(document.body).backgroundColor")) < 0.1

    def test_system_and_button(self):
        light = self.pixels("main")
        self.assertFalse(self.dark())
        self.browser.prefer("dark")
        self.assertTrue(self.dark())
        dark = self.pixels("main")
        self.assertNotEqual(dark, light)
        self.find("#theme").click()
        self.browser.settle()
        self.assertFalse(self.dark())
        self.assertEqual(self.pixels("main"), light)
        self.assertEqual(self.text("#theme"), "Dark colours")
        self.find("#theme").click()
        self.browser.settle()
        self.assertEqual(self.pixels("main"), dark)

    def colours(self, *expressions):
        return self.browser.run("return arguments[0].map(colourOf)", expressions)

    def test_contrast(self):
        text = [(f"var(--{ink})", f"var(--{ground})", 4.5) for ink, ground in (
            ("ink", "paper"), ("ink", "panel"), ("ink", "chosen"), ("quiet", "paper"), ("quiet", "panel"),
            ("quiet", "chosen"), ("accent", "paper"), ("warning", "paper"), ("frame-ink", "frame-plain"),
            ("frame-ink", "rise"), ("frame-ink", "fall"))]
        frames = [("var(--frame-ink)", f"color-mix(in srgb, var(--library-{hue}), var(--frame-ink) {5 * shade}%)", 4.5)
                  for hue in range(7) for shade in range(3)]
        parts = [(f"var(--{part})", "var(--paper)", 3) for part in (
            "focus", "control", "accent", "match", "requests", "rate", "short", "long", "quiet")]
        for scheme in ("light", "dark"):
            self.browser.prefer(scheme)
            for ink, ground, least in [*text, *frames, *parts]:
                with self.subTest(f"{ink} on {ground}", scheme=scheme):
                    self.assertGreaterEqual(contrast.ratio(*self.colours(ink, ground)), least)
