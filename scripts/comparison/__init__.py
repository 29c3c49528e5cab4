# SPDX-License-Identifier: MIT
"""hotlane beside other allocators: what is run (catalogue), how (runner, redis), and what is said about
it."""
