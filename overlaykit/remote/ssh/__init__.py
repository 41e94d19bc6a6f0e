"""One SSH connection per host: how a login is found (`route`, `proxy`, `login`, `authentication`, `hostkeys`), and
what runs over it (`commands`, `channels` to the engine's socket, `dial` where those are forbidden).

    connection = connect_host(host)      # ssh/connect.py
    connection.run("uname -r")
"""
