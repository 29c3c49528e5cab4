# SPDX-License-Identifier: MIT
"""The error that ends a comparison with one line instead of a traceback."""


class ComparisonError(Exception):
    """An error with a message of one line."""
