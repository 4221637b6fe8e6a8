"""What text from disk becomes in the documents: nothing but text."""

from __future__ import annotations

import re
from dataclasses import replace
from html import unescape

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from lenet_tui.analysis.comparison import formats
from lenet_tui.analysis.comparison.compare import compare
from lenet_tui.analysis.plain_markdown import code, plain
from lenet_tui.analysis.study import document
from lenet_tui.analysis.study.findings import find
from lenet_tui.analysis.study.plan import Plan, Study
from lenet_tui.formatting import shown
from lenet_tui.reports.webpage import webpage
from tests.analysis.study.making import EPOCHS, study

HOSTILE = [
    "![p](http://x/y.png)",
    '<img src="http://x/y.png" onerror="alert(1)">',
    "[x](javascript:alert(1))",
    "[x][1]\n\n[1]: http://x/",
    "a | b | c",
    "`` ` `code` ``",
    "**bold** _it_ ~~gone~~ $x^2$ &#60;b&#62; &lt;",
    "http://x/y www.x.org a@b.org <http://x>",
    "\\![p](http://x/y.png) \\\\[x](y)",
    "\x1b]52;c;aGk=\x07\x1b[6n\n# heading\n- item",
    "x" * 100_000,
]
GITHUB = MarkdownIt("commonmark").enable(["table", "strikethrough"])  # with HTML, as a reader less strict than ours


def texts_of(html: str) -> str:
    return unescape(re.sub(r"</?(p|ul|li|code)>|\n", "", html))


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_text_from_disk_is_read_as_it_is(text):
    html = GITHUB.render(f"CPU: {plain(text)}, and so on.")
    assert not re.search("<(?!/?p>)", html)
    assert texts_of(html) == f"CPU: {shown(text, 1000)}, and so on."
    html = GITHUB.render(f"| a | b |\n| --- | --- |\n| {code(text)} | {plain(text)} |")
    assert html.count("<td>") == 2
    assert not re.search("<(?!/?(table|thead|tbody|tr|th|td|code)>)", html)


@given(st.text(alphabet=st.sampled_from(list("[]()<>!|`*_~&#;:/.@\\$ab1 \n-+=\"'")), max_size=30))
def test_no_text_makes_markup(text):
    html = GITHUB.render(f"x{plain(text)}x")
    assert not re.search("<(?!/?p>)", html)
    assert texts_of(html) == f"x{shown(text)}x"


def hostile_study(text: str) -> Study:
    """A study whose runs have ``text`` wherever ``run.json`` and the store have text, one of them failed by it."""
    made = study(1)
    runs = []
    for number, study_run in enumerate(made.runs):
        run = study_run.result
        dataset = run.record.dataset.model_copy(update={"source": text, "fallback_for": text})
        fields = {"device": text, "environment": dict.fromkeys(("cpu", "torch", "python", "numpy"), text)}
        record = run.record.model_copy(update=fields | {"dataset": dataset, "reason": text})
        result = replace(run, record=record, folder=f"lenet/{text}")
        failed = number % 4 == 3
        state = "failed" if failed else "finished"
        runs.append(replace(study_run, reason=text, state=state, result=None if failed else result))
    return Study(Plan(1, EPOCHS, "mnist"), tuple(runs))


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_the_discussion_shows_nothing_but_text_of_a_hostile_record_and_fetches_nothing(text):
    result = find(hostile_study(text))
    title, answer = document.title(result), document.markdown(result, ())
    assert len(answer) < 100_000
    html = GITHUB.render(answer)
    assert not re.search(r"<(?!/?(h1|h2|p|ul|ol|li|em|strong|pre|code|table|thead|tbody|tr|th|td)\b)", html)
    assert not re.search(r'(src|href)="', html)
    page = webpage(title, answer, {})
    assert "default-src 'none'; img-src data:; style-src 'unsafe-inline'" in page
    assert not re.search(r'(src|href)="(?!#)', page)


def test_the_web_page_leaves_links_and_images_to_elsewhere_as_text():
    text = "![p](http://x/y.png) [x](javascript:y) [z](https://x) ![own](own.png) [up](#up)"
    body = webpage("t", text, {"own.png": b"1"}).partition("<body>")[2]
    assert re.findall(r'(?:src|href)="([^"]*)"', body) == ["data:image/png;base64,MQ==", "#up"]


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_a_comparison_as_markdown_shows_nothing_but_text_of_a_hostile_record(text):
    made, runs = hostile_study("").finished[:3], []
    for number, run in enumerate(made):
        update = {"name": f"{text[:150]}{number}", "checksum": f"{number}|`<b>", "fallback_for": text}
        dataset = run.record.dataset.model_copy(update=update)
        record = run.record.model_copy(update={"dataset": dataset, "config": made[0].config})
        runs.append(replace(run, record=record))
    answer = formats.as_markdown(compare(runs, [f"run 9 is damaged: {text}"]))
    html = GITHUB.render(answer)
    assert not re.search(r"<(?!/?(h1|h2|p|ul|li|table|thead|tbody|tr|th|td)\b)", html)
    assert html.count("<tr>") == 4
    assert all(row.count("<td") == 13 for row in html.split("<tr>")[2:5])
