"""as_torch: torch's names answered by tinygrad_edu, and everything put back."""

from __future__ import annotations

import contextlib
import difflib
import importlib
import importlib.util
import inspect
import pickle
import subprocess
import sys
import threading
import warnings
from types import ModuleType

import numpy as np
import pytest

import tinygrad_edu
from tests.oracle import torch
from tinygrad_edu import _stand_in

IMPORTS = [
    "torch",
    "torch.nn",
    "torch.nn.functional",
    "torch.nn.init",
    "torch.nn.utils",
    "torch.nn.modules",
    "torch.nn.modules.loss",
    "torch.nn.parameter",
    "torch.utils",
    "torch.utils.data",
    "torch.utils.data.dataset",
    "torch.utils.data.dataloader",
    "torch.optim",
    "torch.optim.lr_scheduler",
    "torch.optim.optimizer",
    "torch.autograd",
    "torch.autograd.functional",
    "torch.autograd.variable",
    "torch.random",
    "torchvision",
    "torchvision.datasets",
    "torchvision.transforms",
    "torchvision.utils",
    "torchsummary",
    "torchinfo",
    "torchviz",
]


def torch_modules() -> dict[str, ModuleType]:
    return {name: module for name, module in sys.modules.items() if name.partition(".")[0] in _stand_in.ROOTS}


@pytest.mark.parametrize("name", IMPORTS)
def test_the_import_is_answered(name: str) -> None:
    with tinygrad_edu.as_torch():
        module = importlib.import_module(name)
        assert module.__name__ == name
        assert sys.modules[name] is module
        assert "standing in" in repr(module)


def test_the_names_are_ours() -> None:
    with tinygrad_edu.as_torch():
        import torch as alias
        import torch.nn.functional as F
        from torch import nn
        from torch.nn.parameter import Parameter
        from torch.utils.data.dataset import Dataset
        from torchinfo import summary as info
        from torchsummary import summary
        from torchviz import make_dot
    assert alias.Tensor is tinygrad_edu.Tensor
    assert alias.__version__.startswith("2.13.0")
    assert F.relu is tinygrad_edu.nn.functional.relu
    assert nn.Linear is tinygrad_edu.nn.Linear
    assert Parameter is tinygrad_edu.nn.Parameter
    assert Dataset is tinygrad_edu.utils.data.Dataset
    assert summary is tinygrad_edu.viz.summary
    assert info is tinygrad_edu.viz.info
    assert make_dot is tinygrad_edu.viz.make_dot


def test_attributes_of_the_alias_are_aliases_however_they_are_reached() -> None:
    with tinygrad_edu.as_torch():
        import torch as alias

        assert alias.nn.functional.__name__ == "torch.nn.functional"
        assert alias.nn.functional is importlib.import_module("torch.nn.functional")
        assert alias.utils.data is importlib.import_module("torch.utils.data")


def test_everything_is_put_back_exactly() -> None:
    before, finders = torch_modules(), list(sys.meta_path)
    with tinygrad_edu.as_torch():
        for name in IMPORTS:
            importlib.import_module(name)
        assert all(isinstance(module, _stand_in.Alias) for module in torch_modules().values())
    after = torch_modules()
    assert after.keys() == before.keys()
    assert all(after[name] is before[name] for name in before)
    assert sys.meta_path == finders


def test_a_real_torch_is_put_back_and_works() -> None:
    with tinygrad_edu.as_torch():
        import torch as alias

        assert alias is not torch
        assert torch.ones(2).sum().item() == 2  # a name bound earlier keeps meaning torch
    import torch as again

    assert again is torch


