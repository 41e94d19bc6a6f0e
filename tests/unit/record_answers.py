"""Saves what hosts answer, so that a situation seen once becomes a test case.

    python tests/unit/record_answers.py INVENTORY tests/unit/cases/answers/NAME.json

Only what the kit reads is kept; names, addresses and ids are those of the hosts, so use the lab.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from overlaykit import connect
from overlaykit.remote.look import gather

_INFO = ("Name", "KernelVersion", "ServerVersion", "NCPU", "MemTotal", "Warnings")
_SWARM = ("NodeID", "NodeAddr", "LocalNodeState", "ControlAvailable")


def slim(answers: dict[str, Any]) -> dict[str, Any]:
    """The answers without what nobody reads."""
    for host in answers["hosts"].values():
        if "info" in host:
            host["info"] = {key: host["info"].get(key) for key in _INFO} | {
                "Swarm": {key: host["info"]["Swarm"].get(key) for key in _SWARM}
            }
            host["images"] = [{key: image[key] for key in ("Id", "RepoTags")} for image in host["images"]]
            host["networks"] = [{key: one[key] for key in ("Name", "Driver")} for one in host["networks"]]
            host["containers"] = [
                {key: one[key] for key in ("Id", "Names", "Labels", "State")} for one in host["containers"]
            ]
    if answers["swarm"]:
        for node in answers["swarm"]["nodes"]:
            node["Description"] = {"Hostname": node["Description"]["Hostname"]}
    return answers


if __name__ == "__main__":
    source, target = sys.argv[1:]
    with connect(source) as hosts:
        Path(target).write_text(json.dumps(slim(gather(hosts.fleet, {})), indent=1) + "\n")
