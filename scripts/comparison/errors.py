# SPDX-License-Identifier: MIT
"""The one error that ends a comparison with a line for people and no traceback."""


class ComparisonError(Exception):
    """What went wrong, in one line."""
