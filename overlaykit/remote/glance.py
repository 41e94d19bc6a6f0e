"""A quick look at a host: enough to see who is there and what runs, not enough to plan with.

    glance(fleet["node1"])["info"]["Swarm"]["LocalNodeState"]

No process is started for it, so it may be taken every second.
"""

from __future__ import annotations

from overlaykit.remote.engine import engine_errors
from overlaykit.remote.fleet import FleetHost
from overlaykit.remote.look import Answers, look_at_swarm
from overlaykit.words.errors import HostError

#: What an engine is asked to tell of as it happens. Health checks run commands all the time: those are left out.
EVENTS = {
    "type": ["container", "network", "service", "node"],
    "event": [
        "create", "start", "restart", "die", "stop", "pause", "unpause", "rename", "destroy", "health_status",
        "update", "remove", "connect", "disconnect",
    ],
}  # fmt: skip
_COMING = ("new", "allocated", "assigned", "accepted", "preparing", "ready", "starting", "failed", "rejected")
_INFO = ("NodeID", "NodeAddr", "LocalNodeState", "ControlAvailable")


def glance(host: FleetHost) -> Answers:
    """One host, quickly: its part in a swarm, its overlay networks, what runs. Nothing else is in the answer."""
    with engine_errors(host.name):
        api = host.docker.api
        info = api.info()
        swarm = {key: (info.get("Swarm") or {}).get(key) for key in _INFO}
        answer = {
            "info": {"Name": info["Name"], "Swarm": swarm},
            "networks": api.networks(filters={"driver": "overlay"}),
            "containers": api.containers(),
            "images": [], "volumes": [], "shell": "",
        }  # fmt: skip
        if swarm["ControlAvailable"]:
            try:
                answer["swarm"] = look_at_swarm(host)
            except HostError as error:  # a manager without a quorum
                answer["swarm_error"] = f"the swarm's managers do not answer: {error}"
        return answer


def is_on_its_way(answer: Answers) -> bool:
    """Are there tasks of which something becomes without an event?"""
    tasks = (answer.get("swarm") or {}).get("tasks", ())
    return any(task["DesiredState"] in ("running", "ready") and task["Status"]["State"] in _COMING for task in tasks)
