"""The site's own colour, made readable: its text, its soft ground and its twin for the dark are derived.

Contrast after WCAG 2.2, 1.4.3: at least 4.5 to 1 for text. Lightness is moved in steps until that holds. This is
physics of the eye, so it counts in floats.
"""

from __future__ import annotations

import colorsys

Rgb = tuple[float, float, float]

CONTRAST_MIN = 4.5
WHITE: Rgb = (1.0, 1.0, 1.0)
DARK_CARD: Rgb = (23 / 255, 29 / 255, 26 / 255)
INK: Rgb = (0.03, 0.1, 0.08)


def read_colour(text: str) -> Rgb:
    """Read `#rrggbb`; raises ValueError for anything else."""
    if len(text) != 7 or text[0] != "#":  # noqa: PLR2004 (# and six digits)
        msg = f"a colour is written #rrggbb, not {text!r}"
        raise ValueError(msg)
    return (int(text[1:3], 16) / 255, int(text[3:5], 16) / 255, int(text[5:7], 16) / 255)


def write_colour(colour: Rgb) -> str:
    """Write `#rrggbb`."""
    return "#" + "".join(f"{round(255 * part):02x}" for part in colour)


def luminance(colour: Rgb) -> float:
    """Return the relative luminance (WCAG 2.2)."""
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in colour)  # noqa: PLR2004
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: Rgb, other: Rgb) -> float:
    """Return the contrast ratio of two colours, 1 to 21."""
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def readable_on(colour: Rgb, ground: Rgb) -> Rgb:
    """Move a colour's lightness away from the ground until its text can be read there."""
    hue, light, fullness = colorsys.rgb_to_hls(*colour)
    step = -0.02 if luminance(ground) > 0.5 else 0.02  # noqa: PLR2004
    while contrast(colour, ground) < CONTRAST_MIN and 0 <= light <= 1:
        light += step
        colour = colorsys.hls_to_rgb(hue, min(1.0, max(0.0, light)), fullness)
    return colour


def mixed(one: Rgb, other: Rgb, share: float) -> Rgb:
    """Return `share` of one colour in the other."""
    return (
        one[0] * share + other[0] * (1 - share),
        one[1] * share + other[1] * (1 - share),
        one[2] * share + other[2] * (1 - share),
    )


def accent_tokens(accent: Rgb, ground: Rgb, away: Rgb) -> str:
    """Return the four tokens of an accent on a ground; `away` is black or white, whatever the ground is not."""
    soft = mixed(accent, ground, 0.13)
    plain = readable_on(readable_on(accent, ground), soft)
    on_accent = WHITE if contrast(WHITE, plain) >= CONTRAST_MIN else INK
    strong = mixed(plain, away, 0.78)
    tokens = {"accent": plain, "accent-strong": strong, "accent-soft": soft, "on-accent": on_accent}
    return "".join(f"--{name}:{write_colour(colour)};" for name, colour in tokens.items())


def accent_stylesheet(text: str) -> str:
    """Return the stylesheet that sets the accent for light and dark from one colour `#rrggbb`."""
    accent = read_colour(text)
    hue, light, fullness = colorsys.rgb_to_hls(*accent)
    lifted = colorsys.hls_to_rgb(hue, max(light, 0.58), fullness * 0.8)
    bright = accent_tokens(accent, WHITE, (0.0, 0.0, 0.0))
    dark = accent_tokens(lifted, DARK_CARD, WHITE)
    return (
        f":root{{{bright}}}"
        f'@media (prefers-color-scheme:dark){{:root:not([data-theme="light"]){{{dark}}}}}'
        f':root[data-theme="dark"]{{{dark}}}'
    )
