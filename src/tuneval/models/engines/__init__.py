"""Where likelihood is measured: in this process, by vLLM, or by workers on other machines.

Every engine answers the same question: the negative log-likelihood of targets after contexts.
"""

from tuneval.catalog import Catalog

ENGINES = Catalog(
    "engine",
    {
        "torch": "tuneval.models.engines.torch:open_engine",
        "vllm": "tuneval.models.engines.vllm:open_engine",
    },
)
