import warnings as _warnings
_warnings.filterwarnings("ignore", category=RuntimeWarning, module=r"tinygrad_edu(\..*)?$")
from ._dtype import *
from ._dtype import bool, uint8, int8, int16, short, int32, int, int64, long, float16, half, float32, float, float64, double, dtype, get_default_dtype, set_default_dtype
from ._types import Size, device
from ._core.modes import no_grad, enable_grad, set_grad_enabled, inference_mode, is_grad_enabled, is_inference_mode_enabled
from ._functions import *
from ._tensor import Tensor
from ._creation import *
from ._printing import set_printoptions
from . import autograd
from .random import *
