"""Schemas are compiled one at a time, however many threads want their own at once (see ``catalogue._COMPILING``)."""

import threading
import time

from iso20022_schemas import Catalogue, catalogue


def test_threads_that_begin_together_compile_one_after_the_other(monkeypatch):
    at_once, most, real = 0, 0, catalogue.etree.XMLSchema

    def compiled(tree):
        nonlocal at_once, most
        at_once += 1
        most = max(most, at_once)
        time.sleep(0)  # lets another thread in, if there is one that may
        made = real(tree)
        at_once -= 1
        return made

    monkeypatch.setattr(catalogue.etree, "XMLSchema", compiled)
    schemas, begin = Catalogue(), threading.Barrier(6)

    def work() -> None:
        begin.wait()
        for message in ("pain.001.001.09", "pain.002.001.10", "pacs.008.001.08"):
            schemas.schema(message)

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == 1
