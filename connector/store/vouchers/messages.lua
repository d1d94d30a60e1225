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

-- args: sealed answer, outcome, serial, redemption, approved amount. The first answer stays. Gives the decision, the
-- advice that made it, and the amount that it leaves.
register('isogate_message_keep', function(keys, args)
  if redis.call('HEXISTS', keys[1], 'outcome') == 0 then
    redis.call('HSET', keys[1], 'answer', args[1], 'outcome', args[2], 'serial', args[3], 'redemption', args[4],
      'approved', args[5])
    redis.call('HDEL', keys[1], 'draft')
  end
  local decision, advice = unpack(redis.call('HMGET', keys[1], 'decision', 'advice'))
  return {decision or '', advice or ''}
end)

-- args: kind, decision, advice, final amount ('': all of it, or nothing). Gives what is so now, and by which advice:
-- done (now, or by this very advice before), confirmed, reversed, unknown, refused, unanswered, beyond.
register('isogate_message_decide', function(keys, args)
  local kind, outcome, decision, advice, approved = unpack(
    redis.call('HMGET', keys[1], 'kind', 'outcome', 'decision', 'advice', 'approved'))
  if kind ~= args[1] and args[2] == 'reversed' then
    if not kind then redis.call('HSETNX', keys[1], 'early:' .. args[1], args[3]) end
    return {'unknown', ''}
  end
  if kind ~= args[1] then
    local early = redis.call('HGET', keys[1], 'early:' .. args[1])
    return {early and 'reversed' or 'unknown', early or ''}
  end
  if outcome == 'refused' then return {'refused', ''} end
  if decision then
    return {decision == args[2] and advice == args[3] and 'done' or decision, advice}
  end
  if not outcome and (args[2] == 'confirmed' or args[4] ~= '') then return {'unanswered', ''} end
  if args[4] ~= '' and tonumber(args[4]) > tonumber(approved) then return {'beyond', ''} end
  if args[4] ~= '' then redis.call('HSET', keys[1], 'approved', args[4]) end
  if args[2] == 'confirmed' or args[4] == '' then
    redis.call('HSET', keys[1], 'decision', args[2], 'advice', args[3])
  end
  return {'done', args[3]}
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
