"""What the 2023 study's notebook does: read eight recordings, cut the warm-up, print means, medians, pooled standard
deviation and Student's t test, draw the box plot and the run-sequence plots. Prints the seconds that took after the imports,
and versions.

Run: python3 report/bench/study.py RECORDINGS FIGURES   (RECORDINGS holds CONDITION-unmodified.csv and CONDITION-hook.csv)
"""

import sys
import time
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import scipy
from scipy import stats

CONDITIONS = ["docker", "kind", "eks-pod", "eks-nodes"]
ARMS = ["unmodified", "hook"]
WARM_UP = 4_000
SHOWN = 10_000


def statistics(data):
    for condition in CONDITIONS:
        one, other = (data[condition, arm]["response_time"][WARM_UP:] for arm in ARMS)
        test = stats.ttest_ind(other, one)
        n, m = len(one), len(other)
        pooled = np.sqrt(((n - 1) * one.var() + (m - 1) * other.var()) / (n + m - 2))
        print(condition, one.mean(), other.mean(), one.median(), other.median(), pooled, test.statistic, test.pvalue)


def boxes(data, path):
    figure, axes = plt.subplots(figsize=(5.5, 3))
    for offset, arm, colour in [(-0.2, "unmodified", "#b2df8a"), (0.2, "hook", "#a6cee3")]:
        axes.boxplot(
            [data[condition, arm]["response_time"][WARM_UP:] for condition in CONDITIONS],
            positions=np.arange(len(CONDITIONS)) + offset,
            widths=0.35,
            showfliers=False,
            patch_artist=True,
            boxprops={"facecolor": colour},
        )
    axes.set_xticks(range(len(CONDITIONS)), CONDITIONS)
    axes.set_ylim(0, 5)
    axes.set_ylabel("response time (ms)")
    figure.savefig(path, dpi=216)
    plt.close(figure)


def sequences(data, path):
    figure, axes = plt.subplots(2, 1, figsize=(5.5, 4), sharex=True)
    for axis, conditions in zip(axes, (["kind", "docker"], ["eks-nodes", "eks-pod"])):
        for condition, colour in zip(conditions, ("#fc8d62", "#8da0cb")):
            axis.plot(data[condition, "unmodified"]["response_time"][:SHOWN], color=colour, label=condition, lw=0.5)
        axis.set_yscale("log")
        axis.set_ylim(1, 20)
        axis.set_ylabel("response time (ms)")
        axis.legend()
    axes[1].set_xlabel("iteration")
    figure.savefig(path, dpi=216)
    plt.close(figure)


def main():
    begun = time.perf_counter()
    recordings, figures = Path(sys.argv[1]), Path(sys.argv[2])
    figures.mkdir(parents=True, exist_ok=True)
    data = {(one, arm): pd.read_csv(recordings / f"{one}-{arm}.csv") for one in CONDITIONS for arm in ARMS}
    statistics(data)
    boxes(data, figures / "box-plot.png")
    sequences(data, figures / "run-sequence.png")
    print(time.perf_counter() - begun)
    print(
        f"Python {sys.version.split()[0]}, pandas {pd.__version__}, SciPy {scipy.__version__}, "
        f"matplotlib {matplotlib.__version__}"
    )


if __name__ == "__main__":
    main()
