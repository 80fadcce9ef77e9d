"""The page of a report: one file that needs no other, in which nothing that a model wrote acts."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest

from alignbench.reports import samples
from alignbench.reports.html import html_page
from alignbench.reports.samples import shown_samples
from alignbench.spec import Condition, Prompt
from alignbench.store import Store
from tests.support.reported import HOSTILE, grade, report
from tests.support.samples import ALIGNED, BASE, result

TEXTS = (
    "<script>alert(1)</script><img src=//x onerror=alert(1)>",
    "\x1b]52;c;aGk=\x07 \u202eevil\u2066 \x00 \udfff",
    "</div></td></table>{{ 7*7 }} &lt;b&gt;",
    "sun " + "x" * 100_000,
)


class _Tags(HTMLParser):
    """Which elements there are, that they close in order, and the text between them."""

    VOID = frozenset(("meta", "br", "img", "use", "path"))

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.attributes: list[tuple[str, str, str | None]] = []
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.attributes += [(tag, name, value) for name, value in attrs]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.attributes += [(tag, name, value) for name, value in attrs]

    def handle_endtag(self, tag: str) -> None:
        if tag not in self.VOID:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def page(store: Store, **options: object) -> str:
    return html_page(report(store, **options), shown_samples(store, 1, "chat"))


def parsed(text: str) -> _Tags:
    tags = _Tags()
    tags.feed(text)
    assert tags.open == []
    return tags


def test_it_has_findings_figures_tables_and_samples(store: Store) -> None:
    grade(store)
    text = page(store, investigation="all", temperatures=(0.7, 1.0))
    tags = parsed(text)
    shown = " ".join("".join(tags.text).split())
    for part in ("Findings", "Figures", "Within a condition", "Judged: quality", "Frontier over temperatures",
                 "Counts", "Settings and versions", "Why 2?", "failed: overflow", "cut by length"):  # fmt: skip
        assert part in shown, part
    assert text.count("<svg") == 6
    assert "<image" not in text, "the page's policy shows none, a data URL neither"
    contents = text[text.index('<ol class="contents">') : text.index("</ol>")]
    assert re.findall(r'href="#(t\d+)"', contents) == re.findall(r'<h3 id="(t\d+)"', text)
    assert HOSTILE.replace("\x1b", "␛") in shown
    assert "<b>sun0</b>" in text or "<i>sun0</i>" in text


def test_nothing_is_loaded_and_nothing_acts(store: Store) -> None:
    prompt = Prompt("p<", "{% raw %}<b>why\x1b?", "open-ended")
    for condition in (Condition.zero_shot(BASE, name="raw"), Condition.zero_shot(ALIGNED, name="chat")):
        cell = store.add_cell(1, prompt, condition, len(TEXTS))
        for i, sample in enumerate(TEXTS):
            store.add_sample(cell, result(i, sample))
    store.rename_session(1, "</title><script>alert(2)</script>")
    text = page(store, metrics=("words", "jaccard"))
    assert not re.search("[\x00\x1b\x07\u202e\u2066]", text)
    text.encode("utf-8")
    tags = parsed(text)
    used = {(name, value) for _, name, value in tags.attributes if name in ("src", "href", "xlink:href", "action")}
    assert all(value is not None and value.startswith("#") for _, value in used)
    assert not any(name.startswith("on") for _, name, _ in tags.attributes)
    assert [tag for tag, _, _ in tags.attributes if tag in ("img", "link", "iframe")] == []
    assert text.count("<script") == 1
    assert "{{ 7*7 }}" in "".join(tags.text)
    assert ("meta", "http-equiv", "Content-Security-Policy") in tags.attributes


def test_what_is_left_out_is_said(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    assert shown_samples(store, 1, "chat").left_out == ()
    monkeypatch.setattr(samples, "PROMPTS", 2)
    monkeypatch.setattr(samples, "SAMPLES", 1)
    monkeypatch.setattr(samples, "CHARACTERS", 5)
    contents = shown_samples(store, 1, "chat")
    assert [page.prompt_id for page in contents.prompts] == ["q0", "q1"]
    assert contents.conditions[0] == "chat"
    assert [len(page.rows) for page in contents.prompts] == [1, 1]
    assert [sentence.split(",")[0] for sentence in contents.left_out] == [
        "These are the first 2 of 3 prompts.",
        "Of each condition",
        "6 samples are cut after 5 characters",
    ]
    monkeypatch.setattr(samples, "TOGETHER", 20)
    assert len(shown_samples(store, 1, "chat").prompts) == 1


def test_words_that_the_reference_says_are_marked(store: Store) -> None:
    (raw, chat) = (row[i] for row in shown_samples(store, 1, "chat").prompts[0].rows[:1] for i in (1, 0))
    assert raw is not None
    assert chat is not None
    assert ("sun0", "strong") in raw.pieces
    assert ("sun0", "plain") not in chat.pieces  # its own other sample says sun1
    assert "".join(piece for piece, _ in raw.pieces) == "raw sun0. Moon 0."


def test_rows_that_belong_together_are_sorted_together(store: Store) -> None:
    grade(store)
    text = page(store, investigation="diversity")
    gate = text[text.index("Quality gate: ", text.index("<h3")) :]
    gate = gate[: gate.index("</table>")]
    bodies = gate.split("<tbody>")[1:]
    assert len(bodies) == 3
    assert all('<tr class="more">' in body for body in bodies)
