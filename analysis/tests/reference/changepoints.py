"""Writes changepoints.json: series with their changepoints by ruptures (PELT, squared loss)."""

import json
import math
import pathlib
import random

import numpy
import ruptures

random.seed(2023)


def series(parts, sd):
    return [round(random.gauss(mean, sd), 3) for mean, length in parts for _ in range(length)]


CASES = [
    series([(16000, 60)], 5),
    series([(16500, 10), (16000, 50)], 5),
    series([(16000, 40), (16020, 20)], 5),
    series([(16500, 3), (16200, 7), (16000, 40)], 20),
    series([(16000, 20), (16100, 20), (16000, 20), (16050, 3)], 10),
    series([(0, 25), (1, 25)], 1),
    series([(-3, 5), (4, 5)], 0.5),
]
rows = []
for values in CASES:
    sd = float(numpy.median(numpy.abs(numpy.diff(values)))) * 1.048358
    penalty = 3 * sd**2 * math.log(len(values))
    found = ruptures.Pelt(model="l2", min_size=2, jump=1).fit(numpy.array(values)).predict(pen=penalty)
    rows.append({"series": values, "changepoints": found[:-1]})
path = pathlib.Path(__file__).with_suffix(".json")
path.write_text(json.dumps({"ruptures": ruptures.__version__, "cases": rows}) + "\n")
