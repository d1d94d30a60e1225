-- Shared by every commit: append tasks, write the event, strike off the finished entry.
-- Stream names come from the caller and carry the same hash tag as the declared keys, so they lie in the same slot.

local EVENTS_KEPT = 10000

local function register(name, callback)
  redis.register_function(name, callback)
end

-- Puts a task on its stream. "ready" names the streams that may have something nobody was given yet; when one is named
-- anew the bell rings, and for urgent work a second one, for workers who looked before.
local function append(base, stream, ...)
  redis.call('XADD', stream, '*', ...)
  if redis.call('SADD', base .. ':ready', stream) == 1 then
    redis.call('SADD', base .. ':streams', stream)
    redis.call('XADD', base .. ':bell', 'MAXLEN', 1, '*', 's', stream)
    if stream:sub(-7) == ':urgent' then
      redis.call('XADD', base .. ':bell:urgent', 'MAXLEN', 1, '*', 's', stream)
    end
  end
end

local function enqueue(base, tasks)
  for _, task in ipairs(tasks) do
    local stream, due, payload = task[1], task[2], task[3]
    if due == '' then
      append(base, stream, 't', payload)
    else
      redis.call('ZADD', base .. ':timers', due, stream .. '\n' .. payload)
    end
  end
end

local function write_event(log, event)
  redis.call('XADD', log, 'MAXLEN', '~', EVENTS_KEPT, '*', 'e', event)
end

local function strike(stream, group, id)
  pcall(redis.call, 'XACK', stream, group, id)
  return redis.call('XDEL', stream, id)
end

-- log: key of the event log, or nil where there is none
local function send(outbox, log)
  enqueue(outbox.base, outbox.tasks)
  if log and outbox.event ~= '' then
    write_event(log, outbox.event)
  end
  if outbox.done[1] then
    strike(outbox.done[1], outbox.group, outbox.done[2])
  end
end

-- Minor units go beyond 2^53, where Lua's numbers are not exact: they are passed on as the text they came as.
local function negated(digits)
  if digits == '0' then return '0' end
  if digits:sub(1, 1) == '-' then return digits:sub(2) end
  return '-' .. digits
end

register('isogate_enqueue', function(_, args)
  send(cmsgpack.unpack(args[1]), nil)
  return 1
end)
