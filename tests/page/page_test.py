#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Tests the page of `hotlane report --html` in Chromium. The arguments are the paths of the built `render_page` and of
the command."""

import pathlib
import sys
import unittest

sys.dont_write_bytecode = True

from access import Access, Themes  # noqa: E402, F401  (must follow the line above; unittest finds the tests here)
from browser import Browser  # noqa: E402
from case import PageTest  # noqa: E402
from comparison import Comparison  # noqa: E402, F401
from contents import Contents  # noqa: E402, F401
from graph import Difference, Graph  # noqa: E402, F401
from large import Huge, Large  # noqa: E402, F401
from recorded import Recorded  # noqa: E402, F401
from sites import Sites  # noqa: E402, F401
from timeline import Address, Span, Timeline  # noqa: E402, F401


def main():
    PageTest.renderer, PageTest.command = (pathlib.Path(sys.argv.pop(1)).resolve() for _ in range(2))
    PageTest.browser = Browser()
    try:
        program = unittest.main(exit=False)
    finally:
        PageTest.browser.close()
    return 0 if program.result.wasSuccessful() else 1


if __name__ == "__main__":
    sys.exit(main())
