"""Numbers as a reader sees them: rounded alike everywhere, with their interval."""

from __future__ import annotations

from tuneval.statistics.estimate import Estimate


def value_text(value: float, unit: str) -> str:
    """`61.2%` of a share, `61.2` of points, `1.234` of a plain number."""
    if unit == "share":
        return _signed(f"{value * 100:.1f}") + "%"
    return _signed(f"{value:.1f}" if unit == "points" else f"{value:.3f}")


def _signed(number: str) -> str:
    """With a true minus, and without one before a zero."""
    return number.replace("-", "−") if float(number) else number.lstrip("-")


def change_text(value: float, unit: str) -> str:
    """A difference with its sign: `+61.2` points of a share or score, `−0.321` else."""
    text = f"{abs(value) * 100:.1f}" if unit == "share" else value_text(abs(value), unit)
    return text if not float(text) else ("+" if value > 0 else "−") + text


def estimate_text(estimate: Estimate) -> str:
    """`61.2% [52.3, 69.4]`."""
    return value_text(estimate.value, estimate.unit) + _interval(estimate, signed=False)


def difference_text(estimate: Estimate) -> str:
    """`+61.2 [51.0, 70.1]`."""
    return change_text(estimate.value, estimate.unit) + _interval(estimate, signed=True)


def sample_text(estimate: Estimate) -> str:
    """`n=121, 40 groups`."""
    groups = "" if estimate.n_clusters is None else f", {estimate.n_clusters} groups"
    return f"n={estimate.n}{groups}"


def p_text(p_value: float) -> str:
    """`<0.001` or two significant digits."""
    return "<0.001" if p_value < 0.001 else f"{p_value:.2g}"


def interval_text(estimate: Estimate, *, signed: bool = False) -> str:
    """`[52.3, 69.4]`; empty when the sample supports none."""
    return _interval(estimate, signed=signed).strip()


def _interval(estimate: Estimate, *, signed: bool) -> str:
    if estimate.low is None or estimate.high is None:
        return ""
    if signed:
        ends = [change_text(end, estimate.unit) for end in (estimate.low, estimate.high)]
    else:
        ends = [value_text(end, estimate.unit).rstrip("%") for end in (estimate.low, estimate.high)]
    return f" [{ends[0]}, {ends[1]}]"
