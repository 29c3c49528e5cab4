# SPDX-License-Identifier: MIT
"""Compares hotlane with other allocators: what is run (catalogue), how (runner, redis), and the output (results, table,
chart, written)."""
