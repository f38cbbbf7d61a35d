#!/usr/bin/env python3
"""Writes docs/images/terminal.svg: commands and what they print, run in an empty folder.

    make build && scripts/terminal_svg.py
"""

import os
import pathlib
import re
import subprocess
import tempfile
from xml.sax.saxutils import escape

ROOT = pathlib.Path(__file__).resolve().parent.parent
COMMANDS = [
    "sparkify generate sample",
    "sparkify etl --song-data sample/song_data --log-data sample/log_data",
    "sparkify query top_songs --limit 5",
    "sparkify query plays_by_level",
    "sparkify check > /dev/null",
]
COLORS = {"31": "#f47067", "32": "#8ddb8c", "33": "#f69d50", "34": "#6cb6ff", "36": "#96d0ff"}
TEXT, DIM, PROMPT = "#cdd9e5", "#909dab", "#8ddb8c"
WIDTH, LINE, SIZE, MARGIN = 8.43, 19, 14, 18


def printed(command: str, folder: str) -> list[str]:
    """Runs a command with colors, and returns its lines."""
    path = f"{ROOT / 'bin'}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "CLICOLOR_FORCE": "1"}
    ended = subprocess.run(
        ["bash", "-c", f"exec 2>&1; {command}"], cwd=folder, env=environment, stdout=subprocess.PIPE, check=True
    )
    return ended.stdout.decode().rstrip("\n").split("\n")


def escaped(text: str) -> str:
    """Escapes a text, and keeps its spaces: renderers collapse ordinary ones."""
    return escape(text).replace(" ", "\u00a0")


def spans(line: str) -> str:
    """Converts the color codes of a terminal into `tspan` elements."""
    parts, style = [], ""
    for piece in re.split(r"(\x1b\[[0-9;]*m)", line):
        if piece.startswith("\x1b["):
            codes = piece[2:-1].split(";")
            color = next((COLORS[code] for code in codes if code in COLORS), None)
            style = f' fill="{color}"' if color else f' fill="{DIM}"' if "2" in codes else ""
            style += ' font-weight="bold"' if "1" in codes else ""
        elif piece:
            parts.append(f"<tspan{style}>{escaped(piece)}</tspan>" if style else escaped(piece))
    return "".join(parts)


def main() -> None:
    lines: list[tuple[str, str]] = []
    with tempfile.TemporaryDirectory() as folder:
        for command in COMMANDS:
            lines.append((f"$ {command}", f'<tspan fill="{PROMPT}">$</tspan>\u00a0{escaped(command)}'))
            for line in printed(command, folder):
                plain = re.sub(r"\x1b\[[0-9;]*m", "", line)
                lines.append((plain, spans(line)))
            lines.append(("", ""))
    lines.pop()
    width = max(len(plain) for plain, _ in lines) * WIDTH + 2 * MARGIN
    height = len(lines) * LINE + 2 * MARGIN
    rows = "\n".join(
        f'<text x="{MARGIN}" y="{MARGIN + SIZE + number * LINE}">{text}</text>'
        for number, (_, text) in enumerate(lines)
        if text
    )
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height}" role="img" '
        f'aria-label="sparkify generates, loads, queries and tests a sample">\n'
        f'<rect width="100%" height="100%" rx="8" fill="#1c2128"/>\n'
        f'<g font-family="ui-monospace,SFMono-Regular,Menlo,Consolas,monospace" font-size="{SIZE}" '
        f'fill="{TEXT}">\n{rows}\n</g>\n</svg>\n'
    )
    (ROOT / "docs/images/terminal.svg").write_text(svg, encoding="utf-8")


main()
