"""The discussion says nothing that was not tested, in plain words, from the runs there are."""

from __future__ import annotations

import dataclasses
import re

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from jinja2 import nodes

from lenet_tui.analysis.study import document
from lenet_tui.analysis.study.comparisons import comparisons, is_tested
from lenet_tui.analysis.study.findings import find
from lenet_tui.analysis.study.plan import DEFAULT, VARIANTS
from tests.analysis.study.making import study

ALL = tuple(document.FIGURES.values())
CLAIM = re.compile(
    r"\b(lower|higher|larger|smaller|better|worse|overfits?|rises|falls|fits|fit|poor|too certain|over-confidence|"
    r"mistakes cost|scattered|strongest|lowers|raises|differ|differs|improving)\b",
    re.IGNORECASE,
)
# Attributes and names that are claims, or lists that claims.py makes.
CLAIMS = {
    *("lower", "higher", "found", "others", "is_significant", "lowering", "raising", "candidates", "different"),
    *("unfinished", "falling"),
}
HARMLESS = re.compile(r"[^.|]*\?|Is AlexNet better than |smaller ones may be missed|differs from the lowest by")


def text(made, drawn=ALL):
    return document.markdown(find(made), drawn)


def without(made, **lacking):
    """The study, its results without some of their parts."""
    runs = [dataclasses.replace(run, result=dataclasses.replace(run.result, **lacking)) for run in made.runs]
    return dataclasses.replace(made, runs=tuple(runs))


def section(made, number):
    return re.search(rf"## {number}\. .*?(?=\n#)", text(made), re.DOTALL).group()


def rows(part, heading):
    """The cells of the table whose heading starts so, by the heading's words."""
    table = part[part.index(heading) :].split("\n\n")[0].splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in table]
    return [dict(zip(cells[0], row, strict=True)) for row in cells[2:]]


def answers(made):
    return {row["question"]: row for row in rows(text(made), "| question")}


studies = st.builds(
    study,
    seeds=st.sampled_from((1, 2, 3, 5)),
    factors=st.dictionaries(
        st.sampled_from([variant.name for variant in VARIANTS]), st.sampled_from((0.5, 0.85, 0.95, 1.08, 1.6, 3.0))
    ),
    noise=st.sampled_from((0.005, 0.05, 0.3)),
    start=st.integers(0, 10_000),
    keep=st.integers(0, 99).map(lambda n: lambda variant, seed: (hash_of(variant, seed) + n) % 7 > 0),
    wrong=st.integers(0, 99).map(lambda n: lambda variant, seed: (hash_of(variant, seed) * n) % 31),
)

# Shrinking would take minutes, and what fails is said by its assertion.
without_shrinking = settings(max_examples=20, deadline=None, phases=[Phase.explicit, Phase.reuse, Phase.generate])


def hash_of(variant, seed):
    return 3 * [other.name for other in VARIANTS].index(variant.name) + 5 * seed


def literals(node, guards=()):
    """Every text of the template with the names in the conditions around it."""
    if isinstance(node, nodes.TemplateData):
        yield node.data, guards
    elif isinstance(node, nodes.If):
        own = {found.attr for found in node.test.find_all(nodes.Getattr)} | names(node.test)
        yield from (one for part in node.body for one in literals(part, (*guards, own)))
        earlier = own
        for other in node.elif_:
            yield from literals(other, guards)
            earlier = earlier | names(other.test)
        yield from (one for part in node.else_ for one in literals(part, (*guards, earlier)))
    elif isinstance(node, nodes.For):
        looped = {found.attr for found in node.iter.find_all(nodes.Getattr)}
        looped |= names(node.test) if node.test else set()
        yield from (one for part in node.body for one in literals(part, (*guards, looped)))
    else:
        yield from (one for part in node.iter_child_nodes() for one in literals(part, guards))


def names(node):
    found = {one.attr for one in node.find_all(nodes.Getattr)} | {one.name for one in node.find_all(nodes.Name)}
    return found | ({node.attr} if isinstance(node, nodes.Getattr) else set())


def test_the_template_claims_nothing_but_under_a_condition_that_is_a_claim():
    results = document.source().split("# Appendix")[0]
    unguarded = [
        (claim[0], words)
        for words, guards in literals(document.environment().parse(balanced(results)))
        for claim in CLAIM.finditer(HARMLESS.sub("", words))
        if not any(guard & CLAIMS for guard in guards)
    ]
    assert unguarded == []


def balanced(part):
    """The template up to the appendix, its open conditions closed."""
    openings = len(re.findall(r"{%-? if ", part)) - len(re.findall(r"{%-? endif", part))
    return part + "{% endif %}" * openings


def test_the_template_compares_no_numbers():
    for tag in re.findall(r"{[%{](.*?)[%}]}", document.source(), re.DOTALL):
        assert not re.search(r"[<>]|[!=]= *[\d.]", re.sub(r"length (==|>) 1", "", tag)), tag


@without_shrinking
@given(studies)
def test_a_claim_has_an_adjusted_p_below_5_percent_and_an_interval_without_0(made):
    for claim in find(made).answers.claims.values():
        d = claim.difference
        assert not (claim.lower and claim.higher)
        assert claim.is_significant == (claim.adjusted_p < 0.05) == (claim.lower or claim.higher)
        if claim.lower:
            assert d.low <= d.mean <= d.high < 0
        if claim.higher:
            assert 0 < d.low <= d.mean <= d.high


