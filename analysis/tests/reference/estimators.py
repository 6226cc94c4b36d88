"""Reference values for the bootstrap's formulas, A12, ratios, Holm's method and stationarity, from SciPy, NumPy and
statsmodels. Writes estimators.json beside itself.

Run: python3 analysis/tests/reference/estimators.py
"""

import json
import platform
import warnings
from pathlib import Path

import numpy as np
import scipy
import statsmodels
from scipy import stats
from scipy.stats._resampling import _bca_interval
from statsmodels.stats.multitest import multipletests
from statsmodels.tsa.stattools import kpss


def bootstrap():
    """Given the same resamples: SciPy's own BCa percentiles of them, and the percentile-t interval by NumPy."""
    generator = np.random.default_rng(11)
    rows = []
    for values in (
        [3.91, 3.78, 3.86, 3.95, 3.80, 3.84, 3.89, 3.77, 3.93, 3.82],
        [120.0, 3.5, 10.25, 44.0, 61.5, 2.0, 7.5],
        [5.0, 5.0, 6.0, 9.0, 30.0, 5.0],
    ):
        x = np.array(values)
        drawn = generator.choice(x, size=(299, len(x)))
        drawn = drawn[drawn.std(axis=1) > 0]
        means, errors = drawn.mean(axis=1), drawn.std(axis=1, ddof=1) / np.sqrt(len(x))
        # A resample of each value once has the same mean but for the order of its sum.
        means[np.isclose(means, x.mean(), rtol=1e-12)] = x.mean()
        a1, a2, _ = _bca_interval((x,), lambda data, axis: data.mean(axis=axis), 0, 0.025, means, None, np)
        bca = [float(np.quantile(means, float(np.squeeze(a)))) for a in (a1, a2)]
        t = (means - x.mean()) / errors
        error = x.std(ddof=1) / np.sqrt(len(x))
        low, high = x.mean() - np.quantile(t, 0.975) * error, x.mean() - np.quantile(t, 0.025) * error
        rows.append(
            {
                "values": values,
                "means": means.tolist(),
                "errors": errors.tolist(),
                "ends": bca + [float(low), float(high)],
            }
        )
    return rows


def a12():
    generator = np.random.default_rng(12)
    rows = []
    for n, m, shift in ((1, 1, 0), (7, 5, 3), (300, 200, 4), (150, 400, -20)):
        baseline = generator.integers(0, 40, n)
        arm = generator.integers(0, 40, m) + shift
        u = stats.mannwhitneyu(arm, baseline).statistic
        rows.append({"baseline": baseline.tolist(), "arm": arm.tolist(), "a12": float(u / (n * m))})
    return rows


def ratio():
    generator = np.random.default_rng(13)
    launches = [
        {"baseline": generator.integers(900, 1100, 30).tolist(), "arm": generator.integers(950, 1200, 25).tolist()}
        for _ in range(8)
    ]
    logs = np.log([np.mean(launch["arm"]) / np.mean(launch["baseline"]) for launch in launches])
    interval = stats.ttest_1samp(logs, 0).confidence_interval(0.95)
    return {
        "launches": launches,
        "value": float(stats.gmean([np.mean(launch["arm"]) / np.mean(launch["baseline"]) for launch in launches])),
        "low": float(np.exp(interval.low)),
        "high": float(np.exp(interval.high)),
        "p": float(stats.ttest_1samp(logs, 0).pvalue),
    }


def holm():
    rows = []
    for p in ([0.01], [0.04, 0.001, 0.03, 0.2], [0.5, 0.5, 0.9], [0.0, 1.0, 0.02, 0.02, 1e-9]):
        rows.append({"p": p, "adjusted": [float(v) for v in multipletests(p, method="holm")[1]]})
    return rows


def stationarity():
    generator = np.random.default_rng(14)
    rows = []
    for n, step in ((30, 0.0), (120, 0.0), (200, 0.15), (400, 0.3), (64, 1.0)):
        x = np.round(generator.normal(size=n) + step * generator.normal(size=n).cumsum(), 6)
        with warnings.catch_warnings():
            # Beyond the table's ends, as p says.
            warnings.simplefilter("ignore")
            statistic, p, lags, _ = kpss(x, regression="c", nlags="legacy")
        rows.append({"series": x.tolist(), "statistic": float(statistic), "p": float(p), "lags": int(lags)})
    return rows


def main():
    result = {
        "made_by": "analysis/tests/reference/estimators.py",
        "versions": {
            "python": platform.python_version(),
            "numpy": np.__version__,
            "scipy": scipy.__version__,
            "statsmodels": statsmodels.__version__,
        },
        "bootstrap": bootstrap(),
        "a12": a12(),
        "ratio": ratio(),
        "holm": holm(),
        "stationarity": stationarity(),
    }
    path = Path(__file__).with_suffix(".json")
    path.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
