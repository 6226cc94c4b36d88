"""The client of the 2023 study: one HttpUser without pauses. Prints its statistics as JSON when it ends."""

import json
import statistics
import time

from locust import HttpUser, constant, events, task

seen_ms = []
started = time.monotonic()


class User(HttpUser):
    wait_time = constant(0)

    @task
    def get(self):
        self.client.get("/")


@events.request.add_listener
def keep(response_time, exception, **_):
    if exception is None:
        seen_ms.append(response_time)


@events.quitting.add_listener
def print_statistics(**_):
    seconds = time.monotonic() - started
    values = {"median_ms": statistics.median(seen_ms), "mean_ms": statistics.fmean(seen_ms)}
    print("told " + json.dumps({**values, "per_second": len(seen_ms) / seconds}))
