"""``run``: scripts for PyTorch, unchanged; what they see, how they end, what they print."""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import pickle
import runpy
import subprocess
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import tinygrad_edu
from tests.oracle import torch
from tinygrad_edu._cli import compare, main

ROOT = Path(__file__).parents[2]
SEEDS = ROOT / "tests" / "fixtures" / "seeds"


def write(folder: Path, text: str, name: str = "script.py") -> str:
    path = folder / name
    path.write_text(text, "utf-8")
    return str(path)


def python(*arguments: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        capture_output=True,
        text=True,
        encoding="utf-8",
        stdin=subprocess.DEVNULL,
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8", "MPLBACKEND": "Agg"},
    )


# --- what a script sees -----------------------------------------------------------------------------------------------


def test_the_script_sees_what_python_would_show_it(tmp_path: Path) -> None:
    text = "import sys, os\nprint(__name__, __file__, sys.argv, sys.path[0], sys.modules['__main__'].__dict__ is globals())\n"
    script = write(tmp_path, text)
    plain = python(script, "a", "--lint", "-x", "--", "b")
    ours = python("-m", "tinygrad_edu", "run", script, "a", "--lint", "-x", "--", "b")
    assert ours.stdout == plain.stdout
    assert ours.stderr == plain.stderr == ""


def test_the_script_imports_its_neighbours_and_our_torch(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(tmp_path, "import torch\ndef zeros(): return torch.zeros(2)\n", "neighbour_of_the_script.py")
    script = write(
        tmp_path, "import torch, neighbour_of_the_script as n\nprint(n.zeros(), torch.nn.Linear.__module__)\n"
    )
    assert main(["run", script]) == 0
    assert capsys.readouterr().out == f"tensor([0., 0.]) {tinygrad_edu.nn.Linear.__module__}\n"
    del sys.modules["neighbour_of_the_script"]


def test_the_process_is_as_before_afterwards(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = list(sys.argv), list(sys.path), sys.modules["__main__"], sys.modules["torch"]
    main(["run", write(tmp_path, "import torch\nraise ValueError('no')\n"), "x"])
    assert (sys.argv, sys.path, sys.modules["__main__"], sys.modules["torch"]) == before
    assert "ValueError: no" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("line", "status", "error"),
    [
        ("pass", 0, ""),
        ("raise SystemExit", 0, ""),
        ("import sys; sys.exit(7)", 7, ""),
        ("import sys; sys.exit('went wrong')", 1, "went wrong\n"),
        ("raise KeyboardInterrupt", 130, "KeyboardInterrupt\n"),
    ],
)
def test_the_exit_status_is_pythons(
    line: str, status: int, error: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["run", write(tmp_path, line)]) == status
    assert capsys.readouterr().err == error


def test_a_script_that_does_not_exist_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "nowhere/script.py"]) == 2
    assert capsys.readouterr().err == "run: no such script: nowhere/script.py\n"


