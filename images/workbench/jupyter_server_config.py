"""JupyterLab in the workbench. A hub's server reads this too, and what the hub says of address and port wins."""

c = get_config()  # noqa: F821  (Jupyter gives it)

# All addresses of the container: who may come in is said outside, by `docker run -p 127.0.0.1:…`, and by the token.
c.ServerApp.ip = "0.0.0.0"
c.ServerApp.port = 8888
c.ServerApp.port_retries = 0
c.ServerApp.open_browser = False
c.ServerApp.root_dir = "/home/jovyan"
c.LabApp.default_url = "/lab/tree/notebooks/00_start.ipynb"
# What cannot be asked from in here: extensions that could be installed.
c.LabApp.extension_manager = "readonly"
