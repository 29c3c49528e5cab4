# SPDX-License-Identifier: MIT
"""A typical load of python3 programs: dictionaries, strings, lists, and parsing and printing of text."""
import sys


def word(number):
    return "".join(chr(97 + (number >> shift) % 26) for shift in range(0, 20, 4))


def index(words):
    places = {}
    for position, entry in enumerate(words):
        places.setdefault(entry[:4], []).append((position, entry.upper()))
    return places


def main():
    scale = float(sys.argv[1])
    total = 0
    for turn in range(max(1, int(8 * scale))):
        words = [word(number * 2654435761 + turn) for number in range(60000)]
        places = index(words)
        text = ";".join(f"{key}={len(found)}" for key, found in sorted(places.items()))
        table = [[row * column for column in range(40)] for row in range(2000)]
        blocks = [bytearray(600 + number % 5000) for number in range(4000)]
        total += len(text) + sum(map(len, table)) + sum(map(len, blocks))
    print("check=%016x" % total)


main()