def test_the_traceback_shows_the_users_lines_only(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = "import torch\ndef wrong(x):\n    return x.mm(torch.zeros(4, 5))\nwrong(torch.zeros(2, 3))\n"
    script = write(tmp_path, text)
    assert main(["run", script]) == 1
    lines = capsys.readouterr().err.splitlines()
    assert "inside tinygrad_edu left out" in lines[0]
    assert lines[1] == "Traceback (most recent call last):"
    files = [line for line in lines if line.startswith("  File ")]
    assert len(files) == 2
    assert all("script.py" in line for line in files)
    assert lines[-1].startswith("RuntimeError: ")
    assert "(2x3 and 4x5)" in lines[-1]


def test_the_whole_traceback_is_shown_on_request(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    script = write(tmp_path, "import torch\ntorch.zeros(2, 3).mm(torch.zeros(4, 5))\n")
    assert main(["run", "--traceback", script]) == 1
    error = capsys.readouterr().err
    assert str(Path(tinygrad_edu.__file__).parent) in error
    assert "left out" not in error


def test_causes_are_shown_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    script = write(
        tmp_path, "try:\n    1 / 0\nexcept ZeroDivisionError as e:\n    raise ValueError('because') from e\n"
    )
    main(["run", script])
    error = capsys.readouterr().err
    assert "ZeroDivisionError" in error
    assert "direct cause" in error
    assert error.endswith("ValueError: because\n")


def test_a_syntax_error_reads_as_pythons(tmp_path: Path) -> None:
    script = write(tmp_path, "x = (1,\nprint(x\n")
    ours, plain = python("-m", "tinygrad_edu", "run", script), python(script)
    assert (ours.returncode, ours.stderr) == (plain.returncode, plain.stderr)


def test_a_thread_of_the_script_is_waited_for(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = (
        "import threading, time\n"
        "def late():\n    time.sleep(0.2)\n    import torch.nn\n    print(torch.nn.__name__, 'late')\n"
        "threading.Thread(target=late).start()\n"
    )
    assert main(["run", write(tmp_path, text)]) == 0
    assert capsys.readouterr().out == "torch.nn late\n"


def test_lint_warns_on_stderr_and_leaves_stdout_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = (
        "import torch\nfrom torch import nn\n"
        "p = nn.Softmax(dim=1)(torch.zeros(2, 3, requires_grad=True))\n"
        "print(nn.CrossEntropyLoss()(p, torch.tensor([0, 1])).item())\n"
    )
    script = write(tmp_path, text)
    main(["run", script])
    quiet = capsys.readouterr()
    main(["run", "--lint", script])
    linted = capsys.readouterr()
    assert linted.out == quiet.out
    assert quiet.err == ""
    assert linted.err.startswith("lint: script.py:4: the input of cross_entropy was made by softmax")


# --- --compare --------------------------------------------------------------------------------------------------------


def test_compare_finds_equal_output_equal(tmp_path: Path) -> None:
    text = "import torch\nx = torch.tensor([1., 2.], requires_grad=True)\n(x * x).sum().backward()\nprint(x.grad)\nprint('中文')\n"
    done = python("-m", "tinygrad_edu", "run", "--compare", write(tmp_path, text))
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "equal: 2 lines"
    assert done.stdout.count("tensor([2., 4.])") == 2


def test_compare_draws_the_same_random_numbers(tmp_path: Path) -> None:
    text = (
        "import random, numpy, torch\n"
        "print(random.random(), numpy.random.rand(), torch.rand(2), torch.nn.Linear(2, 2).weight)\n"
    )
    done = python("-m", "tinygrad_edu", "run", "--compare", write(tmp_path, text))
    assert done.returncode == 0, done.stdout


def test_a_seed_may_be_given(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    script = write(tmp_path, "import torch\nprint(torch.rand(3))\n")
    main(["run", "--seed", "3", script])
    tinygrad_edu.manual_seed(3)
    assert capsys.readouterr().out == f"{tinygrad_edu.rand(3)}\n"


def test_compare_shows_the_script_what_run_shows_it(tmp_path: Path) -> None:
    text = "import sys\nprint(__name__, __file__, sys.argv, sys.path[0], sorted(globals()))\n"
    done = python("-m", "tinygrad_edu", "run", "--compare", write(tmp_path, text), "-x", "y")
    assert done.returncode == 0, done.stdout


def test_compare_overlooks_the_addresses_of_objects(tmp_path: Path) -> None:
    text = "import torch\nprint(torch.ones(1, requires_grad=True).sum().grad_fn, object())\n"
    done = python("-m", "tinygrad_edu", "run", "--compare", write(tmp_path, text))
    assert done.returncode == 0, done.stdout
    assert "<SumBackward0 object at 0x...>" in done.stdout


def test_compare_names_the_first_line_that_differs(tmp_path: Path) -> None:
    text = "import torch\nprint('same')\nprint(torch.__version__)\nprint('same again')\n"
    done = python("-m", "tinygrad_edu", "run", "--compare", write(tmp_path, text), "argument")
    assert done.returncode == 1
    assert "first difference: line 2\n  tinygrad_edu: 2.13.0+tinygrad_edu\n  torch:        2.13.0" in done.stdout


def test_compare_notices_another_exit_status(tmp_path: Path) -> None:
    text = "import torch, sys\nsys.exit('tinygrad' in torch.__version__)\n"
    done = python("-m", "tinygrad_edu", "run", "--compare", write(tmp_path, text))
    assert done.returncode == 1
    assert "first difference: the exit status, 1 under tinygrad_edu and 0 under torch" in done.stdout


def test_compare_without_torch_says_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(compare.importlib.util, "find_spec", lambda name: None)
    assert main(["run", "--compare", write(tmp_path, "pass")]) == 2
    assert "pip install torch==2.13.0" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("left", "right", "near"),
    [
        ("loss 0.1234", "loss 0.1235", True),
        ("tensor([1.0000e-05, 2.])", "tensor([1.0001e-05, 2.])", True),
        ("loss 0.1234", "loss 0.1236", False),
        ("loss 0.1234", "cost 0.1234", False),
        ("1 2", "1 3 4", False),
        ("x", None, False),
    ],
)
def test_a_difference_in_the_last_digit_is_called_so(left: str, right: str | None, near: bool) -> None:
    assert bool(compare._remark(left, right)) is near


# --- the seeds' own listings ------------------------------------------------------------------------------------------


@contextlib.contextmanager
def figures(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Draw without a window; what matplotlib says about that, and about missing Chinese letters, is not the point."""
    monkeypatch.setenv("MPLBACKEND", "Agg")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import matplotlib

        matplotlib.use("Agg")
        import matplotlib.pyplot as plt

        monkeypatch.setattr(plt, "pause", lambda seconds: plt.gcf().canvas.draw())
        plt.close("all")
        yield
        plt.close("all")


def ours(name: str, capsys: pytest.CaptureFixture[str]) -> str:
    tinygrad_edu.manual_seed(0)
    capsys.readouterr()
    assert main(["run", str(SEEDS / name)]) == 0, capsys.readouterr().err
    return capsys.readouterr().out


def theirs(name: str) -> str:
    torch.manual_seed(0)
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        runpy.run_path(str(SEEDS / name), run_name="__main__")
    return printed.getvalue()


@pytest.mark.parametrize("name", ["s0_sigmoid.py", "s0_tanh.py", "s0_relu.py"])
def test_the_curves_of_seed_0_are_drawn_as_with_torch(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import matplotlib.pyplot as plt

    def curves() -> list[np.ndarray]:
        drawn = [line.get_xydata() for axes in plt.gcf().axes for line in axes.lines]
        plt.close("all")
        return drawn

    with figures(monkeypatch):
        assert ours(name, capsys) == ""
        mine = curves()
        theirs(name)
        for left, right in zip(mine, curves(), strict=True):
            np.testing.assert_allclose(left, right, rtol=2e-6, atol=2e-7)
    assert [len(curve) for curve in mine] == [1000, 1000]


def test_softmax_of_seed_0_prints_what_torch_prints(capsys: pytest.CaptureFixture[str]) -> None:
    printed = ours("s0_softmax.py", capsys)
    assert printed == theirs("s0_softmax.py")
    assert "0.7392" in printed


def test_initialisation_of_seed_0_prints_what_torch_prints() -> None:
    def printed(names: dict[str, object]) -> str:
        text = io.StringIO()
        with contextlib.redirect_stdout(text):
            for number in range(1, 8):
                names[f"test{number:02}"]()  # type: ignore[operator]  # the listing's functions
        return text.getvalue()

    with tinygrad_edu.as_torch():
        tinygrad_edu.manual_seed(0)
        mine = printed(runpy.run_path(str(SEEDS / "s0_init.py")))
    torch.manual_seed(0)
    assert mine == printed(runpy.run_path(str(SEEDS / "s0_init.py")))
    assert mine.count("tensor(") == 9


def test_the_model_of_seed_0_prints_its_summary_and_parameters(capsys: pytest.CaptureFixture[str]) -> None:
    lines = ours("s0_model.py", capsys).splitlines()
    assert lines[:2] == ["mydata shape torch.Size([5, 3])", "output shape--> torch.Size([5, 2])"]
    rows = [line.split() for line in lines[5:8]]
    assert [row[0] for row in rows] == ["Linear-1", "Linear-2", "Linear-3"]
    assert [row[-1] for row in rows] == ["12", "8", "6"]
    assert "Total params: 26" in lines
    with contextlib.redirect_stdout(io.StringIO()):
        reference = theirs("s0_model.py").splitlines()
    assert lines == reference


def test_the_convolutions_of_seed_3_run_on_a_local_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    official = tinygrad_edu.vision.datasets.CIFAR10
    folder = tmp_path / "data" / official.base_folder
    folder.mkdir(parents=True)

    def made(name: str, content: dict[str, object]) -> str:
        stored = pickle.dumps(content, protocol=2)
        (folder / name).write_bytes(stored)
        return hashlib.md5(stored).hexdigest()

    one = {"data": np.zeros((1, 3072), np.uint8), "labels": [0]}
    ten_thousand = {"data": np.full((10_000, 3072), 255, np.uint8), "labels": [7] * 10_000}
    monkeypatch.setattr(official, "train_list", [[name, made(name, one)] for name, _ in official.train_list])
    monkeypatch.setattr(official, "test_list", [[name, made(name, ten_thousand)] for name, _ in official.test_list])
    meta = made("batches.meta", {"label_names": list("abcdefghij")})
    monkeypatch.setattr(official, "meta", {**official.meta, "md5": meta})
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")

    printed = ours("s3_conv.py", capsys)
    assert printed.startswith("tensor([[[[0.1000, 0.1000, 0.1000, 0.1000, 0.5000],\n")
    assert "ouput: tensor([[[[" in printed
    assert printed.endswith("grad_fn=<ReluBackward0>)\n")

    with tinygrad_edu.as_torch():
        names = runpy.run_path(str(SEEDS / "s3_conv.py"))
    batches = list(names["dataloader"])
    assert len(names["dataset"]) == 10_000
    assert len(batches) == 157
    assert len(batches[-1][0]) == 16
    images, labels = batches[0]
    assert (images.shape, images.dtype, labels.dtype) == ((64, 3, 32, 32), tinygrad_edu.float32, tinygrad_edu.int64)
    assert images.max() == 1
    assert sum(p.numel() for p in names["MyData"].parameters()) == 10_060


def test_the_heat_maps_of_seed_3_are_torchs(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import matplotlib.pyplot as plt

    def maps() -> list[tuple[str, np.ndarray]]:
        drawn = [(axes.get_title(), np.asarray(axes.images[0].get_array())) for axes in plt.gcf().axes]
        plt.close("all")
        return drawn

    with figures(monkeypatch):
        printed = ours("s3_heatmap.py", capsys)
        mine = maps()
        assert printed == theirs("s3_heatmap.py")
        for (title, weights), (other, reference) in zip(mine, maps(), strict=True):
            assert title == other
            np.testing.assert_array_equal(weights, reference)
    assert [(title, weights.shape) for title, weights in mine] == [("Layer 0", (5, 2)), ("Layer 1", (1, 5))]


def test_the_regression_of_seed_4_draws_20_frames_with_torchs_losses(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import matplotlib.pyplot as plt

    def losses(run: object) -> list[float]:
        frames: list[str] = []
        monkeypatch.setattr(plt, "pause", lambda seconds: frames.append(plt.gca().texts[0].get_text()))
        run()  # type: ignore[operator]  # a function without arguments
        return [float(text.removeprefix("Loss=")) for text in frames[:-1]]  # the last pause shows the same picture

    with figures(monkeypatch):
        mine = losses(lambda: ours("s4_regression.py", capsys))
        reference = losses(lambda: theirs("s4_regression.py"))
    assert len(mine) == 20
    assert mine == pytest.approx(reference, abs=1.5e-4)
    assert mine[-1] < 0.1
