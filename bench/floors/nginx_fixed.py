"""nginx with one worker and a fixed JSON answer: what HTTP costs without any work behind it.

Prints `LISTENING 127.0.0.1:<port>`, and ends when its standard input does.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from bench.floors.free_port import HOST, announce, free_port

_CONFIG = """
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log stderr;
events {{ worker_connections 4096; }}
http {{
    access_log off;
    client_body_temp_path {folder};
    proxy_temp_path {folder};
    fastcgi_temp_path {folder};
    uwsgi_temp_path {folder};
    scgi_temp_path {folder};
    keepalive_requests 1000000000;
    server {{
        listen {host}:{port};
        location / {{ default_type application/json; return 200 "6912"; }}
    }}
}}
"""


def serve() -> None:
    """Serves until standard input ends."""
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="polyport-bench-nginx-") as folder:
        # The worker is another user when root starts it.
        os.chmod(folder, 0o777)
        config = Path(folder, "nginx.conf")
        config.write_text(_CONFIG.format(folder=folder, host=HOST, port=port), encoding="ascii")
        nginx = subprocess.Popen(["nginx", "-c", str(config)], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        try:
            announce(port)
            sys.stdin.read()
        finally:
            nginx.terminate()
            nginx.wait()


if __name__ == "__main__":
    serve()
