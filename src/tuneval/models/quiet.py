"""Keep the libraries' bars and advice out of our own story."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

# bitsandbytes speaks when peft or transformers' Trainer imports it (a kernel that we never use is
# not there), and in every 8-bit layer of every pass (its inputs are rounded to float16).
for _name in ("bitsandbytes.backends.cpu.ops", "bitsandbytes.autograd._functions"):
    logging.getLogger(_name).setLevel(logging.ERROR)


@contextmanager
def quiet_libraries() -> Iterator[None]:
    """Only errors of transformers and its kin are shown inside; all is as before afterwards."""
    from transformers.utils import logging as transformers_logging

    level = transformers_logging.get_verbosity()
    had_bars = transformers_logging.is_progress_bar_enabled()
    gguf = logging.getLogger("gguf")
    gguf_level = gguf.level
    transformers_logging.set_verbosity_error()
    transformers_logging.disable_progress_bar()
    gguf.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        gguf.setLevel(gguf_level)
        transformers_logging.set_verbosity(level)
        if had_bars:
            transformers_logging.enable_progress_bar()
