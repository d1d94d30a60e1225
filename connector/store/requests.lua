-- Called by requests.py. KEYS[1]: a claimed request.

-- args: digest, owner
register('isogate_claim', function(keys, args)
  local digest, owner = unpack(redis.call('HMGET', keys[1], 'digest', 'owner'))
  if not digest then
    redis.call('HSET', keys[1], 'digest', args[1], 'owner', args[2])
    return 'new'
  end
  return digest == args[1] and owner == args[2] and 'repeat' or 'conflict'
end)

-- args: owner
register('isogate_give_back', function(keys, args)
  if redis.call('HGET', keys[1], 'owner') ~= args[1] then return 0 end
  return redis.call('DEL', keys[1])
end)

-- args: plan
register('isogate_keep_plan', function(keys, args)
  redis.call('HSETNX', keys[1], 'plan', args[1])
  return redis.call('HGET', keys[1], 'plan')
end)

-- args: answer
register('isogate_keep_answer', function(keys, args)
  if redis.call('EXISTS', keys[1]) == 0 then return 0 end
  redis.call('HSET', keys[1], 'answer', args[1])
  return 1
end)
