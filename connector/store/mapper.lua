-- Called by mapper.py. KEYS[1]: one of the mapper's hashes; its fields are keyed hashes, its values sealed.

-- args: field, value, ... Gives for each what was there before (then it stays), or nothing.
register('isogate_mapper_add', function(keys, args)
  local there = {}
  for i = 1, #args, 2 do
    if redis.call('HSETNX', keys[1], args[i], args[i + 1]) == 1 then
      there[#there + 1] = ''
    else
      there[#there + 1] = redis.call('HGET', keys[1], args[i])
    end
  end
  return there
end)

-- args: field, expected value, new value, ... Gives for each 1 if it was swapped.
register('isogate_mapper_swap', function(keys, args)
  local swapped = {}
  for i = 1, #args, 3 do
    local fits = redis.call('HGET', keys[1], args[i]) == args[i + 1]
    if fits then redis.call('HSET', keys[1], args[i], args[i + 2]) end
    swapped[#swapped + 1] = fits and 1 or 0
  end
  return swapped
end)
