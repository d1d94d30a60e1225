-- Called by archive.py and rotation.py. KEYS[1]: ig:{pN}:vouchers:<block>

-- args: now, actor, then serial and record as it was read. Gives for each 1 purged now, 2 purged before, 0 not.
register('isogate_voucher_purge', function(keys, args)
  local block = vouchers.open(keys[1], tonumber(args[1]), args[2])
  local answers = {}
  for i = 3, #args, 2 do
    local serial, record = args[i], vouchers.get(block, args[i])
    local same = redis.call('HGET', keys[1] .. ':state', serial) == args[i + 1]
    if record and record[STATE] == 'purged' then
      answers[#answers + 1] = 2
    elseif record and same and vouchers.OVER[record[STATE]] then
      for number = 1, record[REDEMPTIONS] do redis.call('HDEL', keys[1] .. ':redemptions', serial .. '-' .. number) end
      record[PIN] = ''
      vouchers.turn(block, serial, record, 'purged', 'purge', 0, '')
      answers[#answers + 1] = 1
    else
      answers[#answers + 1] = 0
    end
  end
  for _, field in ipairs(redis.call('HKEYS', keys[1] .. ':undone')) do
    local record = block.records[field:match('^%d+')]
    if record and record[STATE] == 'purged' then redis.call('HDEL', keys[1] .. ':undone', field) end
  end
  vouchers.commit(block)
  return answers
end)

-- args: serials. Removes the facts of those that are purged.
register('isogate_voucher_forget', function(keys, args)
  local block = vouchers.open(keys[1], 0, '')
  vouchers.load(block, args, 1)
  for _, serial in ipairs(args) do
    local record = block.records[serial]
    if record and record[STATE] == 'purged' then redis.call('HDEL', keys[1] .. ':facts', serial) end
  end
  return 1
end)

-- args: serial, sealed facts as they were read, sealed anew, ... Those that have changed in between are left alone.
register('isogate_voucher_reseal', function(keys, args)
  for i = 1, #args, 3 do
    if redis.call('HGET', keys[1] .. ':facts', args[i]) == args[i + 1] then
      redis.call('HSET', keys[1] .. ':facts', args[i], args[i + 2])
    end
  end
  return 1
end)
