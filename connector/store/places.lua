-- Called by places.py. KEYS[1]: the places of an institution, holders by the time (ms) at which they lose theirs.

local function milliseconds()
  local now = redis.call('TIME')
  return now[1] * 1000 + math.floor(now[2] / 1000)
end

-- args: holder, how many places there are for it, milliseconds. Gives 1 if the holder has one now.
-- Nobody has a place for much longer than that: who seems to had it before the clock was set back.
register('isogate_occupy', function(keys, args)
  local now = milliseconds()
  redis.call('ZREMRANGEBYSCORE', keys[1], '-inf', now)
  redis.call('ZREMRANGEBYSCORE', keys[1], '(' .. string.format('%.0f', now + 2 * args[3]), '+inf')
  local again = redis.call('ZSCORE', keys[1], args[1])  -- the answer was lost with the connection
  if not again and redis.call('ZCARD', keys[1]) >= tonumber(args[2]) then return 0 end
  redis.call('ZADD', keys[1], now + args[3], args[1])
  return 1
end)

-- args: the beginning of the names of holders. Gives how many there were.
register('isogate_vacate', function(keys, args)
  local gone = 0
  for _, holder in ipairs(redis.call('ZRANGE', keys[1], 0, -1)) do
    if holder:sub(1, #args[1]) == args[1] then gone = gone + redis.call('ZREM', keys[1], holder) end
  end
  return gone
end)
