"""The receiver of callbacks wakes who waits, whichever comes first, and notices contradictions."""

import json
import threading
import urllib.request
from contextlib import closing
from urllib.error import HTTPError

import pytest

from connector.domain.errors import Unavailable
from loadtests.locust.callbacks import Book, Receiver, listening
from loadtests.locust.target import self_signed
from loadtests.locust.tls import callback_context, context

FINAL = {"batchId": "B1", "ongoing": 0, "completed": 2, "failed": 0, "completed_amount": 20, "failed_amount": 0}


@pytest.fixture
def receiver():
    book = Book()
    made = Receiver(book)
    made.start()
    yield made, book
    made.stop()


def post(url, content, method="POST"):
    request = urllib.request.Request(url, content, {"Content-Type": "application/json"}, method=method)
    with closing(urllib.request.urlopen(request, timeout=5)) as answer:
        return answer.status


@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_a_final_callback_wakes_who_waits(receiver, method):
    made, book = receiver
    found = []
    waiting = threading.Thread(target=lambda: found.append(book.final("B1", 5)))
    waiting.start()
    assert post(made.url, json.dumps({**FINAL, "ongoing": 1}).encode(), method) == 200
    assert post(made.url, json.dumps(FINAL).encode(), method) == 200
    waiting.join()
    assert found[0].body == FINAL
    assert book.received == 2


def test_a_callback_may_come_before_anybody_waits():
    book = Book()
    book.take(FINAL, 12.5)
    assert book.final("B1", 0) == (12.5, FINAL)


def test_what_does_not_come_in_time_is_none():
    assert Book().final("B1", 0.01) is None


def test_a_repetition_is_fine_and_a_contradiction_is_not():
    book = Book()
    for at in (1.0, 2.0):
        book.take(FINAL, at)
    assert (book.contradictions, book.final("B1", 0).at) == (0, 1.0)
    book.take({**FINAL, "completed": 1, "failed": 1}, 3.0)
    assert book.contradictions == 1


def test_only_so_many_batches_are_remembered(monkeypatch):
    monkeypatch.setattr("loadtests.locust.callbacks.REMEMBERED", 3)
    book = Book()
    for number in range(10):
        book.take({**FINAL, "batchId": f"B{number}"}, float(number))
    assert [number for number in range(10) if book.final(f"B{number}", 0)] == [7, 8, 9]


def test_callbacks_can_come_by_tls(monkeypatch, tmp_path):
    certificate, key = self_signed(tmp_path)
    monkeypatch.setenv("ISOGATE_LOAD_CALLBACK_CERTIFICATE", str(certificate))
    monkeypatch.setenv("ISOGATE_LOAD_CALLBACK_KEY", str(key))
    monkeypatch.setenv("ISOGATE_LOAD_CA", str(certificate))
    book = Book()
    made = Receiver(book, tls=callback_context())
    made.start()
    try:
        request = urllib.request.Request(made.url, json.dumps(FINAL).encode(), method="POST")
        with closing(urllib.request.urlopen(request, timeout=5, context=context())) as answer:
            assert answer.status == 200
    finally:
        made.stop()
    assert book.received == 1


@pytest.mark.parametrize("content", [b"", b"no json", b"[1]"])
def test_what_is_no_callback_is_refused(receiver, content):
    made, book = receiver
    with pytest.raises(HTTPError) as told:
        post(made.url, content)
    with closing(told.value):
        assert told.value.code == 400
    assert book.received == 0


def test_a_port_that_is_taken_is_passed_over(receiver):
    made, _ = receiver
    other = listening(Book(), "127.0.0.1", "load.example", made.port)
    other._server.server_close()
    assert made.port < other.port <= made.port + 63
    assert other.url == f"http://load.example:{other.port}/callback"


def test_no_free_port_is_told(monkeypatch, receiver):
    monkeypatch.setattr("loadtests.locust.callbacks.PORTS", 1)
    with pytest.raises(Unavailable, match="no port"):
        listening(Book(), "127.0.0.1", "x", receiver[0].port)
