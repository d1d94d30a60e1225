"""The measures of requests are what the client library's own counter and histogram would tell."""

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest

from connector.api.measures import RequestMeasures

SEEN = [
    ("GET", "/a/{b}", 200, 0.004),
    ("GET", "/a/{b}", 200, 0.005),
    ("GET", "/a/{b}", 404, 0.3),
    ("", "?", 404, 99.0),
]


def lines(registry):
    """The exposition without the times at which series began, which the library adds."""
    told = generate_latest(registry).decode().splitlines()
    return sorted(line for line in told if "_created" not in line)


def test_counts_and_times_are_those_of_the_client_library():
    ours, theirs, measures = CollectorRegistry(), CollectorRegistry(), RequestMeasures()
    ours.register(measures)
    counter = Counter("isogate_http_requests", "Requests answered", ["method", "path", "status"], registry=theirs)
    timer = Histogram("isogate_http_request_seconds", "Time to answer", ["method", "path"], registry=theirs)
    for method, path, status, seconds in SEEN:
        measures.note(method, path, status, seconds)
        counter.labels(method, path, status).inc()
        timer.labels(method, path).observe(seconds)
    assert lines(ours) == lines(theirs)
