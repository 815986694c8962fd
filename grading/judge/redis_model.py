"""The judge's Redis: fakeredis on virtual time, hardened against what a component may send.

The commands come from code that is not trusted and run in the process that decides. So only the commands in
`ALLOWED` exist; a script gets a Lua without a way into Python (fakeredis leaves that way open), without bytecode and
patterns, with a budget of instructions and of memory; and whatever else goes wrong is an error reply.
"""

from __future__ import annotations

import random
import time as real_time
from collections.abc import Callable
from typing import Any

import fakeredis._core._server
import fakeredis._helpers
import fakeredis._socket._base
import fakeredis.model._expiring_members_set as sets
import redis
from fakeredis import FakeServer
from fakeredis._helpers import SimpleError
from fakeredis._socket._fakesocket import FakeSocket
from fakeredis.commands_mixins import connection_mixin, scripting_mixin, server_mixin

from grading.judge import resp
from grading.judge.protocol import HostLost

STRINGS = (
    "get set setex psetex setnx getset getdel getex mget mset msetnx append strlen getrange "
    "incr incrby incrbyfloat decr decrby"
)
KEYS = (
    "del unlink exists expire pexpire expireat pexpireat ttl pttl expiretime pexpiretime persist type touch "
    "rename renamenx keys scan randomkey dbsize flushdb flushall object echo ping select time"
)
HASHES = (
    "hset hsetnx hget hmget hmset hgetall hdel hexists hlen hkeys hvals hincrby hincrbyfloat hstrlen hscan "
    "hexpire hpexpire httl hpttl hpersist hexpireat hpexpireat"
)
SETS = (
    "sadd srem sismember smismember smembers scard spop srandmember sscan sinter sunion sdiff "
    "zadd zrem zscore zmscore zrange zrevrange zrangebyscore zrevrangebyscore zcard zcount zincrby zrank zrevrank "
    "zremrangebyscore zremrangebyrank zpopmin zpopmax zscan"
)
LISTS = "lpush rpush lpop rpop lrange llen lindex lset ltrim lrem lpushx rpushx"
SCRIPTS = "multi exec discard watch unwatch eval evalsha"
TWO_WORDS = "script load,script exists,script flush,client setinfo,client setname,client getname,client id"
ALLOWED = frozenset(" ".join((STRINGS, KEYS, HASHES, SETS, LISTS, SCRIPTS)).split()) | set(
    TWO_WORDS.split(",")
)
"""Nothing that waits, nothing that makes memory out of one number, no pub/sub."""

LUA_MEMORY = 8_000_000
REPLY_LIMIT = 1_000_000
REPLIES_LIMIT = 2_500_000
"""Bytes: of one command, and of all that one write carried."""

SAID_LIMIT = 32_000_000
"""Bytes that scripts may hand to commands in one run."""

BUSY_SECONDS = 30
SCRIPT_SECONDS = 5
"""Of real time, in one run and in one script: far beyond what any component needs that wants an answer."""

CONNECTIONS = 2_000

HARDEN = """
function()
    local sethook, error, clock = debug.sethook, error, os.clock
    local ticks, began, repeated = 0, 0, 0
    local function spent()
        sethook(spent, "", 1)  -- a pcall that catches this gets no further either
        error("the script used more than its instructions", 0)
    end
    local function tick()
        ticks = ticks + 1
        if ticks == 50 or clock() - began > 5 then spent() end
    end
    for _, name in ipairs{"python", "io", "os", "package", "require", "module", "dofile", "loadfile", "load",
                          "loadstring", "debug", "newproxy", "getfenv", "setfenv", "print"} do
        _G[name] = nil
    end
    for _, name in ipairs{"find", "match", "gmatch", "gsub", "dump", "gfind"} do
        string[name] = nil  -- patterns can take exponential time, bytecode can break Lua itself
    end
    local rep = string.rep
    string.rep = function(text, count)
        repeated = repeated + #text * count
        if #text * count > 1000000 or repeated > 5000000 then error("string.rep: too long", 2) end
        return rep(text, count)
    end
    -- What goes to Python is copied there, each time that it is mentioned: weigh it while it is still one.
    local type, pairs, select = type, pairs, select
    local calls = 0
    local function weigh(value, depth)
        if type(value) == "string" then return #value end
        if type(value) ~= "table" then return 8 end
        if depth > 32 then error("nested too deeply", 0) end
        local sum = 8
        for key, each in pairs(value) do
            sum = sum + weigh(key, depth + 1) + weigh(each, depth + 1)
            if sum > 1000000 then break end
        end
        return sum
    end
    local function weighed(function_of_python)
        return function(...)
            calls = calls + 1
            if calls > 2000 then error("the script calls Redis too often", 0) end
            local sum, given = 0, {...}
            for i = 1, select("#", ...) do sum = sum + weigh(given[i], 0) end
            if sum > 1000000 then error("more than a script may say at once", 0) end
            return function_of_python(...)
        end
    end
    redis.call, redis.pcall = weighed(redis.call), weighed(redis.pcall)
    cjson.encode, cjson.decode = weighed(cjson.encode), weighed(cjson.decode)
    redis.log = function() end  -- it would be the judge's log
    return function()
        calls, ticks, began, repeated = 0, 0, clock(), 0
        sethook(tick, "", 2000)
    end
end
"""


