"""README and docs as a whole: every page, word, picture and command has its place."""

from __future__ import annotations

import re
from pathlib import Path

from typer.main import get_command

from alignbench.cli.app import app
from alignbench.tui.glossary import GLOSSARY
from tools.site.build import DOCSTRING, pages, unlisted

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
FIGURES = {"dial", "study-diversity", "study-recovery"}  # of `alignbench report`, in docs/study.md
PICTURE = re.compile(r"!\[[^\]]+\]\((?:docs/|\.\./docs/)?([\w-]+)\.png\)")


def text_of(page: str) -> str:
    return (ROOT / page).read_text(encoding="utf-8")


def test_the_readme_is_short_and_says_what_everyone_needs() -> None:
    readme = text_of("README.md")
    assert len(readme.split()) <= 600  # of everything in it, code, tables and links too
    for needed in ("    make run ", "    make test ", "CUDA is not measured"):
        assert re.sub(r"\s", " ", needed) in re.sub(r"\s", " ", readme), needed


def test_every_page_is_in_a_menu_of_the_site_and_in_the_list_of_pages() -> None:
    assert unlisted() == []
    listed = re.findall(r"^\| \[[^]]+\]\(([^)]+)\)", text_of("docs/README.md"), re.MULTILINE)
    there = [(DOCS / link).resolve().relative_to(ROOT).as_posix() for link in listed]
    assert there == [page for page in pages() if page != "docs/README.md"]
    assert len(there) == len(set(there))


def test_every_command_is_in_the_list_of_commands() -> None:
    named = set(re.findall(r"`([a-z]+)`", text_of("docs/commands.md").partition("## ")[0]))
    assert {*get_command(app).commands} - named == set()


def test_the_glossary_says_what_the_app_says() -> None:
    rows = re.findall(r"^\| ([^|]+) \| ([^|]+) \|$", text_of("docs/glossary.md"), re.MULTILINE)
    words = [word for word, _ in rows if word != "word"]
    assert len(words) == len(set(words))
    said = dict(rows)
    wrong = [f"| {word} | {text} |" for word, text in GLOSSARY.items() if said.get(word) != text]
    assert not wrong, "docs/glossary.md lacks these lines:\n" + "\n".join(wrong)


def test_the_gallery_shows_what_the_script_takes_and_no_picture_is_left_over() -> None:
    taken = re.findall(r'^    Shot\("([\w-]+)"', text_of("tools/screenshots.py"), re.MULTILINE)
    assert sorted(PICTURE.findall(text_of("docs/gallery.md"))) == sorted(taken)
    shown = {name for page in pages() for name in PICTURE.findall(text_of(page))}
    assert shown == {*taken} | FIGURES == {path.stem for path in DOCS.glob("*.png")}


def test_what_the_reference_names_is_there() -> None:
    for name in DOCSTRING.findall(text_of("docs/api.md")):
        module, _, attribute = name.rpartition(".")
        assert getattr(__import__(module, fromlist=[attribute]), attribute).__doc__, name
