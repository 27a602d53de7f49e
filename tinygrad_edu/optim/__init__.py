"""Optimizers: rules that change parameters by their gradients, and schedules of the learning rate."""

from . import lr_scheduler
from ._adadelta import Adadelta
from ._adagrad import Adagrad
from ._adam import Adam
from ._adamw import AdamW
from ._lbfgs import LBFGS
from ._optimizer import Optimizer
from ._rmsprop import RMSprop
from ._sgd import SGD

__all__ = ["LBFGS", "SGD", "Adadelta", "Adagrad", "Adam", "AdamW", "Optimizer", "RMSprop", "lr_scheduler"]
