"""The loss curve as a picture."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tuneval import files
from tuneval.extras import require


def plot_loss(log: Sequence[dict[str, Any]], path: Path, *, key: str = "loss") -> None:
    """Draw the loss that stands in the log as `key`, and its running mean, into a PNG file."""
    require("matplotlib", extra="train", why="to draw the loss curve")
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    rows = [row for row in log if key in row]
    steps = [row["current_steps"] for row in rows]
    losses = [row[key] for row in rows]
    figure = Figure(figsize=(7, 4), dpi=120, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    axes.plot(steps, losses, color="#9bb7d4", linewidth=1, label=key.replace("_", " "))
    axes.plot(steps, smoothed(losses), color="#1f4e79", linewidth=2, label="smoothed")
    axes.set_xlabel("step")
    axes.set_ylabel("nats per token")
    axes.grid(alpha=0.25)
    axes.legend(frameon=False)
    picture = io.BytesIO()
    figure.savefig(picture, format="png", metadata={"Software": "tuneval"})
    files.write_bytes(path, picture.getvalue())


def smoothed(values: Sequence[float]) -> list[float]:
    """TensorBoard's running mean, with the weight LLaMA-Factory's plots use for n values."""
    if not values:
        return []
    weight = 1.8 * (1 / (1 + math.exp(-0.05 * len(values))) - 0.5)
    mean, result = values[0], []
    for value in values:
        mean = mean * weight + (1 - weight) * value
        result.append(mean)
    return result
