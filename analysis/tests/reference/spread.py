"""Ratios of spreads and of means, Welch's interval and an inverse variance's interval by NumPy and SciPy. Writes spread.json beside
itself.

Run: python3 analysis/tests/reference/spread.py
"""

import json
import platform
from pathlib import Path

import numpy as np
import scipy
from scipy import optimize, stats


def deviations(values):
    return np.abs(values - np.median(values))


def pseudo_values(values):
    """Pseudo-values of the logarithm of the mean absolute deviation from the median."""
    n = len(values)
    log = lambda kept: np.log(deviations(kept).mean())
    return np.array([n * log(values) - (n - 1) * log(np.delete(values, left)) for left in range(n)])


def independent(one, other):
    first, second = pseudo_values(one), pseudo_values(other)
    log = first.mean() - second.mean()
    half = stats.t.ppf(0.975, min(len(one), len(other)) - 1) * np.hypot(stats.sem(first), stats.sem(second))
    return [float(np.exp(log + side)) for side in (0, -half, half)]


def paired(one, other):
    first, second = deviations(one), deviations(other)
    log = np.log(first.mean() / second.mean())
    half = stats.t.ppf(0.975, len(one) - 1) * stats.sem(first / first.mean() - second / second.mean())
    return [float(np.exp(log + side)) for side in (0, -half, half)]


def fieller(one, other):
    """Where the t statistic of the mean of one minus r times that of other is just significant."""
    t = stats.t.ppf(0.975, min(len(one), len(other)) - 1)
    error = lambda r: np.sqrt(stats.sem(one) ** 2 + (r * stats.sem(other)) ** 2)
    beyond = lambda r: abs(one.mean() - r * other.mean()) / error(r) - t
    ratio = one.mean() / other.mean()
    ends = [optimize.brentq(beyond, ratio, ratio + far, xtol=1e-14, rtol=1e-15) for far in (-ratio, 9 * ratio)]
    return [float(ratio), *map(float, ends)]


def case(seed, n, m):
    random = np.random.default_rng(seed)
    one, other = random.normal(300, 50, n), random.normal(280, 20, m)
    welch = stats.ttest_ind(one, other, equal_var=False).confidence_interval(0.95)
    return {
        "one": one.tolist(),
        "other": other.tolist(),
        "spread_ratio": independent(one, other),
        "difference": [float(one.mean() - other.mean()), float(welch.low), float(welch.high)],
        "ratio": fieller(one, other),
        "paired": paired(one, other) if n == m else None,
        "inverse_variance": [float(0.25 * stats.chi2.ppf(p, n - 1) / (n - 1)) for p in (0.025, 0.975)],
    }


def main():
    result = {
        "made_by": "analysis/tests/reference/spread.py",
        "versions": {"python": platform.python_version(), "numpy": np.__version__, "scipy": scipy.__version__},
        "cases": [case(1, 12, 12), case(2, 10, 25), case(3, 46, 46), case(4, 4, 4)],
    }
    Path(__file__).with_suffix(".json").write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
