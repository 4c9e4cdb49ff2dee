"""Ray on this machine for tests: one node, or a cluster of several."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest


def quiet_ray() -> Any:
    """The ray package, without its advice and without a look for other people's clusters."""
    os.environ["RAY_ADDRESS"] = "local"
    os.environ["RAY_DEDUP_LOGS_SKIP_REGEX"] = "."
    os.environ["RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO"] = "0"
    return pytest.importorskip("ray")


@contextmanager
def ray_here(n_cpus: int) -> Iterator[Any]:
    """A cluster of one node, and this process connected to it."""
    ray = quiet_ray()
    with warnings.catch_warnings():
        # Ray starts its processes and drops what it knows of them.
        warnings.simplefilter("ignore", ResourceWarning)
        ray.init(
            "local",
            num_cpus=n_cpus,
            include_dashboard=False,
            log_to_driver=False,
            logging_level="ERROR",
            object_store_memory=80 * 2**20,
        )
        try:
            yield ray
        finally:
            ray.shutdown()


@contextmanager
def ray_cluster(*cpus_of_nodes: int) -> Iterator[Any]:
    """Nodes with so many CPUs each; the first one is the head. This process stays apart."""
    quiet_ray()
    from ray.cluster_utils import Cluster

    args = {"include_dashboard": False, "object_store_memory": 80 * 2**20}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        cluster = Cluster(
            initialize_head=True, head_node_args={"num_cpus": cpus_of_nodes[0], **args}
        )
        try:
            for n_cpus in cpus_of_nodes[1:]:
                cluster.add_node(num_cpus=n_cpus, object_store_memory=80 * 2**20)
            yield cluster
        finally:
            cluster.shutdown()