class _Time:
    """Stands for the module `time` within fakeredis; tells a model's time."""

    def __init__(self, source: Callable[[], float]) -> None:
        self.time = source

    def __getattr__(self, name: str) -> Any:
        return getattr(real_time, name)


TIMED: tuple[Any, ...] = (
    fakeredis._socket._base,
    fakeredis._helpers,
    fakeredis._core._server,
    server_mixin,
    connection_mixin,
)
DRAWING: Any = sets


class _Virtual:
    """Within, fakeredis goes by `source`. It takes no clock, so its modules' `time` is replaced.

    `chance`: which members of a set SPOP and SRANDMEMBER draw, so that the same seed draws the same ones."""

    def __init__(self, source: Callable[[], float], chance: random.Random) -> None:
        self._clock = _Time(source)
        self._chance = chance

    def __enter__(self) -> None:
        for module in TIMED:
            module.time = self._clock
        DRAWING.random = self._chance

    def __exit__(self, *_: object) -> None:
        for module in TIMED:
            module.time = real_time
        DRAWING.random = random


def _deny(obj: object, name: object, setting: bool) -> Any:
    raise AttributeError("not accessible from a script")


class _HardLua:
    """Stands for the module `lupa.lua51` while fakeredis makes a runtime."""

    def __init__(self, module: Any) -> None:
        self._module = module

    def LuaRuntime(self, **options: Any) -> Any:
        return self._module.LuaRuntime(
            **options,
            register_eval=False,
            register_builtins=False,
            attribute_filter=_deny,
            max_memory=LUA_MEMORY,
        )

    def __getattr__(self, name: str) -> Any:
        return getattr(self._module, name)


class _Runtime:
    """Of a Lua runtime as much as fakeredis uses. A script gives one value, as in Redis: the others are not copied."""

    def __init__(self, runtime: Any) -> None:
        self._runtime = runtime
        self._first = runtime.eval("function(chunk) local value = chunk() return value end")

    def execute(self, code: bytes | str) -> Any:
        try:
            chunk = self._runtime.compile(code)
        except Exception:
            return self._runtime.execute(code)  # says what is wrong in the words of fakeredis
        return self._first(chunk)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._runtime, name)


UNORDERED = frozenset({"smembers", "sinter", "sunion", "sdiff"})
"""Commands that answer in the order of a Python set, which differs from process to process."""


def _sorted(function: Any) -> Any:
    def in_order(*args: Any) -> Any:
        reply = function(*args)
        return sorted(reply) if isinstance(reply, list | set) else reply

    return in_order


class _Socket(FakeSocket):
    """One connection, seen by the server. Knows the allowed commands only."""

    _script_began = 0.0
    _converted = 0

    def _name_to_func(self, cmd_name: str) -> Any:
        if cmd_name not in ALLOWED:
            name = cmd_name[:40].upper()
            raise SimpleError(f"ERR {name} is not among the commands that the judge's Redis offers")
        function, signature = super()._name_to_func(cmd_name)
        return (_sorted(function), signature) if cmd_name in UNORDERED else (function, signature)

    def _decode_error(self, error: SimpleError) -> Any:
        return error  # as it is: redis-py, in the host, makes its exception of the text

    def _get_server_runtime(self, server: Any) -> Any:
        self._script_began = real_time.perf_counter()
        if hasattr(server, "_lua_runtime"):
            return server._lua_runtime
        mixin: Any = scripting_mixin
        module = mixin.LUA_MODULE
        mixin.LUA_MODULE = _HardLua(module)
        try:
            runtime = super()._get_server_runtime(server)
        finally:
            mixin.LUA_MODULE = module
        refill = runtime.eval(HARDEN)()
        plain_setter = server._lua_set_keys_argv

        def set_keys_and_refill(keys: Any, argv: Any) -> None:
            plain_setter(keys, argv)
            refill()

        server._lua_set_keys_argv = set_keys_and_refill
        server._lua_runtime = _Runtime(runtime)
        return server._lua_runtime

    def _lua_redis_call(self, lua_runtime: Any, expected_globals: set[Any], op: bytes, *args: Any) -> Any:
        if real_time.perf_counter() - self._script_began > SCRIPT_SECONDS:
            raise SimpleError("ERR the script takes too long")
        server: Any = self._server
        server._said = getattr(server, "_said", 0) + sum(
            len(each) for each in args if isinstance(each, bytes)
        )
        if server._said > SAID_LIMIT:
            raise SimpleError("OOM command not allowed when used memory > 'maxmemory'.")
        return super()._lua_redis_call(lua_runtime, expected_globals, op, *args)

    def _convert_lua_result(self, result: Any, nested: bool = True) -> Any:
        """A table may hold one text a million times: it is counted as often before it is copied."""
        if not nested:
            self._converted = 0
        self._converted += len(result) if isinstance(result, bytes | str) else 3
        if self._converted > REPLY_LIMIT:
            raise SimpleError("ERR the reply is larger than the judge allows")
        return super()._convert_lua_result(result, nested)


