-- Called by messages.py. KEYS[1]: a message id of a client.

-- KEYS[2]: the clients that used the id for a redemption. args: kind, token of this call, client, then the record's
-- fields. Gives what is so now (new, seen, early) and the id of the reversal that came early.
register('isogate_message_claim', function(keys, args)
  local kind, token = unpack(redis.call('HMGET', keys[1], 'kind', 'token'))
  if kind then return {token == args[2] and 'new' or 'seen', ''} end
  local early = redis.call('HGET', keys[1], 'early:' .. args[1])
  if early then return {'early', early} end
  redis.call('HSET', keys[1], 'kind', args[1], 'token', args[2], unpack(args, 4))
  if args[1] == 'redemption' then redis.call('SADD', keys[2], args[3]) end
  return {'new', ''}
end)

-- args: sealed answer, outcome, serial, redemption, approved amount. The first answer stays, and what was reversed
-- meanwhile is not approved any more. Gives the decision and the advice that made it.
register('isogate_message_keep', function(keys, args)
  local outcome, decision, advice = unpack(redis.call('HMGET', keys[1], 'outcome', 'decision', 'advice'))
  if not outcome and not (args[2] == 'approved' and decision == 'reversed') then
    redis.call('HSET', keys[1], 'answer', args[1], 'outcome', args[2], 'serial', args[3], 'redemption', args[4],
      'approved', args[5])
    redis.call('HDEL', keys[1], 'draft')
  end
  return {decision or '', advice or ''}
end)

-- What a message id finds that is not of the kind asked for, or nothing. A reversal before its request is kept.
local function unseen_message(key, kind, wanted, decision, advice)
  if kind == wanted then return nil end
  if decision == 'reversed' then
    if not kind then redis.call('HSETNX', key, 'early:' .. wanted, advice) end
    return {'unknown', ''}
  end
  local early = redis.call('HGET', key, 'early:' .. wanted)
  return {early and 'reversed' or 'unknown', early or ''}
end

-- args: kind, decision, advice, final amount ('': all of it, or nothing). Gives what is so now, and by which advice.
register('isogate_message_decide', function(keys, args)
  local wanted, decision, advice, final = unpack(args)
  local kind, outcome, decided, by, approved, reversible = unpack(
    redis.call('HMGET', keys[1], 'kind', 'outcome', 'decision', 'advice', 'approved', 'reversible'))
  local unseen = unseen_message(keys[1], kind, wanted, decision, advice)
  if unseen then return unseen end
  if decided then return {decided == decision and by == advice and 'done' or decided, by} end
  if outcome == 'refused' then return {'refused', ''} end
  if decision == 'reversed' and reversible == '0' then return {'forbidden', ''} end
  if not outcome and (decision == 'confirmed' or final ~= '') then return {'unanswered', ''} end
  if final ~= '' and tonumber(final) > tonumber(approved) then return {'beyond', ''} end
  if decision == 'reversed' and final == '' then final = '0' end
  redis.call('HSET', keys[1], 'decision', decision, 'advice', advice)
  if final ~= '' then redis.call('HSET', keys[1], 'approved', final) end
  return {'done', advice}
end)

-- KEYS[1]: the refunds that a block's redemptions have open. args: redemption, the refund's name.
-- Gives 1 where that refund has the redemption now, 0 where another one has, -1 where it was dropped before it came.
register('isogate_refund_hold', function(keys, args)
  if redis.call('HEXISTS', keys[1], 'dropped:' .. args[2]) == 1 then return -1 end
  redis.call('HSETNX', keys[1], args[1], args[2])
  return redis.call('HGET', keys[1], args[1]) == args[2] and 1 or 0
end)

-- args: redemption, the refund's name, 1 if it is to be refused from now on
register('isogate_refund_drop', function(keys, args)
  if args[3] == '1' then redis.call('HSET', keys[1], 'dropped:' .. args[2], '1') end
  if redis.call('HGET', keys[1], args[1]) ~= args[2] then return 0 end
  return redis.call('HDEL', keys[1], args[1])
end)
