-- Called by callbacks.py. KEYS: the callback, then the lists of its states: the one it is in last.

-- args: sealed callback, member of the lists, time of change, outbox, 1 if it has to be a new one
register('isogate_callback', function(keys, args)
  if args[5] == '1' and redis.call('EXISTS', keys[1]) == 1 then return 0 end
  redis.call('SET', keys[1], args[1])
  for i = 2, #keys - 1 do
    redis.call('ZREM', keys[i], args[2])
  end
  redis.call('ZADD', keys[#keys], args[3], args[2])
  send(cmsgpack.unpack(args[4]), nil)
  return 1
end)
