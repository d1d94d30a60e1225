-- Called by redemptions.py and payouts.py. KEYS[1], where nothing else is said: ig:{pN}:vouchers:<block>
-- A redemption is {state, amount, currency, merchant, dialect, at, request, presenter, reason, decided_at, batch,
-- programme, pays, confirmed, refunds, receipt}; refunds: {{request, amount}, ...}. Answers begin with the fault, or ''.

local R_STATE, R_AMOUNT, R_CURRENCY, R_REQUEST, R_PRESENTER, R_REASON, R_DECIDED_AT = 1, 2, 3, 7, 8, 9, 10
local R_BATCH, R_PAYS, R_CONFIRMED, R_REFUNDS, R_RECEIPT = 11, 13, 14, 15, 16
local OUTCOMES_KEPT = 10000

local function redemption(block, id)
  local packed = redis.call('HGET', block.key .. ':redemptions', id)
  return packed and cmsgpack.unpack(packed)
end

local function keep(block, id, found)
  local packed = cmsgpack.pack(found)
  redis.call('HSET', block.key .. ':redemptions', id, packed)
  return packed
end

-- The redemption that this order repeats. One with a request id repeats that of the same request, however old.
local function earlier(block, record, order)
  local serial = vouchers.text(order.serial)
  local oldest = order.request == '' and record[REDEMPTIONS] or 1
  for number = record[REDEMPTIONS], math.max(oldest, 1), -1 do
    local id = serial .. '-' .. number
    local found = redemption(block, id)
    if found and found[R_PRESENTER] == order.presenter and found[R_REQUEST] == order.request then
      local fresh = found[R_STATE] == 'paying' or order.now - found[R_DECIDED_AT] < order.repeat_seconds
      if order.request ~= '' or fresh then return id, found end
    end
  end
end

-- Gives a fault, or nothing and the amount.
local function amount_of(block, record, order)
  if record[STATE] ~= 'activated' then return vouchers.fault(record[STATE]) end
  local amount = order.amount_minor == 0 and record[BALANCE] or order.amount_minor
  if amount > record[BALANCE] or amount <= 0 then return 'insufficient' end
  if amount < record[BALANCE] and not vouchers.lot(block, record[LOT]).facts.policy.partial then
    return 'partial_forbidden'
  end
  return nil, amount
end

-- Checks the PIN and counts wrong ones.
local function is_wrong_pin(block, serial, record, order)
  if record[PIN] == '' or record[PIN] == order.pin_hash then return false end
  vouchers.wrong(block, serial, record, order.wrong_limit, 'wrong-pin')
  return true
end

-- Puts a redemption on the open payout list; the first on it appends the task, which names the list's closing.
local function pay(block, id, order, amount, currency)
  local open = block.base .. ':payouts:open'
  local member = {id, order.serial, order.programme, order.merchant, amount, currency}
  if redis.call('RPUSH', open, cmsgpack.pack(member)) == 1 then
    local turn = redis.call('INCR', block.base .. ':payouts:turn')
    vouchers.task(block, 'payout', 'urgent', block.base:match('{p(%d+)}') .. '.' .. turn)
  end
end

local function take(block, serial, record, order, amount)
  record[REDEMPTIONS] = record[REDEMPTIONS] + 1
  record[TRIES] = 0
  local id = serial .. '-' .. record[REDEMPTIONS]
  local currency = vouchers.lot(block, record[LOT]).facts.currency
  if order.pays then
    vouchers.turn(block, serial, record, 'redeeming', 'redeem', amount, id)
    pay(block, id, order, amount, currency)
  else
    vouchers.spend(block, record, amount)
    local state = record[BALANCE] == 0 and 'redeemed' or 'activated'
    vouchers.turn(block, serial, record, state, 'redeem', amount, id)
  end
  return id, {
    order.pays and 'paying' or 'redeemed', amount, currency, order.merchant, order.dialect, order.now, order.request,
    order.presenter, '', order.pays and 0 or order.now, '', order.programme, order.pays and 1 or 0, 0, {},
    order.receipt and 1 or 0,
  }
end

-- args: order. Gives fault, state; or '', state, id, redemption, 1 if it was there already.
register('isogate_voucher_redeem', function(keys, args)
  local order = cmsgpack.unpack(args[1])
  local serial = vouchers.text(order.serial)
  local block = vouchers.open(keys[1], order.now, order.actor)
  local record = vouchers.get(block, serial)
  if not record then return {'unknown_serial', ''} end
  if order.request ~= '' and redis.call('HEXISTS', keys[1] .. ':undone', serial .. ' ' .. order.request) == 1 then
    return {'reversal_forbidden', record[STATE]}
  end
  local id, found = earlier(block, record, order)
  if id then return {'', record[STATE], id, cmsgpack.pack(found), 1} end
  vouchers.expire(block, serial, record)
  local fault, amount
  if is_wrong_pin(block, serial, record, order) then
    fault = 'wrong_pin'
  else
    fault, amount = amount_of(block, record, order)
  end
  local packed
  if not fault then
    id, found = take(block, serial, record, order, amount)
    packed = keep(block, id, found)
  end
  vouchers.commit(block)
  return fault and {fault, record[STATE]} or {'', record[STATE], id, packed, 0}
end)

