"""What the laboratory says: in two languages, and only what it has measured."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable
from typing import Any

import pytest

from tests.lab.conftest import measured
from tinygrad_edu import lab
from tinygrad_edu.lab import _degradation, _dying_relu, _regularisation
from tinygrad_edu.lab._experiment import columns, paragraph, width

NUMBER = re.compile(r"\d+(?:\.\d+)?(?:e[-+]\d+)?")
CHINESE = re.compile(r"[\u4e00-\u9fff]")
Findings = Any


def words(experiment: lab.Experiment[Any], findings: Findings) -> list[lab.Text]:
    """Give every text that an experiment prints."""
    table = experiment.table(findings)
    cells = [cell for row in (table.head, *table.rows) for cell in row if isinstance(cell, lab.Text)]
    return [experiment.title, *experiment.explain(findings), *cells]


def test_every_text_is_there_in_both_languages(experiment, findings):
    for text in words(experiment, findings):
        assert text.en
        assert not CHINESE.search(text.en), text.en
        assert CHINESE.search(text.zh) or text.en == text.zh, text.zh  # a name such as sigmoid(x) stays


def test_paragraphs_have_substance(experiment, findings):
    for text in experiment.explain(findings):
        assert len(text.en.split()) >= 30
        assert len(CHINESE.findall(text.zh)) >= 30


def test_no_line_is_longer_than_a_terminal(experiment, findings):
    for language in ("en", "zh"):
        assert max(width(line) for line in experiment.report(findings, language).splitlines()) <= 100


def scaled(value: Any, factor: float) -> Any:
    """Multiply every float of some findings."""
    if dataclasses.is_dataclass(value):
        fields = {field.name: scaled(getattr(value, field.name), factor) for field in dataclasses.fields(value)}
        return type(value)(**fields)
    if isinstance(value, dict):
        return {key: scaled(inner, factor) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(scaled(inner, factor) for inner in value)
    return value * factor if isinstance(value, float) else value


def test_both_languages_quote_the_same_numbers_whatever_was_measured(experiment, findings):
    for measurement in (findings, scaled(findings, 0.7)):
        for text in experiment.explain(measurement):
            assert sorted(NUMBER.findall(text.en)) == sorted(NUMBER.findall(text.zh))
            assert NUMBER.search(text.en)


def test_other_findings_make_another_table_and_other_paragraphs(experiment, findings):
    other = scaled(findings, 0.7)
    assert experiment.table(other) != experiment.table(findings)
    for language in ("en", "zh"):
        before, after = ([text.within(language) for text in experiment.explain(of)] for of in (findings, other))
        assert before != after


def changed(name: str, **fields: Any) -> Findings:
    return dataclasses.replace(measured(name), **fields)


def one_training(name: str, which: str, **fields: Any) -> Findings:
    trainings = measured(name).trainings
    return changed(name, trainings=trainings | {which: dataclasses.replace(trainings[which], **fields)})


QUOTED: dict[str, tuple[Callable[[], Findings], str]] = {
    "saturation": (lambda: changed("saturation", slope_at={0: 0.5, 3: 0.1, 6: 0.02}), "20.0%"),
    "xor": (lambda: changed("xor", by_hand=[0, 1, 7, 0]), "7"),
    "vanishing": (
        lambda: changed("vanishing", ratios=measured("vanishing").ratios | {"tanh": [0.0, 0.0, 0.0, 0.37]}),
        "0.37",
    ),
    "dying-relu": (lambda: changed("dying-relu", constant_loss=0.321), "0.321"),
    "degradation": (lambda: one_training("degradation", "30 residual", accuracy=0.12), "0.12"),
    "saddle": (lambda: changed("saddle", eigenvalues=[-7.0, 2.0]), "-7"),
    "local-minima": (
        lambda: changed("local-minima", heights=[h - (i == 5) for i, h in enumerate(measured("local-minima").heights)]),
        f"{max(measured('local-minima').heights):.3f}",
    ),
    "learning-rate": (lambda: changed("learning-rate", momentum_gap=0.25), "0.2"),
    "batches": (lambda: changed("batches", whole=[9.0, 9.0, 9.0]), "e+01"),
    "cross-entropy": (lambda: changed("cross-entropy", ends=[1.25] * 4), "5.0000"),
    "regularisation": (lambda: one_training("regularisation", "dropout", test=5.0), "4.938"),
}


def test_every_experiment_has_a_quotation_to_check():
    assert QUOTED.keys() == lab.EXPERIMENTS.keys()


def test_paragraphs_quote_the_findings_they_are_given(experiment, findings):
    change, expected = QUOTED[experiment.name]
    for language in ("en", "zh"):
        says = "\n".join(text.within(language) for text in experiment.explain(change()))
        said = "\n".join(text.within(language) for text in experiment.explain(findings))
        assert expected in says
        assert says != said


def test_a_regularisation_that_does_not_help_is_not_praised():
    explain = _regularisation.explain
    assert "Both narrow the gap" in explain(measured("regularisation"))[0].en
    assert "两者都缩小了差距" in explain(measured("regularisation"))[0].zh
    worse = one_training("regularisation", "dropout", test=5.0)
    assert "Only weight decay narrows the gap" in explain(worse)[0].en
    assert "只有权重衰减缩小了差距" in explain(worse)[0].zh


def test_a_descent_that_stays_at_the_saddle_is_not_said_to_escape():
    explain = lab.EXPERIMENTS["saddle"].explain
    assert "far below" in explain(measured("saddle"))[0].en
    stuck = changed("saddle", noisy=[(1.0, 0.0), (0.8, 0.0)])
    assert "still near the saddle" in explain(stuck)[0].en
    assert "仍在鞍点附近" in explain(stuck)[0].zh


def test_trainings_that_do_not_diverge_are_not_said_to():
    found = measured("dying-relu")
    calm = dataclasses.replace(found, trainings=found.trainings | {1.0: found.trainings[0.1]})
    assert "5 of 5 trainings diverge" in _dying_relu.explain(found)[0].en
    assert "0 of 5 trainings diverge" in _dying_relu.explain(calm)[0].en


def test_the_plain_network_is_judged_by_its_own_numbers():
    better = one_training("degradation", "30 plain", accuracy=0.9)
    assert "accuracy 0.90" in _degradation.explain(better)[0].en


def test_a_table_with_chinese_stands_in_columns():
    table = lab.Table([lab.Text("a", "网络"), "b"], [["x", "1"], [lab.Text("long", "三十层"), "22"]])
    assert columns(table, "zh").splitlines() == ["网络     b", "x        1", "三十层  22"]


def test_no_line_ends_with_an_opening_mark():
    for line in range(6, 14, 2):
        lines = paragraph("一二“三四”五（六七）八", line=line).splitlines()
        assert "".join(lines) == "一二“三四”五（六七）八"
        assert not any(text.endswith(("“", "（")) for text in lines)


@pytest.mark.parametrize("mark", "，。；：）”")
def test_no_line_begins_with_a_closing_mark(mark):
    for line in range(4, 14, 2):
        lines = paragraph(f"一二三{mark}四五六七{mark}八", line=line).splitlines()
        assert "".join(lines) == f"一二三{mark}四五六七{mark}八"
        assert not any(text.startswith(mark) for text in lines)
