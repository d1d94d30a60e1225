"""``python -m connector.cli``: the same as ``isogate``; this is how child processes are started."""

from connector.cli import main

main()
