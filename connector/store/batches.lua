-- Called by batches.py. The batch's hash is KEYS[1]; what hangs below it has the same beginning.

local FINISHED = {completed = true, cancelled = true, refused = true}

local function state_index(base, state)
  return base .. ':index:state:' .. state
end

local function enter(batch, base, from, to)
  local ref = batch:match('([^:]+)$')
  local accepted = redis.call('HGET', batch, 'accepted_at')
  redis.call('HSET', batch, 'state', to)
  if from then redis.call('ZREM', state_index(base, from), ref) end
  redis.call('ZADD', state_index(base, to), accepted, ref)
end

local function partition(batch)
  return batch:match('^ig:{p%d+}')
end

local function reference(batch)
  return batch:match('([^:]+)$')
end

-- Puts a finished batch among those that are to be archived some time after ``now``.
local function await_archive(batch, now)
  redis.call('ZADD', partition(batch) .. ':finished', now, reference(batch))
end

local function finish(batch, now)
  redis.call('HSET', batch, 'finished_at', now)
  await_archive(batch, now)
end

-- payments and minor: text, as amounts may be beyond 2^53
local function add_total(batch, currency, outcome, payments, minor)
  redis.call('HINCRBY', batch, 'n:' .. currency .. ':' .. outcome, payments)
  redis.call('HINCRBY', batch, 'm:' .. currency .. ':' .. outcome, minor)
  if outcome == 'ongoing' then redis.call('HINCRBY', batch, 'ongoing', payments) end
end

-- changes: {currency, outcome, payments, minor} each
local function add_totals(batch, changes)
  for _, change in ipairs(changes) do
    add_total(batch, change[1], change[2], change[3], change[4])
  end
end

local function fail_ongoing(batch)
  for currency in redis.call('HGET', batch, 'currencies'):gmatch('[^,]+') do
    local payments = redis.call('HGET', batch, 'n:' .. currency .. ':ongoing')
    local minor = redis.call('HGET', batch, 'm:' .. currency .. ':ongoing')
    add_total(batch, currency, 'failed', payments, minor)
    add_total(batch, currency, 'ongoing', negated(payments), negated(minor))
  end
end

local function complete_if_settled(batch, outbox, now)
  local state, ongoing, resolved, slices = unpack(
    redis.call('HMGET', batch, 'state', 'ongoing', 'resolved', 'slices'))
  if state ~= 'running' or ongoing ~= '0' or resolved ~= slices then return end
  enter(batch, outbox.base, state, 'completed')
  finish(batch, now)
  enqueue(outbox.base, outbox.finished)
end

local function staged(batch, token, number)
  return batch .. ':staged:' .. token .. ':' .. number
end

-- Writes chunks. args: from ``first`` on for each of them number, version, facts, changing part
local function put_chunks(batch, args, first)
  for i = first, #args, 4 do
    redis.call('SET', batch .. ':chunk:' .. args[i], args[i + 2])
    redis.call('HSET', batch .. ':versions', args[i], args[i + 1])
    redis.call('HSET', batch .. ':status', args[i], args[i + 3])
  end
end

-- args: facts, order {slices, staged, token, accepted_at, state, indexes, currencies, totals}, outbox, then chunks where
-- nothing is staged. Gives the facts that were there, or the number of a slice that is missing, or nothing when the batch
-- was created.
register('isogate_create', function(keys, args)
  local batch = keys[1]
  local there = redis.call('HGET', batch, 'facts')
  if there then return there end
  local order = cmsgpack.unpack(args[2])
  local outbox = cmsgpack.unpack(args[3])
  for number = 0, order.staged - 1 do
    if redis.call('EXISTS', staged(batch, order.token, number)) == 0 then return number end
  end
  for number = 0, order.staged - 1 do
    redis.call('RENAME', staged(batch, order.token, number), batch .. ':slice:' .. number)
    redis.call('PERSIST', batch .. ':slice:' .. number)
  end
  redis.call('HSET', batch, 'facts', args[1], 'accepted_at', order.accepted_at, 'slices', order.slices,
    'resolved', order.slices - order.staged,
    'ongoing', 0, 'finished_at', '0', 'reason', '', 'currencies', order.currencies)
  add_totals(batch, order.totals)
  enter(batch, outbox.base, nil, order.state)
  for _, index in ipairs(order.indexes) do
    redis.call('ZADD', index, order.accepted_at, batch:match('([^:]+)$'))
  end
  put_chunks(batch, args, 4)
  send(outbox, batch .. ':events')
  complete_if_settled(batch, outbox, order.accepted_at)
  return false
end)

-- args: expected, to, reason, now, outbox
register('isogate_move', function(keys, args)
  local batch, expected, to = keys[1], args[1], args[2]
  if redis.call('HGET', batch, 'state') ~= expected then return 0 end
  local outbox = cmsgpack.unpack(args[5])
  enter(batch, outbox.base, expected, to)
  if args[3] ~= '' then redis.call('HSET', batch, 'reason', args[3]) end
  if to == 'cancelled' or to == 'refused' then fail_ongoing(batch) end
  if FINISHED[to] then finish(batch, args[4]) end
  send(outbox, batch .. ':events')
  return 1
end)

-- args: slice, now, changes of totals, outbox, then for each chunk: number, version, facts, changing part.
-- The slice is there exactly as long as it has not been resolved.
register('isogate_resolved', function(keys, args)
  local batch = keys[1]
  if redis.call('HGET', batch, 'state') ~= 'running' then return 0 end
  if redis.call('DEL', batch .. ':slice:' .. args[1]) == 0 then return 0 end
  put_chunks(batch, args, 5)
  local outbox = cmsgpack.unpack(args[4])
  redis.call('HINCRBY', batch, 'resolved', 1)
  add_totals(batch, cmsgpack.unpack(args[3]))
  send(outbox, batch .. ':events')
  complete_if_settled(batch, outbox, args[2])
  return 1
end)

-- args: chunk, expected version, new version, changing part, now, changes of totals, outbox
register('isogate_advance', function(keys, args)
  local batch = keys[1]
  if redis.call('HGET', batch .. ':versions', args[1]) ~= args[2] then return 0 end
  redis.call('HSET', batch .. ':versions', args[1], args[3])
  redis.call('HSET', batch .. ':status', args[1], args[4])
  local outbox = cmsgpack.unpack(args[7])
  add_totals(batch, cmsgpack.unpack(args[6]))
  send(outbox, batch .. ':events')
  complete_if_settled(batch, outbox, args[5])
  return 1
end)

-- KEYS: the index to walk, the indexes to be in as well. args: before, how many. Gives {reference, time, ...}, newest first.
register('isogate_find', function(keys, args)
  local found, offset, wanted = {}, 0, tonumber(args[2])
  while #found < 2 * wanted do
    local page = redis.call('ZREVRANGEBYSCORE', keys[1], '(' .. args[1], '-inf', 'WITHSCORES', 'LIMIT', offset, 100)
    if #page == 0 then break end
    for i = 1, #page, 2 do
      local fits = #found < 2 * wanted
      for k = 2, #keys do
        fits = fits and redis.call('ZSCORE', keys[k], page[i])
      end
      if fits then
        found[#found + 1] = page[i]
        found[#found + 1] = page[i + 1]
      end
    end
    offset = offset + 100
  end
  return found
end)
