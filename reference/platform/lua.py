"""Scripts in the embedded Redis, kept from what a real one keeps from them: files, the system, and here Python.

fakeredis gives a script Lua's whole library, and lupa gives it Python's `eval`: whoever may talk to the port could
have the process do anything. And a global that one script leaves behind makes every later one fail.
"""

from __future__ import annotations

from typing import Any

from fakeredis._helpers import SimpleError
from fakeredis.commands_mixins import scripting_mixin

HARDEN = """
for _, name in ipairs{"python", "io", "os", "package", "require", "module", "dofile", "loadfile", "debug", "newproxy",
                      "getfenv", "setfenv", "print"} do
    _G[name] = nil
end
"""


def deny(_: object, name: object, setting: bool) -> Any:
    raise SimpleError("ERR not accessible from a script")


class HardLua:
    """Stands for the module `lupa.lua51` while fakeredis makes a runtime."""

    def __init__(self, module: Any) -> None:
        self._module = module

    def LuaRuntime(self, **options: Any) -> Any:
        return self._module.LuaRuntime(
            **options, register_eval=False, register_builtins=False, attribute_filter=deny
        )

    def __getattr__(self, name: str) -> Any:
        return getattr(self._module, name)


class HardScripts:
    """For a socket of fakeredis, in front of its own base."""

    def _get_server_runtime(self, server: Any) -> Any:
        """Asked for before each script."""
        if hasattr(server, "_lua_runtime"):
            runtime = server._lua_runtime
            tidy(runtime, server._lua_expected_globals)
            return runtime
        mixin: Any = scripting_mixin
        module = mixin.LUA_MODULE
        mixin.LUA_MODULE = HardLua(module)
        try:
            runtime = super()._get_server_runtime(server)  # type: ignore[misc]
        finally:
            mixin.LUA_MODULE = module
        runtime.execute(HARDEN)
        server._lua_expected_globals.intersection_update(runtime.globals().keys())
        return runtime


def tidy(runtime: Any, expected: set[Any]) -> None:
    """Takes away the globals that an earlier script has left."""
    found = runtime.globals()
    for name in set(found.keys()) - expected:
        del found[name]
