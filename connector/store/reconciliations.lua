-- Called by reconciliations.py. KEYS: the reconciliation, the index of its partition.

-- args: facts, member of the index, time, outbox
register('isogate_reconciliation', function(keys, args)
  if redis.call('EXISTS', keys[1]) == 1 then return 0 end
  redis.call('HSET', keys[1], 'facts', args[1])
  redis.call('ZADD', keys[2], args[3], args[2])
  send(cmsgpack.unpack(args[4]), nil)
  return 1
end)

-- args: name of the step, outbox, then field and value, ... A step that was done before changes nothing.
register('isogate_reconciled', function(keys, args)
  if redis.call('HSETNX', keys[1], args[1], '') == 0 then return 0 end
  for i = 3, #args, 2 do
    redis.call('HSET', keys[1], args[i], args[i + 1])
  end
  send(cmsgpack.unpack(args[2]), nil)
  return 1
end)
