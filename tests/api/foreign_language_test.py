#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Calls the exported functions from another language, which cannot include the headers: Python's ctypes. The library
serves this process's malloc, too, because it is preloaded."""

import ctypes
import sys
import unittest

LIBRARY = ctypes.CDLL(None)  # what is loaded already
POINTER, SIZE = ctypes.c_void_p, ctypes.c_size_t

SIGNATURES = {
    "hotlane_pool_create": (POINTER, [ctypes.c_char_p, SIZE, SIZE, ctypes.c_uint]),
    "hotlane_pool_get": (POINTER, [POINTER]),
    "hotlane_pool_put": (None, [POINTER, POINTER]),
    "hotlane_pool_in_use": (SIZE, [POINTER]),
    "hotlane_pool_destroy": (None, [POINTER]),
    "hotlane_pool_set_create": (POINTER, [POINTER, SIZE]),
    "hotlane_pool_set_get": (POINTER, [POINTER, SIZE]),
    "hotlane_pool_set_put": (None, [POINTER, POINTER]),
    "hotlane_pool_set_destroy": (None, [POINTER]),
    "hotlane_get_zeroed": (POINTER, [SIZE]),
    "hotlane_put": (None, [POINTER]),
}


class PoolClass(ctypes.Structure):
    _fields_ = [("object_size", SIZE), ("capacity", SIZE), ("max_capacity", SIZE)]


class SetSettings(ctypes.Structure):
    _fields_ = [("name", ctypes.c_char_p), ("classes", ctypes.POINTER(PoolClass)), ("class_count", SIZE),
                ("flags", ctypes.c_uint), ("memory_limit", SIZE), ("growth", ctypes.c_double)]


class ForeignLanguage(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        for name, (result, arguments) in SIGNATURES.items():
            function = getattr(LIBRARY, name)
            function.restype, function.argtypes = result, arguments

    def test_a_pool(self):
        pool = LIBRARY.hotlane_pool_create(b"python", 100, 3, 0)
        held = [LIBRARY.hotlane_pool_get(pool) for _ in range(4)]
        self.assertIsNone(held.pop())
        for i, buffer in enumerate(held):
            self.assertEqual(buffer % 64, 0)
            ctypes.memset(buffer, i, 128)
        for i, buffer in enumerate(held):
            self.assertEqual(ctypes.string_at(buffer, 128), bytes([i]) * 128)
        self.assertEqual(LIBRARY.hotlane_pool_in_use(pool), 3)
        for buffer in held:
            LIBRARY.hotlane_pool_put(pool, buffer)
        self.assertEqual(LIBRARY.hotlane_pool_get(pool), held[-1])
        LIBRARY.hotlane_pool_put(pool, held[-1])
        LIBRARY.hotlane_pool_destroy(pool)

    def test_a_set(self):
        classes = (PoolClass * 2)(PoolClass(128, 1, 0), PoolClass(512, 1, 0))
        settings = SetSettings(b"python set", classes, 2, 0, 0, 0)
        pools = LIBRARY.hotlane_pool_set_create(ctypes.byref(settings), ctypes.sizeof(settings))
        held = [LIBRARY.hotlane_pool_set_get(pools, 100) for _ in range(3)]
        self.assertIsNone(held[2])
        for buffer in held:
            LIBRARY.hotlane_pool_set_put(pools, buffer)
        LIBRARY.hotlane_pool_set_destroy(pools)

    def test_zeroed_memory(self):
        for size in (0, 1, 64, 1000, 65536, 65537, 1 << 20):
            for _ in range(3):  # the second time, the memory was used before
                buffer = LIBRARY.hotlane_get_zeroed(size)
                self.assertEqual(buffer % 64, 0)
                self.assertEqual(ctypes.string_at(buffer, size), bytes(size))
                ctypes.memset(buffer, 0xFF, size)
                LIBRARY.hotlane_put(buffer)


if __name__ == "__main__":
    unittest.main(argv=sys.argv)
