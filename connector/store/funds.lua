-- Called by funds.py. KEYS[1]: a programme's balances. Amounts are text from end to end: HINCRBY adds with 64 bits,
-- Lua does not. Only signs are looked at here, and those survive the conversion to a Lua number.

local function shift(funds, currency, name, amount)
  return redis.call('HINCRBY', funds, currency .. ':' .. name, amount)
end

local function widen(funds, currency, amount)
  shift(funds, currency, 'budget', amount)
  shift(funds, currency, 'available', amount)
  shift(funds, currency, 'reserved', '0')
  shift(funds, currency, 'spent', '0')
end

-- args: currency, amount that the budget opens with
register('isogate_open', function(keys, args)
  local before = redis.call('HGET', keys[1], args[1] .. ':opening') or '0'
  widen(keys[1], args[1], args[2])
  widen(keys[1], args[1], negated(before))
  redis.call('HSET', keys[1], args[1] .. ':opening', args[2])
  return 1
end)

-- KEYS[2]: references of deposits. args: currency, amount, reference
register('isogate_deposit', function(keys, args)
  if redis.call('SISMEMBER', keys[2], args[3]) == 1 then return 0 end
  widen(keys[1], args[1], args[2])
  return redis.call('SADD', keys[2], args[3])
end)

-- Moves an amount from available to reserved. Gives what is then available; nothing, and no change, for a full counter.
local function set_apart(funds, currency, amount)
  local available = redis.pcall('HINCRBY', funds, currency .. ':available', negated(amount))
  if type(available) ~= 'number' then return nil end
  if type(redis.pcall('HINCRBY', funds, currency .. ':reserved', amount)) == 'number' then return available end
  shift(funds, currency, 'available', amount)
  return nil
end

-- KEYS[2]: the hold. args: 1 for an open budget, then currency, amount, ... Gives the currency that is short, or ''.
-- What was released is not there any more, whoever still counts on it.
register('isogate_reserve', function(keys, args)
  local funds, hold = keys[1], keys[2]
  local closed = redis.call('HGET', hold, 'closed')
  if closed then return closed == '' and '' or args[2] end
  for i = 2, #args, 2 do
    local available = set_apart(funds, args[i], args[i + 1])
    if not available or (available < 0 and args[1] ~= '1') then
      for k = 2, available and i or i - 2, 2 do set_apart(funds, args[k], negated(args[k + 1])) end
      return args[i]
    end
  end
  redis.call('HSET', hold, 'closed', '')
  for i = 2, #args, 2 do
    widen(funds, args[i], '0')
    redis.call('HSET', hold, 'held:' .. args[i], args[i + 1], 'left:' .. args[i], args[i + 1])
  end
  return ''
end)

-- KEYS[2]: the hold. args: chunk, version, currency, spent, released. Gives ok, old, unknown, closed or beyond.
register('isogate_settle', function(keys, args)
  local funds, hold = keys[1], keys[2]
  local chunk, currency, spent, released = 'chunk:' .. args[1], args[3], args[4], args[5]
  local left = 'left:' .. currency
  if redis.call('HEXISTS', hold, left) == 0 then return 'unknown' end
  local version, was_spent, was_released = (redis.call('HGET', hold, chunk) or '-1 0 0'):match('(%S+) (%S+) (%S+)')
  if tonumber(args[2]) <= tonumber(version) then return 'old' end
  if redis.call('HGET', hold, 'closed') ~= '' then return 'closed' end
  redis.call('HINCRBY', hold, left, was_spent)
  redis.call('HINCRBY', hold, left, was_released)
  redis.call('HINCRBY', hold, left, negated(spent))
  if redis.call('HINCRBY', hold, left, negated(released)) < 0 then
    redis.call('HINCRBY', hold, left, spent)
    redis.call('HINCRBY', hold, left, released)
    redis.call('HINCRBY', hold, left, negated(was_spent))
    redis.call('HINCRBY', hold, left, negated(was_released))
    return 'beyond'
  end
  for _, amount in ipairs({spent, negated(was_spent)}) do
    shift(funds, currency, 'spent', amount)
    shift(funds, currency, 'reserved', negated(amount))
  end
  for _, amount in ipairs({released, negated(was_released)}) do
    shift(funds, currency, 'available', amount)
    shift(funds, currency, 'reserved', negated(amount))
  end
  redis.call('HSET', hold, chunk, args[2] .. ' ' .. spent .. ' ' .. released)
  return 'ok'
end)

-- KEYS[2]: the hold. args: reason. Where nothing was reserved yet, the closed hold keeps a late reservation out.
register('isogate_release', function(keys, args)
  local funds, hold = keys[1], keys[2]
  local closed = redis.call('HGET', hold, 'closed')
  if closed and closed ~= '' then return 0 end
  local fields = redis.call('HGETALL', hold)
  for i = 1, #fields, 2 do
    local currency = fields[i]:match('^left:(.+)$')
    if currency then
      shift(funds, currency, 'available', fields[i + 1])
      shift(funds, currency, 'reserved', negated(fields[i + 1]))
      redis.call('HSET', hold, fields[i], '0')
    end
  end
  redis.call('HSET', hold, 'closed', args[1])
  return 1
end)
