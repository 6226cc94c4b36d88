"""Reference values for the estimators, from SciPy, NumPy and mpmath. Writes statistics.json beside itself.

Run: python3 analysis/tests/reference/statistics.py
"""

import json
import math
import platform
from pathlib import Path

import mpmath
import numpy as np
import scipy
from scipy import stats

mpmath.mp.dps = 50


def ln_p(t, df):
    """ln of the two-sided p value at 50 digits, also where a double underflows."""
    t, df = mpmath.mpf(t), mpmath.mpf(df)
    if t == 0:
        return 0.0
    x = df / (df + t * t)
    # For large arguments mpmath's hypergeometric series needs the tail integral instead.
    tail = lambda u: (1 + u * u / df) ** (-(df + 1) / 2)
    steps = [t, t + 1 / t, t + 4 / t, t + 20 / t, t + 100 / t, mpmath.inf] if t > 1 else [t, 1, 2, 5, 20, mpmath.inf]
    scale = tail(t)
    area = mpmath.quad(lambda u: tail(u) / scale, steps)
    density = mpmath.loggamma((df + 1) / 2) - mpmath.loggamma(df / 2) - mpmath.log(df * mpmath.pi) / 2
    return float(mpmath.log(2) + density + mpmath.log(scale) + mpmath.log(area))


def tails():
    rows = []
    for df in (1, 2, 3, 9, 19, 61, 500, 91998):
        for t in (0.001, 0.5, 1.1, 2.0, 5.0, 10.667536607538116, 22.416947704181364, 40.0, 87.53841135329156):
            p = float(2 * stats.t.sf(t, df))
            exact = ln_p(t, df)
            if p > 1e-290:
                assert math.isclose(math.log(p), exact, rel_tol=1e-9, abs_tol=1e-9), (t, df, math.log(p), exact)
            rows.append({"t": t, "df": df, "p": p, "ln_p": exact})
    return rows


def quantiles():
    return [
        {"df": df, "p": p, "t": float(stats.t.ppf(p, df))}
        for df in (1, 2, 4, 9, 19, 23, 99)
        for p in (0.8, 0.95, 0.975, 0.995)
    ]


def estimates():
    rows = []
    for values in (
        [3.91, 3.78, 3.86, 3.95, 3.80, 3.84, 3.89, 3.77, 3.93, 3.82],
        [-120.0, 45.5, 10.25, -3.0],
        [5000.0, 5012.0],
    ):
        x = np.array(values)
        n = len(x)
        interval = stats.ttest_1samp(x, 0).confidence_interval(0.95)
        se = x.std(ddof=1) / math.sqrt(n)
        rows.append(
            {
                "values": values,
                "mean": float(x.mean()),
                "low": float(interval.low),
                "high": float(interval.high),
                "sd": float(x.std(ddof=1)),
                "mde": float((stats.t.ppf(0.975, n - 1) + stats.t.ppf(0.8, n - 1)) * se),
            }
        )
    return rows


def samples():
    generator = np.random.default_rng(2023)
    rows = []
    for values in (
        [7],
        [3, 1, 2],
        (generator.lognormal(10, 1, 101) - 20_000).astype(int).tolist(),
        generator.integers(0, 12, 60).tolist(),
    ):
        x = np.array(values)
        box = {"q1": float(np.quantile(x, 0.25)), "q3": float(np.quantile(x, 0.75))}
        reach = 1.5 * (box["q3"] - box["q1"])
        rows.append(
            {
                "values": values,
                "mean": float(x.mean()),
                "variance": float(x.var(ddof=1)) if len(x) > 1 else None,
                "trimmed_mean": float(stats.trim_mean(x, 0.1)),
                "quantiles": {str(p): float(np.quantile(x, p)) for p in (0.0, 0.01, 0.25, 0.5, 0.9, 0.99, 1.0)},
                "whisker_low": float(x[x >= box["q1"] - reach].min()),
                "whisker_high": float(x[x <= box["q3"] + reach].max()),
            }
        )
    return rows


def series():
    generator = np.random.default_rng(7)
    x = [0.0]
    for shock in generator.normal(size=399):
        x.append(round(0.6 * x[-1] + float(shock), 6))
    x = np.array(x)
    y = x - x.mean()
    means = x.reshape(-1, 20).mean(axis=1)
    return {
        "values": x.tolist(),
        "autocorrelation": {str(k): float((y[: len(y) - k] * y[k:]).sum() / (y * y).sum()) for k in (0, 1, 5, 50)},
        "effective_n_batch_20": float(len(x) * x.var(ddof=1) / (20 * means.var(ddof=1))),
    }


def main():
    result = {
        "made_by": "analysis/tests/reference/statistics.py",
        "versions": {
            "python": platform.python_version(),
            "numpy": np.__version__,
            "scipy": scipy.__version__,
            "mpmath": mpmath.__version__,
        },
        "tails": tails(),
        "quantiles": quantiles(),
        "estimates": estimates(),
        "samples": samples(),
        "series": series(),
    }
    path = Path(__file__).with_suffix(".json")
    path.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
