-- Called by queue.py. KEYS are the streams of one partition, in the order in which they are to be read.

-- A stream that is new, or was emptied with the whole store, gets its group here.
local function read(stream, group, worker, count)
  local found = redis.pcall('XREADGROUP', 'GROUP', group, worker, 'COUNT', count, 'STREAMS', stream, '>')
  if found and found.err then
    redis.call('XGROUP', 'CREATE', stream, group, '0', 'MKSTREAM')
    found = redis.call('XREADGROUP', 'GROUP', group, worker, 'COUNT', count, 'STREAMS', stream, '>')
  end
  return found and found[1][2] or {}
end

-- args: group, worker, count. Gives {stream, id, payload, due} of at most count entries. A stream that has no more is
-- not named as ready any longer.
register('isogate_take', function(keys, args)
  local taken = {}
  local count = tonumber(args[3])
  for _, stream in ipairs(keys) do
    local wanted = count - #taken
    if wanted <= 0 then break end
    local entries = read(stream, args[1], args[2], wanted)
    for _, entry in ipairs(entries) do
      local fields = entry[2]
      taken[#taken + 1] = {stream, entry[1], fields[2], fields[4] or ''}
    end
    if #entries < wanted then redis.call('SREM', stream:match('^ig:{p%d+}') .. ':ready', stream) end
  end
  return taken
end)

-- One XAUTOCLAIM looks at a few pending entries only, so it goes on from where the last one ended.
local function claim(stream, group, worker, idle, count, taken)
  local cursor = '0-0'
  while #taken < count do
    local claimed = redis.pcall('XAUTOCLAIM', stream, group, worker, idle, cursor, 'COUNT', count - #taken)
    if claimed.err then return end
    cursor = claimed[1]
    for _, entry in ipairs(claimed[2]) do
      local pending = redis.call('XPENDING', stream, group, entry[1], entry[1], 1)
      local deliveries = pending[1] and pending[1][4] or 1
      taken[#taken + 1] = {stream, entry[1], entry[2][2], entry[2][4] or '', deliveries}
    end
    if cursor == '0-0' then return end
  end
end

-- KEYS: the set of stream names. args: group, worker, idle milliseconds, count, steps...
-- Gives {stream, id, payload, due, deliveries}.
register('isogate_take_over', function(keys, args)
  local taken = {}
  local count = tonumber(args[4])
  local steps = {}
  for i = 5, #args do steps[args[i]] = true end
  for _, stream in ipairs(redis.call('SMEMBERS', keys[1])) do
    if #args < 5 or steps[stream:match(':queue:([^:]+):')] then
      claim(stream, args[1], args[2], args[3], count, taken)
    end
  end
  return taken
end)

-- KEYS: the set of stream names. args: group, worker, steps... Gives what the worker of this name has not finished.
register('isogate_resume', function(keys, args)
  local taken, steps = {}, {}
  for i = 3, #args do steps[args[i]] = true end
  for _, stream in ipairs(redis.call('SMEMBERS', keys[1])) do
    if steps[stream:match(':queue:([^:]+):')] then
      local pending = redis.pcall('XPENDING', stream, args[1], '-', '+', 1000, args[2])
      for _, held in ipairs(pending.err and {} or pending) do
        local entry = redis.call('XCLAIM', stream, args[1], args[2], 0, held[1])[1]
        if entry then
          taken[#taken + 1] = {stream, entry[1], entry[2][2], entry[2][4] or '', held[4] + 1}
        end
      end
    end
  end
  return taken
end)

-- KEYS: timers. args: now, limit. A timer's member is its stream, a line feed and the task.
register('isogate_wake', function(keys, args)
  local due = redis.call('ZRANGEBYSCORE', keys[1], '-inf', args[1], 'WITHSCORES', 'LIMIT', 0, args[2])
  for i = 1, #due, 2 do
    local stream, payload = due[i]:match('^([^\n]+)\n(.*)$')
    append(keys[1]:match('^ig:{p%d+}'), stream, 't', payload, 'd', due[i + 1])
    redis.call('ZREM', keys[1], due[i])
  end
  return #due / 2
end)

-- KEYS: the set of stream names. Names as ready what may have been appended before there were such names.
register('isogate_prepare', function(keys)
  local base = keys[1]:match('^ig:{p%d+}')
  for _, stream in ipairs(redis.call('SMEMBERS', keys[1])) do
    if redis.call('XLEN', stream) > 0 then redis.call('SADD', base .. ':ready', stream) end
  end
  return 1
end)
