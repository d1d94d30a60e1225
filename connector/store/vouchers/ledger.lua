-- What every change of vouchers has in common: the block's records are read once, changed in memory, and written with
-- their counters, times, history and tasks by one commit. Nothing is written before it is known to be allowed.
-- A record is {state, balance, amount, lot, activated_at, expires_at, before, tries, redemptions, pin, changed_at};
-- "before" are the states to go back to, blank-separated, the nearest first. See records.py for both kinds of record.

local vouchers = {}

local STATE, BALANCE, AMOUNT, LOT, ACTIVATED_AT, EXPIRES_AT = 1, 2, 3, 4, 5, 6
local BEFORE, TRIES, REDEMPTIONS, PIN, CHANGED_AT = 7, 8, 9, 10, 11

vouchers.PORTION = 500 -- fields a command: unpack has a limit
vouchers.EXACT = 2 ^ 52 -- sums of minor units go to the server as text before they get inexact
vouchers.TIMED = {activated = true, suspended = true, blocked = true}
vouchers.OVER = {redeemed = true, cancelled = true, expired = true, purged = true}
vouchers.BLOCKABLE = {['pre-activated'] = true, activated = true, suspended = true}
vouchers.FAULTS = {expired = 'expired', redeemed = 'used', redeeming = 'in_progress'}

function vouchers.text(number)
  return string.format('%.0f', number)
end

-- key: ig:{pN}:vouchers:<block>
function vouchers.open(key, now, actor)
  local base, name = key:match('^(ig:{p%d+}):vouchers:(%d+)$')
  return {
    key = key, base = base, name = name, now = now, actor = actor,
    records = {}, changed = {}, lots = {}, sums = {}, events = {}, by_kind = {}, times = {},
  }
end