-- args: serial. Gives id, redemption, ... oldest first
register('isogate_voucher_redemptions', function(keys, args)
  local packed = redis.call('HGET', keys[1] .. ':state', args[1])
  local all = {}
  for number = 1, packed and cmsgpack.unpack(packed)[REDEMPTIONS] or 0 do
    local id = args[1] .. '-' .. number
    local there = redis.call('HGET', keys[1] .. ':redemptions', id)
    if there then
      all[#all + 1] = id
      all[#all + 1] = there
    end
  end
  return all
end)

local function decide(block, id, paid, reason, batch)
  local serial = id:match('^(%d+)-')
  local found, record = redemption(block, id), block.records[serial] or vouchers.get(block, serial)
  if not (found and record) or found[R_STATE] ~= 'paying' then return end
  found[R_STATE] = paid and 'redeemed' or 'failed'
  found[R_REASON], found[R_BATCH], found[R_DECIDED_AT] = reason, batch, block.now
  if paid then vouchers.spend(block, record, found[R_AMOUNT]) end
  if record[BALANCE] == 0 then
    vouchers.turn(block, serial, record, 'redeemed', 'redeemed', found[R_AMOUNT], id)
  else
    vouchers.free(block, serial, record, paid and 'redeemed' or 'not-redeemed', found[R_AMOUNT], id)
  end
  keep(block, id, found)
  redis.call('XADD', block.base .. ':payouts:outcomes', 'MAXLEN', '~', OUTCOMES_KEPT, '*', 'r', id, 's', found[R_STATE])
  if found[R_RECEIPT] == 1 then vouchers.task(block, 'voucher-notice', 'normal', id) end
end

-- args: now, actor, then {id, paid, reason, batch} each
register('isogate_voucher_decide', function(keys, args)
  local block = vouchers.open(keys[1], tonumber(args[1]), args[2])
  for i = 3, #args do decide(block, unpack(cmsgpack.unpack(args[i]))) end
  vouchers.commit(block)
  return 1
end)

-- Puts an amount that was redeemed back into the voucher, or releases it where the voucher is over.
local function give_back(block, serial, record, amount, action, id)
  vouchers.spend(block, record, -amount)
  local state = record[STATE]
  if amount > 0 and state == 'redeemed' then
    vouchers.free(block, serial, record, action, amount, id)
  else
    vouchers.turn(block, serial, record, state, action, amount, id)
  end
end

local function policy(block, record)
  return vouchers.lot(block, record[LOT]).facts.policy
end

-- The steps that a redemption may take, each giving a fault, or nothing. order: amount (-1: all), request
local steps = {}

function steps.confirm(block, serial, record, id, found, order)
  local final = order.amount < 0 and found[R_AMOUNT] or order.amount
  if found[R_STATE] == 'reversed' or found[R_STATE] == 'refunded' then return 'reversal_forbidden' end
  if final > found[R_AMOUNT] then return 'insufficient' end
  if final == found[R_AMOUNT] and found[R_STATE] == 'confirmed' then return nil end
  if found[R_STATE] ~= 'redeemed' then return 'state' end
  if final < found[R_AMOUNT] and not policy(block, record).partial then return 'partial_forbidden' end
  if final < found[R_AMOUNT] and found[R_PAYS] == 1 then return 'partial_forbidden' end
  give_back(block, serial, record, found[R_AMOUNT] - final, 'confirm', id)
  found[R_STATE], found[R_AMOUNT], found[R_CONFIRMED] = 'confirmed', final, 1
end

function steps.reverse(block, serial, record, id, found, order)
  if found[R_STATE] == 'reversed' or found[R_STATE] == 'failed' then return nil end
  if found[R_STATE] ~= 'redeemed' then return 'reversal_forbidden' end
  if found[R_PAYS] == 1 or not policy(block, record).reversal then return 'reversal_forbidden' end
  if order.amount > found[R_AMOUNT] then return 'insufficient' end
  if order.amount > 0 and not policy(block, record).partial then return 'partial_forbidden' end
  give_back(block, serial, record, found[R_AMOUNT] - order.amount, 'reverse', id)
  found[R_STATE], found[R_AMOUNT] = 'reversed', order.amount
end

local function refund_of(found, request)
  for _, refund in ipairs(found[R_REFUNDS]) do
    if request ~= '' and refund[1] == request then return refund end
  end
end

function steps.refund(block, serial, record, id, found, order)
  if refund_of(found, order.request) then return nil end
  if found[R_STATE] == 'failed' then return 'state' end
  if found[R_STATE] == 'reversed' then return 'refund_forbidden' end
  if found[R_PAYS] == 1 or not policy(block, record).refund then return 'refund_forbidden' end
  local amount = order.amount < 0 and found[R_AMOUNT] or order.amount
  if amount <= 0 or amount > found[R_AMOUNT] then return 'insufficient' end
  if amount < found[R_AMOUNT] and not policy(block, record).partial then return 'partial_forbidden' end
  give_back(block, serial, record, amount, 'refund', id)
  found[R_REFUNDS][#found[R_REFUNDS] + 1] = {order.request, amount}
  found[R_STATE], found[R_AMOUNT] = 'refunded', found[R_AMOUNT] - amount
end

-- Takes a refund back but for order.amount: what was given back is redeemed again, if it is still there.
function steps.undo_refund(block, serial, record, id, found, order)
  local refund = refund_of(found, order.request)
  if not refund then return 'unknown' end
  local amount = refund[2] - order.amount
  if amount <= 0 then return nil end
  if record[STATE] ~= 'activated' then return vouchers.fault(record[STATE]) end
  if amount > record[BALANCE] then return 'insufficient' end
  vouchers.spend(block, record, amount)
  local state = record[BALANCE] == 0 and 'redeemed' or 'activated'
  vouchers.turn(block, serial, record, state, 'undo-refund', amount, id)
  found[R_AMOUNT], refund[2] = found[R_AMOUNT] + amount, order.amount
  local given_back = 0
  for _, other in ipairs(found[R_REFUNDS]) do given_back = given_back + other[2] end
  if given_back == 0 then found[R_STATE] = found[R_CONFIRMED] == 1 and 'confirmed' or 'redeemed' end
end

-- args: step, id, order {amount, request, now, actor}. Gives '' and the redemption; or fault, state of the voucher.
register('isogate_voucher_step', function(keys, args)
  local id, order = args[2], cmsgpack.unpack(args[3])
  local serial = id:match('^(%d+)-')
  local block = vouchers.open(keys[1], order.now, order.actor)
  local found, record = redemption(block, id), vouchers.get(block, serial)
  if not (found and record) then return {'unknown', ''} end
  if found[R_STATE] == 'paying' then return {'in_progress', record[STATE]} end
  vouchers.expire(block, serial, record)
  local fault = steps[args[1]](block, serial, record, id, found, order)
  vouchers.commit(block)
  if fault then return {fault, record[STATE]} end
  return {'', keep(block, id, found)}
end)

-- args: serial, request, now. Gives the redemption of this request as id, redemption; nothing where there is none:
-- then it is refused from now on.
register('isogate_voucher_undo', function(keys, args)
  local block = vouchers.open(keys[1], tonumber(args[3]), '')
  local record = vouchers.get(block, args[1])
  for number = record and record[REDEMPTIONS] or 0, 1, -1 do
    local id = args[1] .. '-' .. number
    local found = redemption(block, id)
    if found and found[R_REQUEST] == args[2] then return {id, cmsgpack.pack(found)} end
  end
  redis.call('HSET', keys[1] .. ':undone', args[1] .. ' ' .. args[2], args[3])
  return false
end)

-- Whether the list that a closing is named after was taken by another one: a newer list has a trigger of its own.
local function has_passed(base, name)
  local partition, turn = name:match('^(%d+)%.(%d+)$')
  if base:match('{p(%d+)}') ~= partition then return false end
  return tonumber(redis.call('GET', base .. ':payouts:turn') or turn) > tonumber(turn)
end

-- KEYS[1]: the open payout list. args: name of the closing, life in seconds. Gives its members, the same every time.
register('isogate_voucher_close', function(keys, args)
  local base = keys[1]:match('^(ig:{p%d+}):')
  local mark, members = base .. ':payouts:closed:' .. args[1], base .. ':payouts:of:' .. args[1]
  local first = redis.call('SET', mark, '1', 'NX', 'EX', args[2])
  if first and redis.call('EXISTS', keys[1]) == 1 and not has_passed(base, args[1]) then
    redis.call('RENAME', keys[1], members)
    redis.call('EXPIRE', members, args[2])
  end
  return redis.call('LRANGE', members, 0, -1)
end)