@without_shrinking
@given(studies)
def test_the_document_of_any_study_is_whole_short_and_claims_nothing_that_an_interval_denies(made):
    written = text(made)
    assert not re.search(r"\bNone\b(?! is on record)|\bnan\b|\{|\}|Undefined|\( |,,|\.\.", written)
    assert not re.search(r"[^\n]\n#", written)
    assert all(line.count(" | ") <= 4 for line in written.splitlines())
    assert len(words(written.split("# Appendix")[0])) <= 1500
    for low, high in re.findall(r"\*\*[^*|]*?\(([−+×\d.,]+) to ([−+\d.,]+)\)\*\*", written):
        assert excludes(low, high), (low, high)
    if "## Answers" not in written:
        return
    for row in rows(written, "| question"):
        answer, number = row["answer"], row["number (95 % interval)"]
        assert len(answer.split()) <= 12, row
        if re.match(r"(Larger|Smaller|Yes)", answer) and "(" in number:
            low, high = re.search(r"\((\S+) to (\S+)\)", number).groups()
            assert excludes(low, high), row
            if "doubling" in number and "×" not in number:
                assert answer.startswith("Larger") == low.startswith("−")


def excludes(low, high):
    ends = [float(end.replace("−", "-").replace("+", "")) for end in (low, high)]
    signed = any(end[0] in "−+" for end in (low, high))
    return ends[0] > 0 or ends[1] < 0 if signed else min(ends) > 1


def words(part):
    return re.findall(r"[^\W\d_][\w’'-]*", re.sub(r"!\[.*?\]\(.*?\)|`[^`]*`", "", part))


@pytest.mark.parametrize(
    ("factors", "answer"),
    [
        ({"batch size 16": 1.9, "batch size 32": 1.4}, "Larger: the val loss is lower."),
        ({"batch size 16": 0.5, "batch size 32": 0.7}, "Smaller: the val loss is lower."),
        ({}, "The trend is not significant."),
    ],
)
def test_the_trend_over_batch_sizes_is_answered_as_it_was_made(factors, answer):
    made = study(5, factors)
    assert answers(made)["Smaller or larger batches, at the best epoch?"]["answer"] == answer


def test_the_learning_rate_is_the_one_that_no_other_beats():
    made = study(5, {"learning rate 0.01": 3.0, "learning rate 0.0001": 1.6})
    row = answers(made)["Which learning rate?"]
    assert row["answer"] == "0.001: no other has a significantly lower val loss."
    assert row["number (95 % interval)"].startswith("0.01 against 0.001: ×")
    made = study(5, {"learning rate 0.01": 3.0})
    assert answers(made)["Which learning rate?"]["answer"].startswith("0.0001 or 0.001: no significant difference")


@pytest.mark.parametrize("factor", [0.5, 1.0, 1.9])
def test_an_improvement_is_called_one_when_it_is(factor):
    message = section(study(5, {"dropout": factor}), 4)
    (row,) = [row for row in rows(message, "| change") if row["change"] == "dropout"]
    assert row["lowest val loss against the default"].startswith("**") == (factor != 1.0)
    listed = re.search(r"Significantly lower val loss, strongest first: (.*?)\.", message)
    assert (listed is not None and "dropout" in listed[1]) == (factor == 0.5)


def test_what_the_rise_is_made_of_is_said_as_it_was_made():
    message = section(study(5, noise=0.01), 1)
    assert "**Yes.**" in message
    assert "So the network becomes too certain, and mistakes cost more as well." in message


def test_runs_of_an_earlier_version_lack_the_temperature_and_have_the_rest():
    made = study(5, noise=0.01)
    message = section(without(made, calibration=()), 1)
    assert "From the lowest loss to the end" in message
    assert "too certain" not in message
    assert "## 3. Learning rate" in text(without(made, calibration=(), embedding=None))


def test_label_smoothing_is_not_compared_by_cross_entropy():
    made = study(5, {"label smoothing": 1.8})
    (row,) = [row for row in rows(section(made, 4), "| change") if row["change"] == "label smoothing"]
    assert row["lowest val loss against the default"] == "not tested"
    assert not any(is_tested(c, "best loss") for c in comparisons() if "label smoothing" in c.weights)


def test_early_stopping_is_told_by_what_it_saved_and_is_not_tested():
    made = study()
    assert len(find(made).shortened) == 3
    assert not any("early stopping" in c.weights for c in comparisons())


def test_one_seed_is_described_and_not_tested():
    message = text(study(seeds=1, factors={"AlexNet": 0.3}))
    assert "One seed shows nothing of the seed-to-seed variation" in message
    assert not re.search(r"\*\*[−+×\d]", message)


def test_the_strength_of_what_a_study_finds_is_said():
    assert re.search(
        r"With 5 seeds this study finds a decrease of the loss of \d+ % with a chance of 80 %", text(study(5))
    )


def test_a_study_without_a_single_run_has_no_answers_and_says_so():
    message = text(study(keep=lambda variant, seed: False))
    assert "there are no answers so far" in message
    assert "Not queued: default, seeds 0, 1 and 2" in message


def test_without_runs_of_the_default_nothing_is_compared():
    assert find(study(keep=lambda variant, seed: variant != DEFAULT)).answers.claims == {}


def test_figures_that_were_not_drawn_are_not_named():
    message = text(study(), ALL[:2])
    assert message.count("![") == 2
    assert "Figure 3" not in message


def test_mistakes_are_those_of_the_predictions():
    made = study(3, wrong=lambda variant, seed: 6 if variant == DEFAULT else 3)
    message = section(made, 6)
    assert "misclassifies 6.0 of 20 test images per run" in message
    (total,) = [row for row in rows(message, "| true → predicted") if row["true → predicted"] == "all errors"]
    assert total["default"] == "6.0"
    assert total["AlexNet"] == "3.0"
