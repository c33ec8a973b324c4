"""How fast AWS is asked."""

import threading
import time

from layerkit.aws.rate import Rates, TokenBucket


class Clock:
    """Time that passes only where somebody sleeps."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def test_a_burst_passes_at_once_and_the_rest_at_the_rate() -> None:
    clock = Clock()
    bucket = TokenBucket(rate=10, burst=5, clock=clock, sleep=clock.sleep)
    for _ in range(5):
        bucket.take()
    assert clock.now == 0
    for _ in range(20):
        bucket.take()
    assert abs(clock.now - 2.0) < 0.001


def test_a_pause_brings_no_more_than_the_burst() -> None:
    clock = Clock()
    bucket = TokenBucket(rate=10, burst=5, clock=clock, sleep=clock.sleep)
    clock.now = 1000
    for _ in range(6):
        bucket.take()
    assert abs(clock.now - 1000.1) < 0.001


def test_threads_together_keep_to_the_rate() -> None:
    bucket = TokenBucket(rate=200, burst=1)
    began = time.monotonic()

    def ten() -> None:
        for _ in range(10):
            bucket.take()

    threads = [threading.Thread(target=ten) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert time.monotonic() - began >= 59 / 200 - 0.01


def test_regions_and_getfunction_have_rates_of_their_own() -> None:
    rates = Rates()
    began = time.monotonic()
    for _ in range(12):
        rates.take("lambda", "eu-west-1", "GetLayerVersion")
        rates.take("lambda", "us-east-1", "ListFunctions")
        rates.take("lambda", "eu-west-1", "GetFunction")
    assert time.monotonic() - began < 0.05
    rates.take("lambda", "eu-west-1", "ListFunctions")
    assert time.monotonic() - began > 0.05
