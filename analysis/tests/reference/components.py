"""Reference values for variance components and power, from statsmodels and SciPy. Writes components.json beside itself.

Run: python3 analysis/tests/reference/components.py
"""

import json
import platform
from pathlib import Path

import numpy as np
import pandas as pd
import scipy
import statsmodels
from scipy import stats
from scipy.stats import chi2, f
from statsmodels.formula.api import ols
from statsmodels.stats.anova import anova_lm
from statsmodels.stats.power import TTestPower


def lowest(ms, df):
    return {
        "variance": ms,
        "unbiased": ms,
        "low": df * ms / chi2.ppf(0.975, df),
        "high": df * ms / chi2.ppf(0.025, df),
        "df": df,
    }


def above(ms, df, without, df_lower, size):
    def end(p):
        return max(0.0, df * (ms - f.ppf(p, df, df_lower) * without) / (size * chi2.ppf(p, df)))

    unbiased = (ms - without) / size
    return {"variance": max(unbiased, 0.0), "unbiased": unbiased, "low": end(0.975), "high": end(0.025), "df": df}


def nested(frame):
    """Mean squares of launches, of segments within launches and of observations, from three fits by statsmodels."""
    frame = frame.assign(cell=frame.launch.astype(str) + "/" + frame.segment.astype(str))
    launches, segments, n = frame.launch.nunique(), frame.cell.nunique(), len(frame)
    total, by_launch, by_cell = (ols(f"y ~ {terms}", frame).fit().ssr for terms in ("1", "C(launch)", "C(cell)"))
    return (
        ((total - by_launch) / (launches - 1), launches - 1),
        ((by_launch - by_cell) / (segments - launches), segments - launches),
        (by_cell / (n - segments), n - segments),
    )


def three_levels(launches):
    rows = [
        {"launch": i, "segment": j, "y": y}
        for i, segments in enumerate(launches)
        for j, values in enumerate(segments)
        for y in values
    ]
    (ms_l, df_l), (ms_s, df_s), (ms_o, df_o) = nested(pd.DataFrame(rows))
    sizes = [[len(values) for values in segments] for segments in launches]
    n = sum(map(sum, sizes))
    by_launch = sum(m * m / sum(segments) for segments in sizes for m in segments)
    squares = sum(m * m for segments in sizes for m in segments)
    k1 = (n - by_launch) / df_s
    k2 = (by_launch - squares / n) / df_l
    k3 = (n - sum(sum(segments) ** 2 for segments in sizes) / n) / df_l
    return [
        above(ms_l, df_l, ms_o + k2 / k1 * (ms_s - ms_o), df_s, k3),
        above(ms_s, df_s, ms_o, df_o, k1),
        lowest(ms_o, df_o),
    ]


def two_levels(launches):
    frame = pd.DataFrame([{"launch": i, "y": y} for i, values in enumerate(launches) for y in values])
    table = anova_lm(ols("y ~ C(launch)", frame).fit(), typ=1)
    sizes = [len(values) for values in launches]
    n, a = sum(sizes), len(sizes)
    ms_l, ms_s = table["mean_sq"]["C(launch)"], table["mean_sq"]["Residual"]
    size = (n - sum(m * m for m in sizes) / n) / (a - 1)
    return [above(ms_l, a - 1, ms_s, n - a, size), lowest(ms_s, n - a)]


def components():
    generator = np.random.default_rng(6)
    cases = {"segments": [], "observations": []}
    for sizes, sd in (([5] * 6, 3.0), ([4, 7, 2, 9, 1], 3.0), ([6] * 4, 0.0)):
        values = [
            [round(float(v), 6) for v in 50 + sd * generator.normal() + 2 * generator.normal(size=m)] for m in sizes
        ]
        cases["segments"].append({"launches": values, "components": two_levels(values)})
    for sizes, sd in (([[8] * 4] * 5, 2.0), ([[3, 9], [5, 5, 5], [2, 4, 6, 8], [7, 3]], 2.0)):
        values = []
        for segments in sizes:
            launch = 20 + sd * generator.normal()
            values.append(
                [
                    [round(float(v), 6) for v in launch + generator.normal() + 1.5 * generator.normal(size=m)]
                    for m in segments
                ]
            )
        cases["observations"].append({"launches": values, "components": three_levels(values)})
    return cases


def power():
    rows = []
    for n in (2, 3, 5, 10, 12, 40, 300):
        for effect in (0.0, 0.1, 0.5, 0.9, 2.0):
            for alpha in (0.05, 0.01):
                value = TTestPower().power(effect, n, alpha) if effect else alpha
                if np.isnan(value):
                    # Beyond the reach of SciPy's noncentral t, where power is one.
                    continue
                exact = sum(
                    tail(stats.t.isf(alpha / 2, n - 1), n - 1, effect * np.sqrt(n))
                    for tail in (stats.nct.sf, lambda c, df, nc: stats.nct.cdf(-c, df, nc))
                )
                assert np.isnan(exact) or abs(exact - value) < 1e-9, (n, effect, alpha, exact, value)
                rows.append({"launches": n, "effect": effect, "confidence": 1 - alpha, "power": float(value)})
    return rows


def main():
    result = {
        "made_by": "analysis/tests/reference/components.py",
        "versions": {
            "python": platform.python_version(),
            "numpy": np.__version__,
            "pandas": pd.__version__,
            "scipy": scipy.__version__,
            "statsmodels": statsmodels.__version__,
        },
        "components": components(),
        "power": power(),
        "chi_squared": [
            {"p": p, "df": df, "value": float(chi2.ppf(p, df))}
            for df in (1, 2, 9, 180, 50_000)
            for p in (0.001, 0.025, 0.5, 0.975, 0.999)
        ],
        "f": [
            {"p": p, "numerator": a, "denominator": b, "value": float(f.ppf(p, a, b))}
            for a, b in ((1, 1), (1, 30), (9, 180), (11, 20_000), (300, 3))
            for p in (0.001, 0.025, 0.5, 0.975, 0.999)
        ],
    }
    path = Path(__file__).with_suffix(".json")
    path.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
