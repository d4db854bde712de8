"""Makes the demo's examples: strokes that are written on the canvas, and pictures that look like photographs.

Everything is drawn here from a few control points, so the pictures are ours and can be made again:
`python benchmarks/make_examples.py demo/examples`. They show what the demo should manage: thin pen, marker, chalk,
ruled paper, few pixels; and what it must refuse.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

PAPER = 280
Curve = list[tuple[float, float]]

# A character is a list of strokes, a stroke a list of smooth curves that meet in corners.
SHAPES: dict[str, list[list[Curve]]] = {
    "0": [[[(146, 52), (98, 82), (80, 145), (100, 208), (146, 226), (190, 195), (202, 135), (186, 76), (140, 50)]]],
    "2": [[[(84, 100), (104, 60), (152, 50), (188, 82), (176, 130), (126, 182), (82, 224)], [(82, 224), (205, 220)]]],
    "3": [
        [
            [(88, 78), (138, 52), (186, 82), (172, 120), (126, 134)],
            [(126, 134), (188, 148), (192, 200), (140, 228), (84, 204)],
        ]
    ],
    "4": [
        [[(150, 52), (112, 108), (76, 158)], [(76, 158), (140, 158), (212, 152)]],
        [[(172, 98), (166, 160), (160, 230)]],
    ],
    "5": [
        [
            [(186, 58), (108, 62)],
            [(108, 62), (98, 126)],
            [(98, 126), (142, 112), (192, 146), (184, 204), (132, 228), (84, 208)],
        ]
    ],
    "6": [[[(178, 56), (126, 92), (94, 150), (98, 206), (144, 228), (186, 200), (180, 156), (138, 142), (100, 176)]]],
    "7": [[[(78, 74), (140, 68), (206, 70)], [(206, 70), (172, 122), (146, 172), (126, 228)]]],
    "8": [
        [
            [(182, 80), (146, 52), (102, 74), (116, 118), (160, 142), (192, 182), (166, 224), (116, 222), (92, 184),
             (118, 146), (164, 118), (182, 80)]
        ]
    ],
    "9": [
        [
            [(182, 96), (146, 54), (100, 78), (98, 124), (140, 142), (180, 110), (184, 82)],
            [(184, 82), (180, 150), (166, 228)],
        ]
    ],
    "K": [
        [[(96, 54), (94, 140), (92, 228)]],
        [[(192, 60), (144, 106), (98, 146)], [(98, 146), (150, 184), (200, 228)]],
    ],
    "a": [
        [[(182, 112), (148, 86), (108, 108), (98, 156), (126, 194), (164, 180), (184, 136)]],
        [[(186, 88), (186, 150), (204, 198)]],
    ],
    "e": [[[(98, 148), (146, 146), (188, 134), (172, 96), (132, 86), (98, 118), (98, 170), (136, 204), (188, 184)]]],
    "h": [[[(104, 50), (102, 140), (100, 224)]], [[(102, 156), (138, 116), (174, 136), (178, 180), (178, 224)]]],
    "ㄹ": [
        [[(86, 74), (196, 74)], [(196, 74), (194, 138)]],
        [[(88, 138), (194, 138)]],
        [[(88, 138), (86, 206)], [(86, 206), (204, 204)]],
    ],
    "ㅎ": [
        [[(120, 52), (162, 54)]],
        [[(76, 96), (206, 94)]],
        [[(140, 120), (98, 136), (88, 176), (112, 216), (160, 218), (190, 186), (182, 142), (140, 120)]],
    ],
    "ㅏ": [[[(126, 50), (126, 140), (124, 234)]], [[(126, 138), (190, 136)]]],
    "가": [
        [[(66, 86), (104, 82), (144, 82)], [(144, 82), (130, 146), (74, 208)]],
        [[(196, 50), (196, 140), (194, 234)]],
        [[(196, 136), (240, 134)]],
    ],
    ":)": [
        [[(140 + 90 * np.sin(turn), 140 - 92 * np.cos(turn)) for turn in np.linspace(-0.1, 6.4, 17)]],
        [[(108, 110), (108, 128)]],
        [[(172, 110), (172, 128)]],
        [[(92, 164), (116, 192), (160, 194), (188, 164)]],
    ],
}  # fmt: skip

# Character, width, English and Korean name. The demo shows each to the models that know the character, and those of
# FOREIGN to all: no model should take them for one of its labels.
STROKES = [
    ("7", 18, "7", "7"),
    ("4", 14, "4", "4"),
    ("8", 22, "8", "8"),
    ("3", 8, "thin", "가늘게"),
    ("a", 16, "a", "a"),
    ("e", 18, "e", "e"),
    ("h", 14, "h", "h"),
    ("ㄹ", 18, "ㄹ", "ㄹ"),
    ("ㅎ", 14, "ㅎ", "ㅎ"),
    ("ㅏ", 18, "ㅏ", "ㅏ"),
    ("가", 16, "Hangul", "한글"),
    (":)", 14, "a smile", "얼굴"),
]
FOREIGN = ("가", ":)")

PICTURES = [
    ("pen.jpg", "thin pen", "가는 펜"),
    ("marker.jpg", "marker", "매직"),
    ("chalk.jpg", "chalk", "분필"),
    ("ruled.jpg", "ruled", "줄 공책"),
    ("tiny.png", "26 pixels", "26픽셀"),
    ("letter.jpg", "a letter", "영어"),
    ("hangul.jpg", "Hangul", "한글"),
]


def smooth(curve: Curve, step: float = 7.0) -> list[tuple[float, float]]:
    """Points on a Catmull-Rom curve through the given ones, about `step` apart."""
    points = np.array([curve[0], *curve, curve[-1]], float)
    found: list[tuple[float, float]] = []
    for a, b, c, d in zip(points, points[1:], points[2:], points[3:], strict=False):
        number = max(2, int(np.hypot(*(c - b)) / step))
        for t in np.arange(number) / number:
            place = 0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3)
            found.append((float(place[0]), float(place[1])))
    return [*found, curve[-1]]


def strokes_of(name: str) -> list[list[tuple[float, float]]]:
    """The strokes of a character as polylines on a paper of 280 x 280."""
    return [[point for curve in stroke for point in smooth(curve)] for stroke in SHAPES[name]]


def ink_mask(name: str, width: float, side: int, turn: float = 0.0, size: float = 1.0) -> np.ndarray:
    """Ink between 0 and 1, drawn at four times the size and reduced, so that edges are soft."""
    fine = side * 4
    matrix = cv2.getRotationMatrix2D((PAPER / 2, PAPER / 2), turn, size)
    mask = np.zeros((fine, fine), np.uint8)
    for stroke in strokes_of(name):
        points = (cv2.transform(np.array([stroke]), matrix)[0] * fine / PAPER).round().astype(np.int32)
        cv2.polylines(mask, [points], False, 255, max(1, round(width * fine / PAPER)), cv2.LINE_AA)
    return np.asarray(cv2.resize(mask, (side, side), interpolation=cv2.INTER_AREA), np.float32) / 255


def surface(side: int, colour: tuple[int, int, int], light: float, random: np.random.Generator) -> np.ndarray:
    """A sheet under light that falls off to one corner, with grain."""
    y, x = np.mgrid[0:side, 0:side] / side
    fall = 1 - light * (0.7 * x + 0.3 * y)
    grain = cv2.GaussianBlur(random.normal(0, 1, (side, side)).astype(np.float32), (0, 0), 1.1) * 5
    return np.asarray(np.array(colour, float) * fall[..., None] + grain[..., None])


def with_rules(sheet: np.ndarray, colour: tuple[int, int, int]) -> np.ndarray:
    """Printed lines, a little tilted, as a notebook has them."""
    side = len(sheet)
    for height in range(side // 9, side, side // 6):
        cv2.line(sheet, (0, height), (side, height + side // 40), colour, 1, cv2.LINE_AA)
    return sheet


def photograph(sheet: np.ndarray, mask: np.ndarray, ink: tuple[int, int, int], blur: float) -> Image.Image:
    """Ink on the sheet, slightly out of focus."""
    strength = mask[..., None]
    picture = sheet * (1 - strength) + np.array(ink, float) * strength
    return Image.fromarray(np.clip(cv2.GaussianBlur(picture, (0, 0), blur), 0, 255).astype(np.uint8))


def pictures() -> list[tuple[str, Image.Image, str, str]]:
    """File, picture, English and Korean name."""
    random = np.random.default_rng(2)
    cream, grey, board = (236, 229, 214), (206, 209, 214), (38, 58, 50)
    ruled = with_rules(surface(280, (240, 238, 232), 0.12, random), (150, 175, 214))
    shots = [
        ("pen", surface(280, cream, 0.45, random), ink_mask("5", 3.2, 280, -6, 0.62), (44, 52, 96), 0.7),
        ("marker", surface(280, grey, 0.2, random), ink_mask("2", 34, 280, 4, 0.9), (24, 24, 28), 1.2),
        ("chalk", surface(280, board, 0.3, random), ink_mask("8", 13, 280, -3, 0.8) * 0.86, (232, 232, 224), 1.0),
        ("ruled", ruled, ink_mask("9", 6, 280, 3, 0.7), (30, 34, 60), 0.7),
        ("letter", surface(280, cream, 0.25, random), ink_mask("K", 9, 280, -2, 0.8), (36, 36, 40), 0.8),
        ("hangul", surface(280, cream, 0.3, random), ink_mask("가", 9, 280, 2, 0.85), (150, 30, 34), 0.8),
    ]
    made = {f"{name}.jpg": photograph(sheet, mask, ink, blur) for name, sheet, mask, ink, blur in shots}
    made["tiny.png"] = Image.fromarray((255 - ink_mask("6", 26, 26) * 255).astype(np.uint8))
    return [(file, made[file], english, korean) for file, english, korean in PICTURES]


def main(folder: Path) -> None:
    """Writes the pictures and `examples.json`."""
    known: dict[str, list[dict[str, object]]] = {"strokes": [], "pictures": []}
    for name, width, english, korean in STROKES:
        lines = [[[round(x), round(y)] for x, y in stroke] for stroke in strokes_of(name)]
        label = {} if name in FOREIGN else {"label": name}
        known["strokes"].append({"name": {"en": english, "ko": korean}, **label, "width": width, "strokes": lines})
    for file, picture, english, korean in pictures():
        picture.save(folder / file, quality=86)
        known["pictures"].append({"name": {"en": english, "ko": korean}, "file": file})
    (folder / "examples.json").write_text(json.dumps(known, ensure_ascii=False, separators=(",", ":")) + "\n", "utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
