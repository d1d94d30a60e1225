-- Called by callbacks.py. KEYS: the callback, then the lists of its states: the one it is in last.

-- args: sealed callback, member of the lists, time of change, outbox, and 1 if it has to be a new one, 2 if it is known
-- to be none of the archived ones. Gives 2, and changes nothing, where that is to be found out first.
register('isogate_callback', function(keys, args)
  local ref, id = args[2]:match('^(%S+) (.+)$')
  local batch = partition(keys[1]) .. ':batch:' .. ref
  local archived = redis.call('HEXISTS', batch, 'archived') == 1
  if args[5] ~= '0' and redis.call('EXISTS', keys[1]) == 1 then return 0 end
  if args[5] == '1' and archived then return 2 end
  redis.call('SET', keys[1], args[1])
  if redis.call('EXISTS', batch) == 1 then redis.call('SADD', batch .. ':callbacks', id) end
  if archived then await_archive(batch, args[3]) end
  for i = 2, #keys - 1 do
    redis.call('ZREM', keys[i], args[2])
  end
  redis.call('ZADD', keys[#keys], args[3], args[2])
  send(cmsgpack.unpack(args[4]), nil)
  return 1
end)
