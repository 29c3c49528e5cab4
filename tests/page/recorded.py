# SPDX-License-Identifier: MIT
"""Tests the page of a profile that the command recorded and read."""

import json
import os
import pathlib
import subprocess
import tempfile

from case import PageTest

PROGRAM = "import json; json.loads(json.dumps([{str(i): list(range(20))} for i in range(5000)]))"


class Recorded(PageTest):
    def setUp(self):
        directory = tempfile.TemporaryDirectory(prefix="hotlane-page-")
        self.addCleanup(directory.cleanup)
        self.dump = pathlib.Path(directory.name, "python3.heap")
        super().setUp()

    def hotlane(self, *arguments):
        environment = {name: value for name, value in os.environ.items() if not name.startswith("HOTLANE_")}
        return subprocess.run([self.command, *arguments], env=environment | {"PYTHONMALLOC": "malloc"}, check=True,
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout

    def record(self):
        self.hotlane("profile", "--sample=16K", f"--output={self.dump}", "--", "/usr/bin/python3", "-c", PROGRAM)

    def profile(self):
        self.record()
        return json.loads(self.hotlane("report", "--json", "-", self.dump))

    def test_the_command_writes_the_page(self):
        found = json.loads(self.hotlane("report", "--json", "-", self.dump))
        page = self.dump.with_suffix(".html")
        self.hotlane("report", "--html", page, self.dump)
        self.browser.open(page)
        self.assertRegex(self.text("h1"), r"^python3[.\d]*$")
        self.assertEqual(dict(zip(self.texts("dt"), self.texts("dd")))["Period"], "one sample per 16 KiB")
        total = sum(stack["cumulative"]["bytes"] for stack in found["stacks"])
        self.assertGreater(total, 1_000_000)
        self.assertEqual(self.browser.run("return page.tree.root.totalOf('cumulative')"), total)
        self.assertEqual(self.browser.run("return page.tree.root.totalOf('count')"),
                         sum(stack["cumulative"]["objects"] for stack in found["stacks"]))
        self.choose("cumulative")
        self.assertIn("Py_BytesMain", [name for row in self.rows() for name, _ in row])
        self.assertNotIn("malloc", self.sites())
        self.assertEqual(len(self.texts("#legend li")), min(7, len({f["library"] for f in found["functions"]})))

    def test_a_difference_to_itself_is_nothing(self):
        page = self.dump.with_suffix(".html")
        self.hotlane("report", "--base", self.dump, "--html", page, self.dump)
        self.browser.open(page)
        self.assertEqual(self.texts(".metric strong"), ["0 B", "0 B", "0 B", "0", "0"])
        totals = []
        for view in ("after", "before"):
            self.find(f"#view option[value={view}]").click()
            self.browser.settle()
            totals.append(self.texts(".metric strong"))
        self.hotlane("report", "--html", page, self.dump)
        self.browser.open(page)
        self.assertEqual(totals, [self.texts(".metric strong")] * 2)
