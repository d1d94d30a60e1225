-- Called by archiving.py and archived.py. KEYS[1] is a batch's hash; what hangs below it has the same beginning.
-- Of an archived batch the hash is left, with a field "archived" that says where its file is. What came after that lies
-- in the store again, and goes before what the file says.

-- Gives the state, where the file is ('' for none), the versions of the chunks that are in the store, the id of the
-- last event ('' for none), and the ids of the callbacks.
register('isogate_archivable', function(keys)
  local batch = keys[1]
  local state, archived = unpack(redis.call('HMGET', batch, 'state', 'archived'))
  local last = redis.call('XREVRANGE', batch .. ':events', '+', '-', 'COUNT', 1)
  return {state or '', archived or '', redis.call('HGETALL', batch .. ':versions'), last[1] and last[1][1] or '',
    redis.call('SMEMBERS', batch .. ':callbacks')}
end)

local function callback_key(batch, id)
  return partition(batch) .. ':callback:' .. reference(batch) .. ':' .. id
end

local function delivered(batch)
  return partition(batch) .. ':callbacks:delivered'
end

local function unchanged(batch, expected)
  local state, archived = unpack(redis.call('HMGET', batch, 'state', 'archived'))
  if not FINISHED[state] or (archived or '') ~= expected.archived then return false end
  local last = redis.call('XREVRANGE', batch .. ':events', '+', '-', 'COUNT', 1)
  if (last[1] and last[1][1] or '') ~= expected.event then return false end
  local versions, count = redis.call('HGETALL', batch .. ':versions'), 0
  for i = 1, #versions, 2 do
    if tostring(expected.versions[versions[i]]) ~= versions[i + 1] then return false end
    count = count + 1
  end
  for id, digest in pairs(expected.callbacks) do
    if redis.sha1hex(redis.call('GET', callback_key(batch, id)) or '') ~= digest then return false end
  end
  return count == expected.chunks
end

-- args: expected {archived, event, versions, chunks, slices, callbacks (SHA-1 by id)}, where the file is, now. The file
-- is complete and durable. Where the answer got lost and the same comes again, the answer is the same: names are never used twice.
register('isogate_archive', function(keys, args)
  local batch, expected = keys[1], cmsgpack.unpack(args[1])
  if args[2] ~= expected.archived and redis.call('HGET', batch, 'archived') == args[2] then return 1 end
  if not unchanged(batch, expected) then return 0 end
  for number, _ in pairs(expected.versions) do
    redis.call('UNLINK', batch .. ':chunk:' .. number)
  end
  for _, number in ipairs(expected.slices) do
    redis.call('UNLINK', batch .. ':slice:' .. number)
  end
  for id, _ in pairs(expected.callbacks) do
    redis.call('UNLINK', callback_key(batch, id))
    redis.call('ZREM', delivered(batch), reference(batch) .. ' ' .. id)
    redis.call('SREM', batch .. ':callbacks', id)
  end
  redis.call('UNLINK', batch .. ':versions', batch .. ':status', batch .. ':events')
  if args[2] ~= expected.archived then redis.call('HSET', batch, 'archived', args[2], 'archived_at', args[3]) end
  redis.call('ZREM', partition(batch) .. ':finished', reference(batch))
  return 1
end)

-- Puts a chunk back. args: where the file is that it comes from, now, number, version, facts, changing part
register('isogate_thaw', function(keys, args)
  local batch, number = keys[1], args[3]
  if redis.call('HGET', batch, 'archived') ~= args[1] then return 0 end
  if redis.call('HSETNX', batch .. ':versions', number, args[4]) == 0 then return 0 end
  redis.call('SET', batch .. ':chunk:' .. number, args[5])
  redis.call('HSET', batch .. ':status', number, args[6])
  await_archive(batch, args[2])
  return 1
end)

-- Puts a slice back. args: where the file is that it comes from, number, sealed slice
register('isogate_thaw_slice', function(keys, args)
  if redis.call('HGET', keys[1], 'archived') ~= args[1] then return 0 end
  redis.call('SET', keys[1] .. ':slice:' .. args[2], args[3])
  return 1
end)

-- Puts a callback back, unless it has been sent again since. args: where the file is that it comes from, id, sealed
-- callback, time of its last change
register('isogate_thaw_callback', function(keys, args)
  local batch, id = keys[1], args[2]
  if redis.call('HGET', batch, 'archived') ~= args[1] then return 0 end
  if not redis.call('SET', callback_key(batch, id), args[3], 'NX') then return 0 end
  redis.call('SADD', batch .. ':callbacks', id)
  redis.call('ZADD', delivered(batch), args[4], reference(batch) .. ' ' .. id)
  return 1
end)

-- Keeps the id of an event, unless the server's clock went back between it and the one before.
local function put_event(log, id, event)
  if not pcall(redis.call, 'XADD', log, id, 'e', event) then redis.call('XADD', log, '*', 'e', event) end
end

-- Ends the restoration of a batch of which all chunks and slices are back. args: where the file was, now, how many
-- chunks there are, then id and text of each event of the file.
register('isogate_restored', function(keys, args)
  local batch = keys[1]
  if redis.call('HGET', batch, 'archived') ~= args[1] then return 0 end
  if redis.call('HLEN', batch .. ':versions') ~= tonumber(args[3]) then return 0 end
  local log = batch .. ':events'
  local newer = redis.call('XRANGE', log, '-', '+')
  redis.call('DEL', log)
  for i = 4, #args, 2 do put_event(log, args[i], args[i + 1]) end
  for _, entry in ipairs(newer) do put_event(log, entry[1], entry[2][2]) end
  redis.call('HDEL', batch, 'archived', 'archived_at')
  await_archive(batch, args[2])
  return 1
end)

-- KEYS: a batch's hash. Gives where the file is ('' for none) and the numbers of the chunks in the store.
register('isogate_chunk_numbers', function(keys)
  return {redis.call('HGET', keys[1], 'archived') or '', redis.call('HKEYS', keys[1] .. ':versions')}
end)

-- KEYS: a batch's hash. args: how many. Gives where the file is ('' for none) and the first events in the store.
register('isogate_events', function(keys, args)
  local events = redis.call('XRANGE', keys[1] .. ':events', '-', '+', 'COUNT', args[1])
  return {redis.call('HGET', keys[1], 'archived') or '', events}
end)

-- Writes an event that goes with no change of state; an archived batch is to be archived again for it. args: event, now
register('isogate_event', function(keys, args)
  local batch = keys[1]
  write_event(batch .. ':events', args[1])
  if redis.call('HEXISTS', batch, 'archived') == 1 then await_archive(batch, args[2]) end
  return 1
end)

-- KEYS: batches that wait for the archive, by time. args: since when, how many. Gives the references, oldest first.
register('isogate_awaiting', function(keys, args)
  return redis.call('ZRANGEBYSCORE', keys[1], '-inf', args[1], 'LIMIT', 0, args[2])
end)

-- KEYS: a batch's hash. args: time from which on it waits. False where it is not there or not finished.
register('isogate_await', function(keys, args)
  if not FINISHED[redis.call('HGET', keys[1], 'state')] then return 0 end
  await_archive(keys[1], args[1])
  return 1
end)
