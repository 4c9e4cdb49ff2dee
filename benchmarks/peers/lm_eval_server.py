"""lm-evaluation-harness behind a pipe: log-likelihoods of (context, continuation) pairs.

Runs in lm-eval's own environment, where tuneval is not installed. Reads one JSON object a line:
{"pairs": [[context, continuation], ...]}; writes one: the log-probabilities and what
`HFLM.loglikelihood` took, in the words of `measuring.Took`.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import os
import sys
import time
from pathlib import Path


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder")
    parser.add_argument("--batch-size", type=int, default=8)
    asked = parser.parse_args()
    # Whatever libraries print must not stand between the answers.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)

    import torch
    from lm_eval import __version__
    from lm_eval.api.instance import Instance
    from lm_eval.models.huggingface import HFLM

    model = HFLM(
        pretrained=asked.folder, dtype="float32", device="cpu", batch_size=asked.batch_size
    )
    ready = {"lm_eval": __version__, "torch": torch.__version__, "threads": torch.get_num_threads()}
    print(json.dumps(ready), file=answers, flush=True)
    for line in sys.stdin:
        requests = [
            Instance(request_type="loglikelihood", doc={}, arguments=tuple(pair), idx=0)
            for pair in json.loads(line)["pairs"]
        ]
        ctypes.CDLL("libc.so.6").malloc_trim(0)  # what was freed before is not needed now
        Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
        before = _resident("VmRSS")
        start, cpu_start = time.perf_counter(), time.process_time()
        found = model.loglikelihood(requests, disable_tqdm=True)
        answer = {
            "seconds": time.perf_counter() - start,
            "cpu_seconds": time.process_time() - cpu_start,
            "mebibytes": _resident("VmHWM") - before,
            "logprobs": [logprob for logprob, _ in found],
        }
        print(json.dumps(answer), file=answers, flush=True)


def _resident(name: str) -> float:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(name))


if __name__ == "__main__":
    main()
