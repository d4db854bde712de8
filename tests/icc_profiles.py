"""Colour profiles (ICC.1:2001) written by hand: of three primaries and a gamma, and of a press with four inks."""

from __future__ import annotations

import struct
from itertools import product

import numpy as np

# Red, green and blue as XYZ under D50, the white point of profiles; one a column.
DISPLAY_P3 = np.array([[0.5151, 0.2920, 0.1571], [0.2412, 0.6922, 0.0666], [-0.0011, 0.0419, 0.7841]])
ADOBE_RGB = np.array([[0.6097, 0.2053, 0.1492], [0.3111, 0.6257, 0.0632], [0.0195, 0.0609, 0.7446]])
SRGB = np.array([[0.4361, 0.3851, 0.1431], [0.2225, 0.7169, 0.0606], [0.0139, 0.0971, 0.7141]])
WHITE = (0.9642, 1.0, 0.8249)


def _number(value: float) -> bytes:
    return struct.pack(">i", round(value * 65536))


def _profile(device: bytes, colours: bytes, space: bytes, tags: dict[bytes, bytes], name: str) -> bytes:
    text = name.encode()
    described = b"desc" + bytes(4) + struct.pack(">I", len(text) + 1) + text + bytes(1 + 78)
    white = b"XYZ " + bytes(4) + b"".join(map(_number, WHITE))
    tags = {b"desc": described, b"wtpt": white, b"cprt": b"text" + bytes(4) + b"none\0", **tags}
    table, body = struct.pack(">I", len(tags)), b""
    for key, value in tags.items():
        table += key + struct.pack(">II", 128 + 4 + 12 * len(tags) + len(body), len(value))
        body += value + bytes(-len(value) % 4)
    head = bytes(8) + b"\x02\x40\0\0" + device + colours + space + bytes(12) + b"acsp"
    head = head.ljust(68, b"\0") + b"".join(map(_number, WHITE))
    whole = head.ljust(128, b"\0") + table + body
    return struct.pack(">I", len(whole)) + whole[4:]


def screen_profile(primaries: np.ndarray, gamma: float, name: str = "a screen") -> bytes:
    """A profile of RGB colours."""
    curve = b"curv" + bytes(4) + struct.pack(">IH", 1, round(gamma * 256))
    tags = {
        key + b"XYZ": b"XYZ " + bytes(4) + b"".join(map(_number, primaries[:, column]))
        for column, key in enumerate((b"r", b"g", b"b"))
    }
    tags |= {key + b"TRC": curve for key in (b"r", b"g", b"b")}
    return _profile(b"mntr", b"RGB ", b"XYZ ", tags, name)


def press_profile() -> bytes:
    """A profile of CMYK colours whose four inks are all the same grey."""
    even = bytes(range(256))
    grid = b""
    for inks in product((0, 1), repeat=4):
        strength = sum(inks) / 8
        grid += bytes([round(255 * (1 - strength)), 128, 128])  # lightness alone
    table = b"mft1" + bytes(4) + bytes([4, 3, 2, 0]) + b"".join(map(_number, (1, 0, 0, 0, 1, 0, 0, 0, 1)))
    return _profile(b"prtr", b"CMYK", b"Lab ", {b"A2B0": table + even * 4 + grid + even * 3}, "a press")


def in_srgb(colour: tuple[int, int, int], primaries: np.ndarray, gamma: float) -> np.ndarray:
    """The same colour in sRGB, by the formulas of its standard."""
    linear = np.linalg.solve(SRGB, primaries @ (np.array(colour) / 255) ** gamma).clip(0, 1)
    return 255 * np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
