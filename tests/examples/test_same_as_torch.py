"""Each example prints under tinygrad_edu what it prints under torch."""

import pytest

from tests.examples import report
from tests.examples.runner import NAMES, first_difference, numbers, output, torch_lacks_it
from tests.oracle import torch

SEEDS = (0, 1, 2)
SHARED = [name for name in NAMES if not torch_lacks_it(name)]

# Training that multiplies rounding errors. Torch in float64 parts from torch in float32 as well: the comparison
# ends at the first line where it does.
AMPLIFIED = {"19_residual.py"}

# An example must print something to compare: (numbers, over the three seeds). Together they are thousands.
LEAST = 1500


@pytest.fixture(autouse=True)
def one_thread():
    torch.set_num_threads(1)


@pytest.mark.parametrize("name", SHARED)
def test_an_example_prints_what_it_prints_under_torch(name, record_property):
    compared = 0
    for seed in SEEDS:
        ours, theirs = output(name, "ours", seed), output(name, "torch", seed)
        end = len(theirs.splitlines())
        if name in AMPLIFIED:
            end = first_difference(theirs, output(name, "torch64", seed))
            assert end is not None, f"{name} amplifies no rounding: compare all of it"
            parted = theirs.splitlines()[end].strip()
            record_property(report.PARTED, f"{name}, seed {seed}, ends at {parted!r}: float64 parts there from float32")
        differs = first_difference("\n".join(ours.splitlines()[:end]), "\n".join(theirs.splitlines()[:end]))
        if differs is not None:
            shown = [(text.splitlines() + ["(nothing)"] * end)[differs] for text in (ours, theirs)]
            pytest.fail(f"{name}, seed {seed}, line {differs + 1}:\n  ours   {shown[0]}\n  torch  {shown[1]}")
        compared += len(numbers("\n".join(theirs.splitlines()[:end])))
    record_property(report.COMPARED, compared)


def test_the_comparison_covers_enough_numbers():
    compared = sum(len(numbers(output(name, "torch", seed))) for name in SHARED for seed in SEEDS)
    assert compared > LEAST


def test_most_examples_run_under_torch_too():
    assert len(SHARED) >= len(NAMES) - 2


def test_the_comparison_sees_a_changed_word_and_a_changed_number():
    assert first_difference("loss 0.123\nend", "loss 0.124\nend") is None
    assert first_difference("loss 0.123\nend", "loss 0.125\nend") == 0
    assert first_difference("loss 0.123\nend", "loss 0.123\nEnd") == 1
    assert first_difference("3 layers", "4 layers") == 0
    assert first_difference("1.3e-02", "1.4e-02") is None
    assert first_difference("1.3e-02", "1.3e-03") == 0
    assert first_difference("a\nb", "a") == 1
