"""The number of threads of NumPy's matrix products can be asked and set."""

from __future__ import annotations

from tinygrad_edu import _blas


def test_the_number_of_threads_is_what_was_set() -> None:
    before = _blas.get_threads()
    if before is None:  # another library than OpenBLAS: nothing can be told, and that is said
        assert not _blas.set_threads(1)
        return
    try:
        assert _blas.set_threads(1)
        assert _blas.get_threads() == 1
    finally:
        _blas.set_threads(before)
    assert _blas.get_threads() == before
