-- Called by register.py, commands.py and archive.py. KEYS[1], where nothing else is said: ig:{pN}:vouchers:<block>

local function portions(count, visit)
  for from = 1, count, vouchers.PORTION do
    visit(from, math.min(count, from + vouchers.PORTION - 1))
  end
end

-- The first of these serials that has a voucher already, or nil. args: serials at every second place from ``first``
local function taken(state, args, first, count)
  if redis.call('EXISTS', state) == 0 then return nil end
  for i = first, first + 2 * count - 2, 2 do
    if redis.call('HEXISTS', state, args[i]) == 1 then return args[i] end
  end
end

-- args: head {lot, group, currency, state, minor, spent, released, expires_at, count, actor, now, first, last, shelves},
-- the lot, outbox, serial and record for each, serial and sealed facts for each.
-- Gives 1; 0 where the block has the lot already; a serial that is taken.
register('isogate_voucher_create', function(keys, args)
  local head = cmsgpack.unpack(args[1])
  local block = vouchers.open(keys[1], head.now, head.actor)
  local lot = block.base .. ':lot:' .. head.lot .. ':' .. block.name
  if redis.call('EXISTS', lot) == 1 then return 0 end
  local count = head.count
  local clash = taken(keys[1] .. ':state', args, 4, count)
  if clash then return clash end
  portions(count, function(from, to)
    redis.call('HSET', keys[1] .. ':state', unpack(args, 2 * from + 2, 2 * to + 3))
    redis.call('HSET', keys[1] .. ':facts', unpack(args, 2 * (count + from) + 2, 2 * (count + to) + 3))
  end)
  for _, shelf in ipairs(head.shelves) do
    local key = table.concat({block.base, 'shelf', head.group, head.currency, vouchers.text(shelf[1])}, ':')
    portions(#shelf[2], function(from, to) redis.call('RPUSH', key, unpack(shelf[2], from, to)) end)
  end
  if head.expires_at > 0 then
    for i = 4, 2 + 2 * count, 2 do block.times[args[i]] = head.expires_at end
  end
  local stock, name = block.base .. ':stock:' .. head.group, head.state .. ':' .. head.currency
  redis.pcall('HINCRBY', stock, name .. ':n', count)
  redis.pcall('HINCRBY', stock, name .. ':m', head.minor)
  redis.call('HSET', lot, 'facts', args[2], 'version', '0', 'spent', head.spent, 'released', head.released,
    'first', head.first, 'last', head.last)
  if head.spent ~= '0' or head.released ~= '0' then
    vouchers.account(block, {id = head.lot, key = lot, moved = true})
  end
  block.events[1] = {'create', '', head.state, 0, '', {}}
  for i = 4, 2 + 2 * count, 2 do block.events[1][6][(i - 2) / 2] = tonumber(args[i]:sub(-3)) end
  vouchers.commit(block)
  send(cmsgpack.unpack(args[3]), nil)
  return 1
end)

-- args: serials. Gives record, sealed facts, ... and then id, facts of each lot that they are of.
register('isogate_voucher_read', function(keys, args)
  local records, facts = {}, {}
  portions(#args, function(from, to)
    local packed = redis.call('HMGET', keys[1] .. ':state', unpack(args, from, to))
    local sealed = redis.call('HMGET', keys[1] .. ':facts', unpack(args, from, to))
    for i = from, to do records[i], facts[i] = packed[i - from + 1], sealed[i - from + 1] end
  end)
  local base, name = keys[1]:match('^(ig:{p%d+}):vouchers:(%d+)$')
  local lots, seen = {}, {}
  for _, packed in ipairs(records) do
    local id = packed and cmsgpack.unpack(packed)[LOT]
    if id and not seen[id] then
      seen[id] = true
      lots[#lots + 1] = id
      lots[#lots + 1] = redis.call('HGET', base .. ':lot:' .. id .. ':' .. name, 'facts')
    end
  end
  return {records, facts, lots}
end)

-- Gives the fault, or '', and whether it was so already.
local function move(block, serial, record, order)
  local expired = vouchers.expire(block, serial, record)
  local state = record[STATE]
  if order.command == 'expire' then
    vouchers.time(block, serial, record)
    local fault = state == 'expired' and '' or vouchers.fault(state)
    return fault, fault == '' and not expired
  end
  if order.done[state] then return '', true end
  if not order.sources[state] then return vouchers.fault(state), false end
  local target = order.target
  if target == '' then
    target, record[BEFORE] = record[BEFORE]:match('^(%S+) ?(.*)$')
  elseif order.remembers then
    record[BEFORE] = (state .. ' ' .. record[BEFORE]):gsub(' $', '')
  end
  if order.command == 'activate' then
    local validity = vouchers.lot(block, record[LOT]).facts.validity_seconds
    record[ACTIVATED_AT] = block.now
    record[EXPIRES_AT] = validity > 0 and block.now + validity or 0
  end
  if vouchers.OVER[target] then record[BEFORE] = '' end
  if state == 'blocked' then record[TRIES] = 0 end
  vouchers.turn(block, serial, record, target, order.command, 0, order.detail)
  return '', false
end

local function set(list)
  local members = {}
  for _, member in ipairs(list) do members[member] = true end
  return members
end

-- args: order {command, target, sources, done, remembers, detail, now, actor}, serials.
-- Gives for each "<fault> <state> <1 if it was so already>", '' for an unknown one.
register('isogate_voucher_move', function(keys, args)
  local order = cmsgpack.unpack(args[1])
  order.sources, order.done = set(order.sources), set(order.done)
  local block = vouchers.open(keys[1], order.now, order.actor)
  vouchers.load(block, args, 2)
  local answers = {}
  for i = 2, #args do
    local record = block.records[args[i]]
    if record then
      local fault, repeated = move(block, args[i], record, order)
      answers[i - 1] = fault .. ' ' .. record[STATE] .. ' ' .. (repeated and '1' or '0')
    else
      answers[i - 1] = ''
    end
  end
  vouchers.commit(block)
  return answers
end)

-- args: serial, limit, now, actor. Gives the state, or nothing.
register('isogate_voucher_wrong', function(keys, args)
  local block = vouchers.open(keys[1], tonumber(args[3]), args[4])
  local record = vouchers.get(block, args[1])
  if not record then return false end
  if not vouchers.expire(block, args[1], record) then
    vouchers.wrong(block, args[1], record, tonumber(args[2]), 'wrong-number')
  end
  vouchers.commit(block)
  return record[STATE]
end)

-- KEYS[1]: a shelf. args: now, actor. Gives the serial of a voucher that was in stock until now, nothing for an empty
-- shelf, '' where many were looked at that had left the stock otherwise.
register('isogate_voucher_take', function(keys, args)
  local base = keys[1]:match('^(ig:{p%d+}):')
  for _ = 1, vouchers.PORTION do
    local serial = redis.call('LPOP', keys[1])
    if not serial then return false end
    local block = vouchers.open(base .. ':vouchers:' .. serial:sub(1, -4), tonumber(args[1]), args[2])
    local record = vouchers.get(block, serial)
    if record and record[STATE] == 'in-stock' then
      vouchers.turn(block, serial, record, 'pre-activated', 'pre-activate', 0, '')
      vouchers.commit(block)
      return serial
    end
  end
  return ''
end)

-- KEYS[1]: a lot in a block. Gives facts, version, spent, released, first, last; the next change makes a new task.
register('isogate_voucher_account', function(keys, _)
  redis.call('HDEL', keys[1], 'flag')
  return redis.call('HMGET', keys[1], 'facts', 'version', 'spent', 'released', 'first', 'last')
end)

-- KEYS[1]: the counter of serial numbers. args: how many of them have to be passed over
register('isogate_voucher_skip', function(keys, args)
  local used = tonumber(redis.call('GET', keys[1]) or '0')
  if used < tonumber(args[1]) then redis.call('SET', keys[1], args[1]) end
  return 1
end)

-- KEYS[1]: an index of numbers. args: keyed hash, serial, ... Gives the positions of those that another serial has.
register('isogate_voucher_claim', function(keys, args)
  local others = {}
  for i = 1, #args, 2 do
    if redis.call('HSETNX', keys[1], args[i], args[i + 1]) == 0
      and redis.call('HGET', keys[1], args[i]) ~= args[i + 1] then
      others[#others + 1] = (i - 1) / 2
    end
  end
  return others
end)

-- KEYS[1]: an index of numbers. args: keyed hash, serial, ... Removes those that are the serial's.
register('isogate_voucher_unclaim', function(keys, args)
  local removed = 0
  for i = 1, #args, 2 do
    if redis.call('HGET', keys[1], args[i]) == args[i + 1] then
      removed = removed + redis.call('HDEL', keys[1], args[i])
    end
  end
  return removed
end)