-- Reads many records with few commands. args: serials from index ``first`` on
function vouchers.load(block, args, first)
  for from = first, #args, vouchers.PORTION do
    local to = math.min(#args, from + vouchers.PORTION - 1)
    local packed = redis.call('HMGET', block.key .. ':state', unpack(args, from, to))
    for i = from, to do
      local there = packed[i - from + 1]
      block.records[args[i]] = there and cmsgpack.unpack(there)
    end
  end
end

function vouchers.get(block, serial)
  vouchers.load(block, {serial}, 1)
  return block.records[serial]
end

function vouchers.lot(block, id)
  local lot = block.lots[id]
  if not lot then
    local key = block.base .. ':lot:' .. id .. ':' .. block.name
    lot = {id = id, key = key, facts = cmsgpack.unpack(redis.call('HGET', key, 'facts'))}
    block.lots[id] = lot
  end
  return lot
end

local function add(block, key, field, amount)
  local fields = block.sums[key]
  if not fields then
    fields = {}
    block.sums[key] = fields
  end
  local sum = (fields[field] or 0) + amount
  if sum > vouchers.EXACT or sum < -vouchers.EXACT then
    redis.pcall('HINCRBY', key, field, vouchers.text(sum))
    sum = 0
  end
  fields[field] = sum
end

local function count(block, facts, state, amount, by)
  local stock = block.base .. ':stock:' .. facts.group
  local name = state .. ':' .. facts.currency
  add(block, stock, name .. ':n', by)
  add(block, stock, name .. ':m', amount * by)
end

-- Takes an amount out of a voucher: a negative one puts it back.
function vouchers.spend(block, record, amount)
  record[BALANCE] = record[BALANCE] - amount
  local lot = vouchers.lot(block, record[LOT])
  add(block, lot.key, 'spent', amount)
  lot.moved = lot.moved or lot.facts.funded
end

local function release(block, record)
  local lot = vouchers.lot(block, record[LOT])
  add(block, lot.key, 'released', record[BALANCE])
  record[BALANCE] = 0
  lot.moved = true
end

-- Writes a line of history; vouchers to which the same happened share one.
function vouchers.note(block, serial, action, before, after, amount, detail)
  local kind = table.concat({action, before, after, vouchers.text(amount), detail}, '\n')
  local event = block.by_kind[kind]
  if not event then
    event = {action, before, after, amount, detail, {}}
    block.by_kind[kind] = event
    block.events[#block.events + 1] = event
  end
  event[6][#event[6] + 1] = tonumber(serial:sub(-3))
end

function vouchers.touch(block, serial, record)
  record[CHANGED_AT] = block.now
  block.changed[serial] = true
end

-- Notes when a voucher expires, or that it does not any more.
function vouchers.time(block, serial, record)
  block.times[serial] = vouchers.TIMED[record[STATE]] and record[EXPIRES_AT] > 0 and record[EXPIRES_AT] or false
end

-- Takes a voucher to a state, with all that follows from it. amount: for the history
function vouchers.turn(block, serial, record, state, action, amount, detail)
  local before = record[STATE]
  if before ~= state then
    local facts = vouchers.lot(block, record[LOT]).facts
    count(block, facts, before, record[AMOUNT], -1)
    count(block, facts, state, record[AMOUNT], 1)
  end
  vouchers.note(block, serial, action, before, state, amount, detail)
  record[STATE] = state
  if vouchers.OVER[state] and record[BALANCE] > 0 then release(block, record) end
  if record[EXPIRES_AT] > 0 then vouchers.time(block, serial, record) end
  vouchers.touch(block, serial, record)
end

function vouchers.is_late(block, record)
  return record[EXPIRES_AT] > 0 and record[EXPIRES_AT] <= block.now
end

-- A voucher whose time has passed expires before anything else is done to it. Tells whether it did so now.
function vouchers.expire(block, serial, record)
  if not (vouchers.TIMED[record[STATE]] and vouchers.is_late(block, record)) then return false end
  record[BEFORE] = ''
  vouchers.turn(block, serial, record, 'expired', 'expire', 0, '')
  return true
end

-- Gives a voucher back to its holder, or releases what is left of it where its time has passed.
function vouchers.free(block, serial, record, action, amount, detail)
  vouchers.turn(block, serial, record, 'activated', action, amount, detail)
  vouchers.expire(block, serial, record)
end

function vouchers.fault(state)
  return vouchers.FAULTS[state] or 'state'
end

-- Counts a wrong try and blocks the voucher after too many; one that cannot be blocked does not count them.
function vouchers.wrong(block, serial, record, limit, action)
  local state = record[STATE]
  if not vouchers.BLOCKABLE[state] then return end
  record[TRIES] = record[TRIES] + 1
  if limit > 0 and record[TRIES] >= limit then
    record[BEFORE] = (state .. ' ' .. record[BEFORE]):gsub(' $', '')
    state = 'blocked'
  end
  vouchers.turn(block, serial, record, state, action, 0, '')
end

function vouchers.task(block, step, urgency, data)
  local priority = urgency == 'urgent' and 3 or 5
  local payload = cjson.encode({step, block.name, 0, priority, data})
  enqueue(block.base, {{block.base .. ':queue:' .. step .. ':' .. urgency, '', payload}})
end

-- Writes offsets within the block as runs: "0-999" or "3,5-7".
local function runs(offsets)
  local parts, first, last = {}, offsets[1], offsets[1]
  for i = 2, #offsets + 1 do
    local offset = offsets[i]
    if offset ~= last + 1 then
      parts[#parts + 1] = first == last and tostring(first) or (first .. '-' .. last)
      first = offset
    end
    last = offset or last
  end
  return table.concat(parts, ',')
end

local function write_records(block)
  local fields = {}
  for serial in pairs(block.changed) do
    fields[#fields + 1] = serial
    fields[#fields + 1] = cmsgpack.pack(block.records[serial])
  end
  for from = 1, #fields, 2 * vouchers.PORTION do
    redis.call('HSET', block.key .. ':state', unpack(fields, from, math.min(#fields, from + 2 * vouchers.PORTION - 1)))
  end
end

local function write_times(block)
  local due, off = {}, {}
  for serial, at in pairs(block.times) do
    if at then
      due[#due + 1] = string.format('%.17g', at)
      due[#due + 1] = serial
    else
      off[#off + 1] = serial
    end
  end
  for from = 1, #due, 2 * vouchers.PORTION do
    redis.call('ZADD', block.base .. ':expiry', unpack(due, from, math.min(#due, from + 2 * vouchers.PORTION - 1)))
  end
  for from = 1, #off, vouchers.PORTION do
    redis.call('ZREM', block.base .. ':expiry', unpack(off, from, math.min(#off, from + vouchers.PORTION - 1)))
  end
end

-- A lot whose account has changed gets a higher version, and one task that reads it.
function vouchers.account(block, lot)
  redis.call('HINCRBY', lot.key, 'version', 1)
  if lot.moved and redis.call('HGET', lot.key, 'flag') ~= '1' then
    redis.call('HSET', lot.key, 'flag', '1')
    vouchers.task(block, 'voucher-funds', 'normal', lot.id)
  end
end

function vouchers.commit(block)
  write_records(block)
  write_times(block)
  for key, fields in pairs(block.sums) do
    for field, sum in pairs(fields) do
      if sum ~= 0 then redis.pcall('HINCRBY', key, field, vouchers.text(sum)) end
    end
  end
  for _, lot in pairs(block.lots) do
    if block.sums[lot.key] then vouchers.account(block, lot) end
  end
  for _, event in ipairs(block.events) do
    event[6] = runs(event[6])
    local packed = cmsgpack.pack({block.now, block.actor, unpack(event)})
    redis.call('XADD', block.key .. ':events', '*', 'e', packed)
  end
end
