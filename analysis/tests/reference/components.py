"""Reference values for variance components and minimum detectable effects, from statsmodels and SciPy. Writes components.json beside itself.

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
    cases = {"segments": []}
    for sizes, sd in (([5] * 6, 3.0), ([4, 7, 2, 9, 1], 3.0), ([6] * 4, 0.0)):
        values = [
            [round(float(v), 6) for v in 50 + sd * generator.normal() + 2 * generator.normal(size=m)] for m in sizes
        ]
        cases["segments"].append({"launches": values, "components": two_levels(values)})
    return cases


def minimum_detectable_effects():
    """Effects in standard deviations between launches, and the exact power of the two-sided test at 5 % to find them."""
    rows = []
    for n in (3, 5, 10, 12, 30, 100):
        critical = stats.t.ppf(0.975, n - 1)
        mde = (critical + stats.t.ppf(0.8, n - 1)) / np.sqrt(n)
        noncentrality = mde * np.sqrt(n)
        power = stats.nct.sf(critical, n - 1, noncentrality) + stats.nct.cdf(-critical, n - 1, noncentrality)
        rows.append({"launches": n, "mde": float(mde), "power": float(power)})
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
        "minimum_detectable_effects": minimum_detectable_effects(),
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
