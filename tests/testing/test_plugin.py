"""The fixture gradcheck, tried in pytest sessions of its own."""

import importlib.metadata
import os
import subprocess
import sys
import xml.etree.ElementTree as ElementTree

import pytest

pytest_plugins = ["pytester"]
PLUGIN = "tinygrad_edu.testing._plugin"

HEAD = """
import tinygrad_edu as torch

x = torch.tensor([0.5, 2.0], dtype=torch.float64, requires_grad=True)


class Wrong(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * x

    @staticmethod
    def backward(ctx, g):
        (x,) = ctx.saved_tensors
        return -2 * x * g

"""


@pytest.fixture
def session(pytester):
    """Run a test module with what the installed package brings; return the result and its lines."""

    def run(body, *options):
        pytester.makepyfile(HEAD + body)
        return pytester.runpytest("-p", "no:cacheprovider", *options)

    return run


def test_what_is_right_passes_and_returns_the_report(session):
    result = session(
        """
def test_sine(gradcheck):
    report = gradcheck(torch.sin, x)
    assert report and report.verdict == "right" and report.order == 1
    assert gradcheck(torch.sin, (x,), order=2, eps=1e-5).order == 2
"""
    )
    result.assert_outcomes(passed=1)


def test_a_failure_shows_the_line_of_the_test_and_the_report_and_nothing_of_the_checker(session):
    result = session("def test_square(gradcheck):\n    gradcheck(Wrong.apply, x)\n")
    result.assert_outcomes(failed=1)
    text = str(result.stdout)
    assert "\n>       gradcheck(Wrong.apply, x)\n" in text
    assert "GradcheckError: verdict: wrong sign" in text
    assert "analytical -4" in text
    assert "numerical  4" in text
    assert "tinygrad_edu/autograd" not in text
    assert "_plugin.py" not in text


def test_junit_xml_carries_the_report(session, pytester):
    session("def test_square(gradcheck):\n    gradcheck(Wrong.apply, x)\n", "--junitxml=found.xml")
    failure = ElementTree.parse(pytester.path / "found.xml").find(".//failure")
    assert "verdict: wrong sign" in failure.get("message")
    assert "analytical -4" in failure.text


def test_a_wrong_second_derivative_fails_at_order_2(session):
    result = session(
        """
class Stale(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.slope = 2 * x.detach()
        return x * x

    @staticmethod
    def backward(ctx, g):
        return ctx.slope * g

def test_first(gradcheck):
    gradcheck(Stale.apply, x)

def test_second(gradcheck):
    gradcheck(Stale.apply, x, order=2)
"""
    )
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["*verdict: stale or missing second-order term*"])


def test_what_the_function_raises_is_shown_from_the_function_on(session):
    result = session(
        """
def broken(x):
    raise KeyError("no such layer")

def test_broken(gradcheck):
    gradcheck(broken, x)
"""
    )
    result.assert_outcomes(failed=1)
    text = str(result.stdout)
    assert 'raise KeyError("no such layer")' in text
    assert "_gradcheck.py" not in text
    assert "_program.py" not in text


def test_arguments_that_cannot_be_checked_get_the_sentence_alone(session):
    result = session(
        """
def test_number(gradcheck):
    gradcheck(torch.sin, 3.0)

def test_order(gradcheck):
    gradcheck(torch.sin, x, order=3)
"""
    )
    result.assert_outcomes(failed=2)
    text = str(result.stdout)
    assert "ValueError: gradcheck expects at least one input tensor to require gradient" in text
    assert "ValueError: gradcheck: order must be 1 or 2, but got 3; check_grads goes further" in text
    assert "_gradcheck.py" not in text


def fresh(pytester, body):
    """Run a session of a new interpreter with the plugin, and no others."""
    pytester.makepyfile(body)
    root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    environment = os.environ | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTHONPATH": root}
    command = [sys.executable, "-m", "pytest", "-p", PLUGIN, "-p", "no:cacheprovider", "-W", "error"]
    done = subprocess.run(
        [*command, "--fixtures-per-test"], capture_output=True, text=True, env=environment, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    return done.stdout + done.stderr


def test_the_plugin_needs_no_hypothesis_and_no_torch(pytester):
    text = fresh(
        pytester,
        """
import sys

def test_only_what_is_needed_is_there():
    assert not {"torch", "hypothesis", "matplotlib"} & set(sys.modules)
""",
    )
    assert "1 passed" in text


def test_an_installed_package_brings_the_fixture():
    (entry,) = importlib.metadata.entry_points(group="pytest11", name="tinygrad_edu")
    assert entry.value == PLUGIN


def test_a_fixture_of_the_same_name_takes_precedence(pytester):
    text = fresh(
        pytester,
        """
import pytest

@pytest.fixture
def gradcheck():
    return "mine"

def test_mine(gradcheck):
    assert gradcheck == "mine"
""",
    )
    assert "1 passed" in text


def test_the_plugin_gives_the_fixture(pytester):
    text = fresh(pytester, HEAD + "def test_sine(gradcheck):\n    assert gradcheck(torch.sin, x)\n")
    assert "1 passed" in text
