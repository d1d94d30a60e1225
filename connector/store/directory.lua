-- Called by directory.py. KEYS: the directory, its version.

-- args: 1 to write only into an empty directory, then field, value, ...
register('isogate_directory', function(keys, args)
  if args[1] == '1' and redis.call('EXISTS', keys[1]) == 1 then return 0 end
  for i = 2, #args, 2 do
    redis.call('HSET', keys[1], args[i], args[i + 1])
  end
  return redis.call('INCR', keys[2])
end)

-- args: field
register('isogate_directory_remove', function(keys, args)
  if redis.call('HDEL', keys[1], args[1]) == 0 then return 0 end
  return redis.call('INCR', keys[2])
end)