class RedisModel:
    """One Redis, empty at first. `now` gives POSIX seconds, virtual."""

    def __init__(self, now: Callable[[], float], seed: int = 0) -> None:
        self._virtual = _Virtual(now, random.Random(f"redis {seed}"))
        with self._virtual:
            self._server = FakeServer(version=(7,))
            self._own = self._connect()
        self._sockets: dict[object, _Socket] = {}
        self._left: float = BUSY_SECONDS

    def _connect(self) -> _Socket:
        return _Socket(self._server, 0, client_class=redis.Redis)

    def execute(self, connection: object, commands: list[list[bytes]]) -> bytes:
        """Run what one write carried; the bytes of all replies. Never raises for what a client sent."""
        replies: list[bytes] = []
        began = real_time.perf_counter()
        room = REPLIES_LIMIT
        with self._virtual:
            for words in commands:
                if connection not in self._sockets and len(self._sockets) >= CONNECTIONS:
                    return resp.error("ERR max number of clients reached")
                socket = self._sockets.get(connection)
                if socket is None:
                    socket = self._sockets[connection] = self._connect()
                reply = self._one(connection, socket, words)
                room -= len(reply)
                replies.append(
                    reply if room > 0 else resp.error("ERR the replies are larger than the judge allows")
                )
        self._left -= real_time.perf_counter() - began
        if self._left < 0:
            raise HostLost(f"the component's commands kept the judge's Redis busy for {BUSY_SECONDS} s")
        return b"".join(replies)

    def _one(self, connection: object, socket: _Socket, words: list[bytes]) -> bytes:
        try:
            socket._process_command(words)
            assert socket.responses is not None
            answer = socket.responses.get_nowait()
            if resp.larger(answer, REPLY_LIMIT):
                return resp.error("ERR the reply is larger than the judge allows")
            reply = resp.encode(answer)
        except Exception as error:  # fakeredis met something that it was not written for
            self._sockets.pop(connection, None)
            socket.close()
            self._server.__dict__.pop("_lua_runtime", None)  # it may be what is broken
            return resp.error(
                f"ERR the judge's Redis could not do this: {type(error).__name__}: {error}"[:300]
            )
        return (
            reply
            if len(reply) <= REPLY_LIMIT
            else resp.error("ERR the reply is larger than the judge allows")
        )

    def close(self, connection: object) -> None:
        socket = self._sockets.pop(connection, None)
        if socket is not None:
            socket.close()

    def flush(self) -> None:
        with self._virtual:
            self._one(None, self._own, [b"FLUSHALL"])

    def do(self, *words: str | int | float) -> Any:
        """A command of the judge's own. Text for bytes; sets come sorted."""
        with self._virtual:
            return _text(self._ask(*(str(word).encode() for word in words)))

    def ttls(self) -> dict[str, int | None]:
        """Each key that there is, with the milliseconds that it has left; None: it stays for ever."""
        found: dict[str, int | None] = {}
        with self._virtual:
            for key in self._ask(b"KEYS", b"*"):
                left = self._ask(b"PTTL", key)
                found[key.decode("utf-8", "backslashreplace")] = None if left == -1 else left
        return dict(sorted(found.items()))

    def _ask(self, *words: bytes) -> Any:
        self._own._process_command(list(words))
        assert self._own.responses is not None
        return self._own.responses.get_nowait()


def _text(reply: Any) -> Any:
    if isinstance(reply, bytes):
        return reply.decode("utf-8", "backslashreplace")
    if isinstance(reply, set | frozenset):
        return sorted(_text(each) for each in reply)
    return [_text(each) for each in reply] if isinstance(reply, list | tuple) else reply
