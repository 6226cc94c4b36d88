"""The 2023 study's numbers by NumPy and SciPy, straight from the published CSV files. Prints them beside the values that
stand in analysis/src/ssp2023/expected.rs; writes ssp2023.json beside itself.

Run: python3 analysis/tests/reference/ssp2023.py DIR   (DIR holds the study's eight CSV files)
"""

import json
import platform
import sys
from pathlib import Path

import numpy as np
import scipy
from scipy import stats

RECORDINGS = {
    "docker": ("docker-without-hook", "docker-with-benchmark"),
    "kind": ("kind-without-hook", "kind-with-hook"),
    "eks-pod": ("aws-pod-without-hook", "aws-pod-with-hook"),
    "eks-nodes": ("aws-nodes-without-hook", "aws-nodes-with-hook"),
}
CUTS = (0, 4_000, 10_000, 20_000)
BATCHES = (500, 1_000, 2_000, 4_600)


def read(directory, prefix):
    (path,) = directory.glob(prefix + "*.csv")
    return np.loadtxt(path, delimiter=",", skiprows=1)[:, 1]


def autocorrelation(x, lag):
    y = x - x.mean()
    return float((y[:-lag] * y[lag:]).sum() / (y * y).sum())


def effective_n(x, batch=1_000):
    means = x[: len(x) // batch * batch].reshape(-1, batch).mean(axis=1)
    return float(len(x) * x.var(ddof=1) / (batch * means.var(ddof=1)))


def correlated_until(x):
    """The lag at which Geyer's initial positive sequence ends (https://doi.org/10.1214/ss/1177011137): the first even lag
    whose autocorrelation and the next one have no positive sum."""
    y = x - x.mean()
    spectrum = np.abs(np.fft.rfft(y, 2 << (len(y) - 1).bit_length())) ** 2
    covariance = np.fft.irfft(spectrum)[: len(y) // 2 * 2]
    sums = covariance[::2] + covariance[1::2]
    return int(2 * np.argmax(sums <= 0))


def halves_p(x):
    half = len(x) // 2
    return float(stats.ttest_ind(x[half:], x[:half]).pvalue)


def condition(unmodified, hook):
    arms = (unmodified[4_000:], hook[4_000:])
    test = stats.ttest_ind(arms[1], arms[0])
    n = [len(x) for x in arms]
    pooled = sum((len(x) - 1) * x.var(ddof=1) for x in arms) / (sum(n) - 2)
    return {
        "n": n,
        "mean_ms": [float(x.mean()) for x in arms],
        "median_ms": [float(np.median(x)) for x in arms],
        "pooled_std_ms": float(np.sqrt(pooled)),
        "t": float(test.statistic),
        "p": float(test.pvalue),
        "p_by_cut": {str(cut): float(stats.ttest_ind(hook[cut:], unmodified[cut:]).pvalue) for cut in CUTS},
        "p_by_halves": [halves_p(x) for x in arms],
        "lag_1": [autocorrelation(x, 1) for x in arms],
        "lag_100": [autocorrelation(x, 100) for x in arms],
        "effective_n": [effective_n(x) for x in arms],
        "effective_n_by_batch": {str(batch): [effective_n(x, batch) for x in arms] for batch in BATCHES},
        "correlated_until": [correlated_until(x) for x in arms],
        "squares_correlated_until": [correlated_until((x - x.mean()) ** 2) for x in arms],
    }


def main():
    directory = Path(sys.argv[1])
    result = {
        "made_by": "analysis/tests/reference/ssp2023.py",
        "versions": {"python": platform.python_version(), "numpy": np.__version__, "scipy": scipy.__version__},
        "conditions": {
            name: condition(*(read(directory, prefix) for prefix in prefixes)) for name, prefixes in RECORDINGS.items()
        },
    }
    Path(__file__).with_suffix(".json").write_text(json.dumps(result, indent=1) + "\n")
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
