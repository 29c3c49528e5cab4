# SPDX-License-Identifier: MIT
"""The base class of the page's tests: opens the page of a profile in the browser and reads from it."""

import json
import pathlib
import subprocess
import tempfile
import unittest

from selenium.webdriver.common.action_chains import ActionChains

import profiles


class PageTest(unittest.TestCase):
    """Opens the golden profile. Warnings and errors of the page are failures."""

    profile = staticmethod(profiles.golden)
    browser = renderer = command = None  # set by page_test.py

    def setUp(self):
        self.browser.resize(1200)
        self.browser.prefer("light")
        self.open(self.profile())
        self.addCleanup(lambda: self.assertEqual(self.browser.messages(), []))

    def render(self, profile):
        return subprocess.run([self.renderer], input=json.dumps(profile).encode(), stdout=subprocess.PIPE,
                              check=True).stdout

    def open(self, profile):
        directory = tempfile.TemporaryDirectory(prefix="hotlane-page-")
        self.addCleanup(directory.cleanup)
        file = pathlib.Path(directory.name, "profile.html")
        file.write_bytes(self.render(profile))
        self.browser.open(file)
        return file

    def find(self, selector):
        return self.browser.driver.find_element("css selector", selector)

    def texts(self, selector):
        return self.browser.run("return [...document.querySelectorAll(arguments[0])].map(found => found.innerText)",
                                selector)

    def text(self, selector):
        return self.texts(selector)[0]

    def press(self, *keys):
        actions = ActionChains(self.browser.driver)
        for key in keys:
            actions.send_keys(key)
        actions.perform()
        self.browser.settle()

    def focus(self, selector):
        self.browser.run("document.querySelector(arguments[0]).focus({focusVisible: true})", selector)

    def choose(self, metric):
        self.find(f"input[value={metric}]").click()
        self.browser.settle()

    def select(self, selector, value):
        self.find(f"{selector} option[value={value}]").click()

    def rows(self):
        """Returns the layout of the graph: for each row, the (name, share of the width) of each box."""
        return self.browser.run("""
            const width = page.graph.host.clientWidth;
            return page.graph.rows.map(row => row.map(({node, left, right}) =>
              [node.place.name, Math.round(1000 * (right - left) / width) / 1000]))""")

    def click_frame(self, name):
        x, y = self.browser.run("""
            const {node, left, right} = page.graph.rows.flat().find(box => box.node.place.name === arguments[0]);
            const {width, height} = page.graph.host.getBoundingClientRect();
            return [(left + right) / 2 - width / 2, (node.depth + 0.5) * ROW_HEIGHT - height / 2]""", name)
        pointer = ActionChains(self.browser.driver)
        pointer.move_to_element_with_offset(self.find("#graph"), round(x), round(y)).click().perform()
        self.browser.settle()

    def pixels(self, name):
        """Returns the colours in the lower half of the frame's box, where there is no text."""
        return {tuple(pixel) for pixel in self.browser.run("""
            const {node, left, right} = page.graph.rows.flat().find(box => box.node.place.name === arguments[0]);
            const width = Math.floor(right - left) - 4;
            const top = (node.depth + 1) * ROW_HEIGHT - 3;
            const {data} = page.graph.painter.context.getImageData(left + 2, top, width, 1);
            return Array.from({length: width}, (_, index) => [...data.slice(4 * index, 4 * index + 3)])""", name)}

    def sites(self, column=None):
        return self.texts("#sites tbody th button" if column is None else f"#sites tbody td:nth-child({column + 1})")
