"""A class on one machine: a container for each learner, and nothing of it reachable but through the hub.

The hub itself runs in a container too (compose.yaml): so it finds the learners' containers by the name of their common
network on every machine, also where an engine runs in a virtual machine of its own (macOS, Windows) and the host has
no way to them. What may be set comes from the environment; `up` and compose.yaml name the defaults.
"""

# JupyterHub executes this file in its own image, whose packages the project does not have.
# mypy: ignore-errors

import hmac
import os
import sys
from pathlib import Path

from jupyterhub.auth import Authenticator

sys.path.append("/srv")
from accounts import names, password

c = get_config()  # noqa: F821 (JupyterHub defines it)

# --- Where. -----------------------------------------------------------------------------------------------------------
# Everything lies under one prefix, so that the hub can share a name with other sites behind the faculty's web server,
# which also has the certificate: this one speaks plain HTTP, and is published on the loopback address only.
c.JupyterHub.bind_url = "http://0.0.0.0:8000" + os.environ["HUB_BASE_URL"]
# Learners' servers ask the hub who their visitor is, by its name on their network.
c.JupyterHub.hub_ip = "0.0.0.0"
c.JupyterHub.hub_connect_ip = "hub"
# Accounts, sessions and the secret that signs cookies, in a volume: learners stay logged in over a restart.
c.JupyterHub.db_url = "sqlite:////srv/state/jupyterhub.sqlite"
c.JupyterHub.cookie_secret_file = "/srv/state/cookie_secret"
# A new configuration, or a new version of the hub, ends nobody's work.
c.JupyterHub.cleanup_servers = False

# --- Who. -------------------------------------------------------------------------------------------------------------
# The class is a list of names, and each has the password that `up` wrote into a file for the instructor to hand out.
# That needs no other service. Where the institution has a sign-on, use that in its place: oauthenticator (OpenID
# Connect), or jupyterhub-ltiauthenticator (from a course in Moodle or Canvas); the list of names stays.
learners = names(Path("/srv/learners.txt"))
instructor = os.environ["HUB_INSTRUCTOR"]
secret = Path("/srv/secret").read_bytes()
if len(secret) < 16:
    raise ValueError("the hub's secret is too short: anybody could work out the passwords")


class HandedOut(Authenticator):
    """Says yes to a name of the class with its password. The rest (sessions, cookies, who may what) is JupyterHub's."""

    async def authenticate(self, handler, data):
        name = self.normalize_username(data["username"])
        given, right = data["password"].strip().encode(), password(secret, name).encode()
        return name if hmac.compare_digest(given, right) else None


c.JupyterHub.authenticator_class = HandedOut
c.Authenticator.allowed_users = {*learners, instructor}
c.Authenticator.allow_existing_users = False  # whose name is taken off the list logs in no more
# At hub/admin: sees who is there, starts and ends servers. A look into a learner's server is not among it.
c.Authenticator.admin_users = {instructor}

# --- What each learner gets. ------------------------------------------------------------------------------------------
c.JupyterHub.spawner_class = "docker"
name = os.environ["HUB_NAME"]
c.DockerSpawner.image = os.environ["HUB_LEARNER_IMAGE"]
c.DockerSpawner.pull_policy = "never"  # `up` has built it
c.DockerSpawner.prefix = name  # of the container's name, before the learner's
c.DockerSpawner.network_name = f"{name}-learners"
c.DockerSpawner.remove = True  # a container holds nothing that is to stay
# The notebooks, and all that the workbench keeps beside them. `collect` fetches the notebooks from there.
c.DockerSpawner.volumes = {f"{name}-{{username}}": "/home/learner/work"}

# A stack, its load, the judge and a kernel take about half of that (README.md has the figures). Without a limit, one
# learner's endless loop is everybody's; with it the kernel ends a process in that container, and no other.
c.DockerSpawner.mem_limit = os.environ["HUB_LEARNER_MEMORY"]
c.DockerSpawner.cpu_limit = float(os.environ["HUB_LEARNER_CPUS"])
c.DockerSpawner.extra_host_config = {
    "pids_limit": 512,  # a stack of the profile `local` has 95 with its threads, a server with a kernel 30
    "cap_drop": ["ALL"],
    "security_opt": ["no-new-privileges:true"],
    "read_only": True,
    # What a stack writes goes with it. It counts as memory of the container.
    "tmpfs": {"/tmp": "size=256m,mode=1777", "/home/learner": "size=64m,mode=0700,uid=10001,gid=10001"},
    # Reaps what a kernel leaves behind when it is killed.
    "init": True,
}
# A server starts in three seconds alone, and in a minute or more when a whole class comes in at nine.
c.DockerSpawner.start_timeout = c.DockerSpawner.http_timeout = 180

# --- Until when. ------------------------------------------------------------------------------------------------------
# Two hours without a key pressed or a cell running, and the memory goes to somebody else. The work stays.
c.JupyterHub.load_roles = [
    {
        "name": "end-idle-servers",
        "scopes": ["list:users", "read:users:activity", "read:servers", "delete:servers"],
        "services": ["end-idle-servers"],
    }
]
c.JupyterHub.services = [
    {
        "name": "end-idle-servers",
        "command": [sys.executable, "-m", "jupyterhub_idle_culler", "--timeout=7200"],
    }
]
