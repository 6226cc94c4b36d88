"""Writes proportion.json: shares, their exact intervals and p values by SciPy."""

import json
import pathlib

import scipy
from scipy.stats import binomtest

CASES = [(0, 10), (10, 10), (1, 1), (3, 20), (190, 200), (188, 200), (10, 200), (17, 200), (950, 1000), (61, 2000)]
rows = []
for successes, trials in CASES:
    for expected in (0.05, 0.5, 0.95):
        test = binomtest(successes, trials, expected)
        low, high = test.proportion_ci(0.95, method="exact")
        rows.append([successes, trials, expected, low, high, test.pvalue])
path = pathlib.Path(__file__).with_suffix(".json")
path.write_text(json.dumps({"scipy": scipy.__version__, "rows": rows}, indent=1) + "\n")
