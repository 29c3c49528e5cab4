# SPDX-License-Identifier: MIT
"""Computes the contrast ratio of two colours as defined by WCAG 2."""

import re


def luminance(colour):
    """Parses "rgb(1, 2, 3)" and "color(srgb 0.1 0.2 0.3)"."""
    numbers = [float(number) for number in re.findall(r"\d*\.?\d+", colour)][:3]
    shares = numbers if colour.startswith("color") else [number / 255 for number in numbers]
    linear = [share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4 for share in shares]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def ratio(one, other):
    bright, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (bright + 0.05) / (dark + 0.05)
