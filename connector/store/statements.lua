-- Called by statements.py. KEYS: the statement, the index of its account's statements.

-- args: digest, created, member of the index, last day (Unix seconds), then field and value, ... of the statement.
-- A statement that comes again unchanged, or older than what is there, changes nothing.
register('isogate_statement', function(keys, args)
  local digest, created = unpack(redis.call('HMGET', keys[1], 'digest', 'created'))
  if digest and (digest == args[1] or tonumber(created) > tonumber(args[2])) then return 0 end
  redis.call('DEL', keys[1])
  redis.call('HSET', keys[1], 'digest', args[1], 'created', args[2])
  for i = 5, #args, 2 do
    redis.call('HSET', keys[1], args[i], args[i + 1])
  end
  redis.call('ZADD', keys[2], args[4], args[3])
  return 1
end)
