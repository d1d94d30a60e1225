"""What a cluster of store shards, workers, APIs and banks would carry: a simulation fed with measured times."""