def test_a_torch_that_was_not_imported_is_not_imported_afterwards() -> None:
    program = (
        "import sys, tinygrad_edu\n"
        "with tinygrad_edu.as_torch():\n"
        "    import torch, torchvision, torchsummary\n"
        "assert not [name for name in sys.modules if name.startswith('torch')]\n"
        "import importlib.util\n"
        "spec = importlib.util.find_spec('torch')\n"
        "assert spec is None or 'tinygrad_edu' not in str(spec)\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, cwd=str(_stand_in.Path(__file__).parents[1]))


def test_an_exception_in_the_block_undoes_it_too() -> None:
    before = torch_modules()
    with contextlib.suppress(ZeroDivisionError), tinygrad_edu.as_torch():
        assert importlib.import_module("torch") is not torch
        raise ZeroDivisionError
    assert torch_modules() == before


def test_without_a_block_it_holds_until_closed() -> None:
    handle = tinygrad_edu.as_torch()
    try:
        import torch as alias

        assert alias.Tensor is tinygrad_edu.Tensor
        assert "open" in repr(handle)
    finally:
        handle.close()
    handle.close()
    import torch as again

    assert again is torch
    assert "closed" in repr(handle)


def test_blocks_nest_and_the_outermost_ends_it() -> None:
    with tinygrad_edu.as_torch():
        outer = importlib.import_module("torch")
        with tinygrad_edu.as_torch():
            assert importlib.import_module("torch") is outer
        assert importlib.import_module("torch") is outer
    assert importlib.import_module("torch") is torch


def test_handles_may_be_closed_in_any_order() -> None:
    first, second = tinygrad_edu.as_torch(), tinygrad_edu.as_torch()
    first.close()
    assert importlib.import_module("torch") is not torch
    second.close()
    assert importlib.import_module("torch") is torch


def test_an_alias_kept_after_the_end_still_answers() -> None:
    with tinygrad_edu.as_torch():
        import torch as alias
    assert alias.zeros(2).tolist() == [0, 0]
    assert alias.optim.SGD is tinygrad_edu.optim.SGD


def test_devices_that_are_not_there_can_be_imported_and_asked() -> None:
    with tinygrad_edu.as_torch():
        import torch.backends.cudnn as cudnn
        import torch.cuda

        cudnn.benchmark = True
        assert not torch.cuda.is_available()
        assert not torch.backends.mps.is_available()


def test_other_names_are_left_alone() -> None:
    with tinygrad_edu.as_torch():
        assert importlib.util.find_spec("torch_geometric_of_nobody") is None
        assert importlib.util.find_spec("json") is not None
        assert importlib.util.find_spec("torch") is not None


def test_what_torch_does_not_have_is_not_offered_under_its_name() -> None:
    with tinygrad_edu.as_torch():
        for name in ("torch.viz", "torch.datasets", "torch.vision", "torch._tensor", "torch._ops"):
            with pytest.raises(ImportError):
                importlib.import_module(name)


# --- names that torch has and tinygrad_edu lacks ----------------------------------------------------------------------


def test_a_missing_attribute_says_that_torch_has_it() -> None:
    with tinygrad_edu.as_torch():
        import torch as alias

        with pytest.raises(
            AttributeError, match=r"module 'torch' has no attribute 'stft' \(PyTorch has it, tinygrad_edu"
        ):
            _ = alias.stft
        assert not hasattr(alias, "stft")


def test_a_misspelt_attribute_names_the_nearest_we_have() -> None:
    with tinygrad_edu.as_torch():
        from torch import nn

        with pytest.raises(
            AttributeError, match=r"PyTorch has no such name either.*nearest we have: .*CrossEntropyLoss"
        ):
            _ = nn.CrossEntropyLos
        with pytest.raises(AttributeError, match=r"nearest we have: .*Conv2d"):
            _ = nn.Conv2D


def test_a_missing_import_says_so() -> None:
    with tinygrad_edu.as_torch():
        with pytest.raises(ImportError, match=r"cannot import name 'stft' from 'torch' \(PyTorch has it"):
            from torch import stft  # noqa: F401
        with pytest.raises(ImportError, match=r"cannot import name 'cross_entropi' .*nearest we have: cross_entropy"):
            from torch.nn.functional import cross_entropi  # noqa: F401
        with pytest.raises(ImportError, match=r"cannot import name 'distributed' from 'torch' \(PyTorch has it"):
            import torch.distributed  # noqa: F401


def test_a_missing_method_is_explained() -> None:
    text = _stand_in.explain_missing("torch.Tensor", "stft")
    assert text.startswith("'Tensor' object has no attribute 'stft' (PyTorch has it, tinygrad_edu does not)")


def test_the_list_of_torchs_names_is_true() -> None:
    lines = _stand_in.Path(_stand_in.__file__).with_name("_torch_names.txt").read_text().splitlines()
    checked = 0
    for line in lines:
        module, _, names = line.partition(": ")
        if module.startswith("torchvision") or module == "torch.utils.tensorboard":
            continue  # packages of their own, not needed here
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            owner = torch.Tensor if module == "torch.Tensor" else importlib.import_module(module)
            missing = [name for name in names.split() if not hasattr(owner, name)]
        assert not missing, module
        checked += len(names.split())
    assert checked > 1000


# --- libraries that look into sys.modules["torch"] --------------------------------------------------------------------


def look_into_sys_modules() -> None:
    """What scipy and scikit-learn do, and one call of each."""
    from scipy import optimize
    from scipy._lib import array_api_compat
    from sklearn.linear_model import LogisticRegression
    from sklearn.preprocessing import StandardScaler

    x = np.array([[0.0, 1.0], [1.0, 0.0], [2.0, 1.0], [3.0, 0.0]])
    assert not array_api_compat.is_torch_array(x)
    assert LogisticRegression().fit(StandardScaler().fit_transform(x), [0, 0, 1, 1]).predict(x[:1]).shape == (1,)
    assert optimize.minimize(lambda v: float(((v - 1) ** 2).sum()), np.zeros(2)).success
    array_api_compat.array_namespace(x)


def test_scipy_and_scikit_learn_work_before_during_and_after() -> None:
    look_into_sys_modules()
    with tinygrad_edu.as_torch():
        import torch as alias

        look_into_sys_modules()
        assert isinstance(alias.ones(2), sys.modules["torch"].Tensor)
    look_into_sys_modules()


def test_scikit_learn_takes_our_tensors_while_we_stand_in() -> None:
    from sklearn.linear_model import LinearRegression

    with tinygrad_edu.as_torch():
        import torch as alias

        x = alias.linspace(0, 1, 5).unsqueeze(1)
        fitted = LinearRegression().fit(x, 2 * x.squeeze(1) + 1)
        assert fitted.coef_.tolist() == pytest.approx([2.0])
    assert LinearRegression().fit(x.numpy(), x.numpy()).coef_.item() == pytest.approx(1.0)


def test_a_program_that_first_meets_scipy_inside_works_after() -> None:
    program = (
        "import tinygrad_edu, numpy as np\n"
        "with tinygrad_edu.as_torch():\n"
        "    import torch\n"
        "    from scipy import stats\n"
        "    from sklearn.linear_model import LinearRegression\n"
        "    LinearRegression().fit(np.eye(2), [0., 1.])\n"
        "    stats.zscore(np.arange(3.0))\n"
        "LinearRegression().fit(np.eye(2), [0., 1.])\n"
        "print(stats.zscore(np.arange(3.0)).round(3).tolist())\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, cwd=str(_stand_in.Path(__file__).parents[1])
    )
    assert done.stdout == "[-1.225, 0.0, 1.225]\n", done.stderr


def test_matplotlib_takes_our_tensors_while_we_stand_in() -> None:
    from matplotlib.figure import Figure

    with tinygrad_edu.as_torch():
        import torch as alias

        axes = Figure().subplots()
        (line,) = axes.plot(alias.linspace(0, 1, 3), alias.ones(3))
        axes.scatter(alias.zeros(2), alias.ones(2))
        assert line.get_xdata().tolist() == [0, 0.5, 1]


def test_tools_that_walk_through_all_modules_find_nothing_odd() -> None:
    with tinygrad_edu.as_torch():
        import torch.nn

        assert inspect.getmodule(look_into_sys_modules) is sys.modules[__name__]
        assert inspect.ismodule(torch.nn)
        assert "Linear" in dir(torch.nn)
        for module in list(sys.modules.values()):
            getattr(module, "__warningregistry__", None)


def test_what_is_pickled_inside_is_read_outside() -> None:
    with tinygrad_edu.as_torch():
        import torch as alias

        stored = pickle.dumps(alias.arange(3))
    assert pickle.loads(stored).tolist() == [0, 1, 2]


def test_threads_may_begin_and_end_at_once() -> None:
    def use() -> None:
        for _ in range(20):
            with tinygrad_edu.as_torch():
                importlib.import_module("torch.nn")

    before = torch_modules()
    threads = [threading.Thread(target=use) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert torch_modules() == before


def test_the_nearest_names_are_near() -> None:
    found = _stand_in._nearest("Conv2D", ["Conv1d", "Conv2d", "Linear"])
    assert found[0] == "Conv2d"
    assert all(difflib.SequenceMatcher(None, "conv2d", name.lower()).ratio() > 0.7 for name in found)


def test_a_function_keeps_its_name_when_the_module_of_that_name_is_imported(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(
        "import torch\nfrom torch.autograd.gradcheck import GradcheckError\nprint(callable(torch.autograd.gradcheck))\n"
    )
    done = subprocess.run(
        [sys.executable, "-m", "tinygrad_edu", "run", str(script)], capture_output=True, text=True, check=True
    )
    assert done.stdout == "True\n"


def test_the_type_of_a_tensor_is_printed_as_torch_prints_it() -> None:
    def program(t):
        return str(type(t.ones(1))), str([t.Tensor])

    before = str(tinygrad_edu.Tensor)
    with tinygrad_edu.as_torch(), tinygrad_edu.as_torch():
        import torch as alias

        assert program(alias) == program(torch)
    assert str(tinygrad_edu.Tensor) == before
    assert "tinygrad_edu" in before
