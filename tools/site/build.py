"""Builds the site of the documentation into build/docs/site: `make docs`.

The pages are those that `zensical.toml` names, where they lie in the repository, so that a link between two of them is
the same on GitHub and on the site. What a page shows or links to that is no page (pictures, examples) is copied along.
A page of docs/ that no menu names ends the build, and so does a link that leads nowhere. Where a comment names a
docstring, the site has that in place of the paragraph below the comment.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
CONFIG = Path(__file__).with_name("zensical.toml")
BUILD = ROOT / "build" / "docs"
LINK = re.compile(r"\]\((?!\w+:|#)([^)#\s]+)")
LOADING = re.compile(r"""<(?:script|link|img|iframe)\b[^>]*?(?:src|href)=["'](?:https?:)?//[^>]*>""")
DOCSTRING = re.compile(r"^<!-- docstring: (\S+) -->\n(?:\S.*\n)+", re.MULTILINE)


def menu_pages(menu: list[Any]) -> Iterator[str]:
    """The files that a menu names, in its order."""
    for entry in menu:
        for page in entry.values():
            if isinstance(page, str):
                yield page
            else:
                yield from menu_pages(page)


def pages() -> list[str]:
    """The pages of the site, seen from the root of the repository."""
    return [*menu_pages(tomllib.loads(CONFIG.read_text(encoding="utf-8"))["project"]["nav"])]


def unlisted() -> list[str]:
    """Pages of docs/ that no menu names."""
    there = {path.relative_to(ROOT).as_posix() for path in (ROOT / "docs").glob("*.md")}
    return sorted(there - {*pages()})


def linked_files(page: str) -> Iterator[Path]:
    """What a page shows or links to, apart from other pages, whose links Zensical checks."""
    source = ROOT / page
    for link in LINK.findall(source.read_text(encoding="utf-8")):
        target = (source.parent / link).resolve()
        if target.suffix == ".md":
            continue
        if not target.is_file():
            sys.exit(f"{page} has a link to {link}, which is no file")
        yield target


def stage(folder: Path) -> None:
    """Copy pages and what they need into a folder, laid out as in the repository."""
    for page in pages():
        text = DOCSTRING.sub(r"::: \1\n", (ROOT / page).read_text(encoding="utf-8"))
        staged = folder / page
        staged.parent.mkdir(parents=True, exist_ok=True)
        staged.write_text(text, encoding="utf-8")
        for file in linked_files(page):
            copy = folder / file.relative_to(ROOT)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, copy)


def loaded_from_elsewhere(site: Path) -> Iterator[str]:
    """What pages would fetch from other hosts when they are opened; links to be followed are none."""
    for page in sorted(site.rglob("*.html")):
        for tag in LOADING.findall(page.read_text(encoding="utf-8")):
            yield f"{page.relative_to(site)}: {tag}"


def main() -> None:
    if missing := unlisted():
        sys.exit(f"{CONFIG.relative_to(ROOT)} names no menu for {', '.join(missing)}")
    shutil.rmtree(BUILD, ignore_errors=True)
    stage(BUILD / "pages")
    shutil.copyfile(CONFIG, BUILD / CONFIG.name)
    command = [Path(sys.executable).with_name("zensical"), "build", "--strict", "-f", CONFIG.name]
    done = subprocess.run(command, cwd=BUILD, env={**os.environ, "NO_COLOR": "1"})
    if done.returncode:
        sys.exit("The site was not built; the links that lead nowhere are above.")
    if loaded := [*loaded_from_elsewhere(BUILD / "site")]:
        sys.exit("Pages load what is not on the site: " + ", ".join(loaded))
    print(BUILD.relative_to(ROOT) / "site" / "index.html")


if __name__ == "__main__":
    main()
