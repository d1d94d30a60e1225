"""Large bodies are read without the garbage collector, which is there again after them."""

import gc
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from connector.api.json_body import uncollected


def test_the_collector_is_back_when_the_last_of_several_threads_is_through():
    barrier = Barrier(2, timeout=10)

    def first() -> bool:
        with uncollected():
            barrier.wait()  # the other one is inside as well
            barrier.wait()
        barrier.wait()
        return gc.isenabled()

    def second() -> bool:
        barrier.wait()
        with uncollected():
            barrier.wait()
            barrier.wait()  # the first one is out
            return gc.isenabled()

    with ThreadPoolExecutor(2) as threads:
        outside, inside = threads.submit(first), threads.submit(second)
        assert not inside.result()
        assert not outside.result() or gc.isenabled()
    assert gc.isenabled()
