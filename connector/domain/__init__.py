"""Pure values and rules: money, ids, instructions, batches, chunks, statuses. No I/O, no clock, no randomness."""
