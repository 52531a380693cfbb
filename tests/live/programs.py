"""The real programs: how each is started, configured and asked. They run on loopback and end with
the run.
"""

import asyncio
import base64
import contextlib
import ctypes
import ctypes.util
import importlib.util
import json
import os
import re
import shutil
import socket
import subprocess
import threading
import time

from grpc_client import Grpc


def free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    for s in sockets:
        s.bind(("127.0.0.1", 0))
    ports = [s.getsockname()[1] for s in sockets]
    for s in sockets:
        s.close()
    return ports


def has_ipv6():
    try:
        with socket.socket(socket.AF_INET6) as s:
            s.bind(("::1", 0))
        return True
    except OSError:
        return False


@contextlib.contextmanager
def running(command, port):
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    try:
        for _ in range(200):
            if process.poll() is not None:
                raise RuntimeError(f"{command[0]} ended: {process.stderr.read().decode()[-2000:]}")
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                break
            time.sleep(0.1)
        threading.Thread(target=process.stderr.read, daemon=True).start()
        yield
    finally:
        process.terminate()
        process.wait()


class Http:
    """One kept connection; header values may be any bytes that HTTP lets through."""

    def __init__(self, port):
        self.port, self.socket = port, None

    def get(self, headers):
        for _ in range(3):
            try:
                if self.socket is None:
                    self.socket = socket.create_connection(("127.0.0.1", self.port), 10)
                self.socket.sendall(
                    b"GET / HTTP/1.1\r\nHost: h\r\n"
                    + b"".join(n + b": " + v + b"\r\n" for n, v in headers)
                    + b"\r\n"
                )
                data = b""
                while b"\r\n\r\n" not in data:
                    more = self.socket.recv(65536)
                    if not more:
                        raise ConnectionError
                    data += more
                head, _, body = data.partition(b"\r\n\r\n")
                length = re.search(rb"(?im)^content-length: *(\d+)", head)
                while length and len(body) < int(length[1]):
                    body += self.socket.recv(65536)
                fields = {
                    n.strip().lower(): v.strip()
                    for n, _, v in (l.partition(b":") for l in head.split(b"\r\n")[1:])
                }
                if fields.get(b"connection") == b"close":
                    self.socket = None
                return int(head.split()[1]), fields
            except OSError:
                self.socket = None
        raise RuntimeError("no answer")


def first_line(*command):
    done = subprocess.run(command, capture_output=True, text=True)
    return next(line.strip() for line in (done.stdout + done.stderr).splitlines() if line.strip())


def unless_found(name):
    return None if shutil.which(name) else f"no program `{name}`"


class Nginx:
    forbidden = b"\0\r\n"

    def missing(self):
        return unless_found("nginx")

    def version(self):
        return first_line("nginx", "-v")

    def draw(self, rng, number, weights):
        count = rng.choice([1, 2, 3, 5, 8, 20, 60])
        servers = []
        for i, weight in enumerate(weights(rng, count, 50)):
            address = f"127.{1 + number}.{rng.randrange(256)}.{1 + i}"
            kind = rng.randrange(8)
            text = (
                f"unix:/tmp/cw-{number}-{i}.sock"
                if kind == 0
                else f"[::1]:{20000 + 100 * (number % 90) + i}"
                if kind == 1 and has_ipv6()
                else f"{address}:{rng.choice([8080, 9000, 11211])}"
            )
            servers.append({"text": text, "weight": weight})
        # Some are down, or do not listen, so that the next is tried. They are few, because after 21
        # points nginx uses its round-robin, whose state is unknown here.
        may_fail = sum(server["weight"] for server in servers) / 4
        for server in servers:
            if rng.random() < 0.3 and server["weight"] <= may_fail:
                server[rng.choice(["down", "dead"])] = True
                may_fail -= server["weight"]
        return {"system": "nginx", "servers": servers}

    def answers(self, folder, cases):
        [port] = free_ports(1)
        sockets = os.path.join(folder, "s")
        real = lambda text: text.replace("/tmp/cw-", sockets)
        for case in cases:
            for server in case["servers"]:
                server["text"] = real(server["text"])
        blocks = []
        for number, case in enumerate(cases):
            lines = "".join(
                f"server {s['text']} weight={s['weight']} max_fails=0{' down' if s.get('down') else ''};\n"
                for s in case["servers"]
            )
            blocks.append(f"upstream u{number} {{ hash $http_x_key consistent;\n{lines} }}")
        listens = sorted(
            {s["text"] for case in cases for s in case["servers"] if not s.get("dead")}
        )
        listen = "".join(f"listen {text};\n" for text in listens)
        with open(os.path.join(folder, "nginx.conf"), "w") as f:
            f.write(f"""daemon off; master_process off; pid {folder}/pid; error_log stderr crit; worker_rlimit_nofile 8192;
events {{ worker_connections 4096; }}
http {{ access_log off; client_body_temp_path {folder}/b; proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/c;
keepalive_requests 1000000; large_client_header_buffers 8 32k; resolver 127.0.0.1;
{chr(10).join(blocks)}
server {{ {listen} return 204; }}
server {{ listen 127.0.0.1:{port}; location / {{ proxy_next_upstream_tries 0; proxy_pass http://$http_x_up; add_header X-Tried $upstream_addr always; }} }} }}
""")
        with running(["nginx", "-c", f"{folder}/nginx.conf", "-p", folder, "-e", "stderr"], port):
            http = Http(port)
            result = []
            for number, case in enumerate(cases):
                answers = []
                for key in case["keys"]:
                    status, fields = http.get([(b"X-Up", b"u%d" % number), (b"X-Key", key)])
                    answers.append(
                        fields[b"x-tried"].decode().split(", ")[:8] if status == 204 else None
                    )
                result.append(answers)
            return result


class Haproxy:
    forbidden = b""

    def missing(self):
        return unless_found("haproxy")

    def version(self):
        return first_line("haproxy", "-v")

    def draw(self, rng, number, weights):
        count = rng.choice([1, 2, 3, 5, 8, 20, 60])
        servers = [
            {"text": f"s{i}", "weight": weight} for i, weight in enumerate(weights(rng, count, 256))
        ]
        for server in servers[1:]:
            # A backup server serves only if no other is up, so to the others it is down.
            server["backup"] = rng.random() < 0.1
            server["down"] = server["backup"] or rng.random() < 0.15
        options = {}
        if rng.random() < 0.8:
            options["hash"] = rng.choice(["sdbm", "djb2", "wt6", "crc32"])
            if rng.random() < 0.6:
                options["avalanche"] = "true"
        if rng.random() < 0.4:
            # Some servers may have none, and are numbered by HAProxy.
            missing = rng.choice([0, 0.3, 0.8])
            ids = rng.sample(range(1, rng.choice([100, 10**7])), count)
            ids = ["-" if rng.random() < missing else str(id_) for id_ in ids]
            options["ids"] = ",".join(ids)
        return {"system": "haproxy", "servers": servers, "options": options}

    def answers(self, folder, cases):
        port, backend = free_ports(2)
        blocks, added = [], []
        for number, case in enumerate(cases):
            options = case["options"]
            kind = options.get("hash", "") + (" avalanche" if options.get("avalanche") else "")
            count = len(case["servers"])
            ids = options["ids"].split(",") if options.get("ids") else ["-"] * count
            lines = ""
            for server, id_ in zip(case["servers"], ids):
                if server.get("added"):
                    command = f"add server b{number}/{server['text']} 127.0.0.1:{backend}"
                    added.append(command + ("" if id_ == "-" else f" id {id_}"))
                    added.append(f"enable server b{number}/{server['text']}")
                    continue
                lines += f"  server {server['text']} 127.0.0.1:{backend} weight {server['weight']}"
                lines += "" if id_ == "-" else f" id {id_}"
                if server.get("backup"):
                    lines += " backup"
                elif server.get("down"):
                    lines += " disabled"
                lines += "\n"
            blocks.append(
                f"backend b{number}\n  balance hash var(txn.k)\n  hash-type consistent {kind}\n"
                f"  http-response set-header x-server %s\n{lines}"
            )
        with open(f"{folder}/haproxy.cfg", "w") as f:
            f.write(f"""global
  maxconn 500
  stats socket {folder}/haproxy.sock level admin
  tune.bufsize 65536
defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
frontend servers
  bind 127.0.0.1:{backend}
  http-request return status 200
frontend entry
  bind 127.0.0.1:{port}
  http-request set-var(txn.k) req.hdr(x-key),b64dec
  use_backend %[req.hdr(x-up)]
{chr(10).join(blocks)}
""")
        with running(["haproxy", "-db", "-f", f"{folder}/haproxy.cfg"], port):
            for command in added:
                with socket.socket(socket.AF_UNIX) as commands:
                    commands.connect(f"{folder}/haproxy.sock")
                    commands.sendall(command.encode() + b"\n")
                    answer = commands.recv(1000).decode().strip()
                    if answer and "registered" not in answer:
                        raise RuntimeError(f"haproxy: {command}: {answer}")
            http = Http(port)
            return [
                [
                    [
                        http.get([(b"x-up", b"b%d" % number), (b"x-key", base64.b64encode(key))])[
                            1
                        ][b"x-server"].decode()
                    ]
                    for key in case["keys"]
                ]
                for number, case in enumerate(cases)
            ]


class FakeRedis:
    """Answers every GET with the address that was asked: `host:port`, or the path of a socket."""

    def __init__(self, addresses):
        self.addresses = addresses

    async def serve(self, reader, writer):
        name = writer.get_extra_info("sockname")
        name = name if isinstance(name, str) else "%s:%d" % name[:2]
        with contextlib.suppress(
            asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError
        ):
            while True:
                count = int((await reader.readuntil(b"\n"))[1:])
                for _ in range(count):
                    size = int((await reader.readuntil(b"\n"))[1:])
                    await reader.readexactly(size + 2)
                writer.write(b"$%d\r\n%s\r\n" % (len(name), name.encode()))
        writer.close()

    def __enter__(self):
        self.loop, ready = asyncio.new_event_loop(), threading.Event()

        async def start():
            for address in self.addresses:
                if address.startswith("/"):
                    await asyncio.start_unix_server(self.serve, address)
                else:
                    host, port = address.rsplit(":", 1)
                    await asyncio.start_server(self.serve, host, int(port))
            ready.set()

        def run():
            self.loop.create_task(start())
            self.loop.run_forever()

        threading.Thread(target=run, daemon=True).start()
        if not ready.wait(20):
            raise RuntimeError("the servers behind twemproxy did not start")

    def __exit__(self, *_):
        def stop():
            for task in asyncio.all_tasks(self.loop):
                task.cancel()
            self.loop.call_later(0.1, self.loop.stop)

        self.loop.call_soon_threadsafe(stop)


class Twemproxy:
    forbidden = b""

    def missing(self):
        return unless_found("nutcracker")

    def version(self):
        return first_line("nutcracker", "-V")

    def draw(self, rng, number, weights):
        count = rng.choice([1, 2, 3, 5, 8, 20])
        options = {"hash": rng.choice(["md5", "fnv1a_64"])}
        if rng.random() < 0.5:
            options["hash_tag"] = rng.choice(["{}", "[]", "ab"])
        named = rng.random() < 0.3
        options["named"] = str(named).lower()
        servers = []
        for i, weight in enumerate(weights(rng, count, 1000)):
            host = f"127.{120 + number % 100}.{1 + number // 100}.{1 + i}"
            address = text = f"{host}:{rng.choice([11211, 7000])}"
            if rng.random() < 0.2:
                # A path of one length, so that the order by name does not depend on the folder.
                address = f"/tmp/cw-{number:03}-{i:03}.sock"
                text = address + ":"
            if named:
                text = f"cache-{rng.randrange(10**6)}-{i}"
            servers.append({"text": text, "address": address, "weight": weight})
        return {"system": "twemproxy", "servers": servers, "options": options}

    def answers(self, folder, cases):
        ports = free_ports(len(cases) + 1)
        pools = []
        for case in cases:
            for server in case["servers"]:
                for field in ("text", "address"):
                    server[field] = server[field].replace("/tmp/cw-", f"{folder}/s")
        for number, case in enumerate(cases):
            named = case["options"]["named"] == "true"
            lines = "".join(
                f"    - {s['address']}:{s['weight']}{' ' + s['text'] if named else ''}\n"
                for s in case["servers"]
            )
            options = f"  hash: {case['options']['hash']}\n"
            if "hash_tag" in case["options"]:
                options += f"  hash_tag: '{case['options']['hash_tag']}'\n"
            pools.append(
                f"p{number}:\n  listen: 127.0.0.1:{ports[number]}\n{options}"
                f"  distribution: ketama\n  redis: true\n  servers:\n{lines}"
            )
        with open(f"{folder}/nutcracker.yml", "w") as f:
            f.write("".join(pools))
        addresses = sorted({server["address"] for case in cases for server in case["servers"]})
        command = [
            "nutcracker",
            "-c",
            f"{folder}/nutcracker.yml",
            "-s",
            str(ports[-1]),
            "-a",
            "127.0.0.1",
            "-o",
            f"{folder}/log",
        ]
        with FakeRedis(addresses), running(command, ports[0]):
            result = []
            for case, port in zip(cases, ports):
                text = {s["address"]: s["text"] for s in case["servers"]}
                answers = []
                with socket.create_connection(("127.0.0.1", port), 10) as connection:
                    stream = connection.makefile("rb")
                    for key in case["keys"]:
                        connection.sendall(b"*2\r\n$3\r\nGET\r\n$%d\r\n%s\r\n" % (len(key), key))
                        size = stream.readline()
                        if not size.startswith(b"$"):
                            raise RuntimeError(f"twemproxy: {size!r}")
                        answers.append([text[stream.read(int(size[1:]) + 2)[:-2].decode()]])
                result.append(answers)
            return result


class Libmemcached:
    forbidden = b""
    KETAMA_WEIGHTED = 16

    def library(self):
        name = ctypes.util.find_library("memcached")
        return ctypes.CDLL(name) if name else None

    def missing(self):
        return None if self.library() else "no library `libmemcached`"

    def version(self):
        version = self.library().memcached_lib_version
        version.restype = ctypes.c_char_p
        return version().decode()

    def draw(self, rng, number, weights):
        count = rng.choice([1, 2, 3, 5, 8, 20, 60])
        servers = []
        for i, weight in enumerate(weights(rng, count, rng.choice([100, 30_000_000]))):
            port = rng.choice([11211, 11211, 7000, 80, 65535])
            host = rng.choice([f"10.0.{number}.{i}", f"cache-{i}.example", f"2001:db8::{i + 1:x}"])
            host = f"{host}" if i == 0 else host.replace("cache", f"cache{rng.randrange(1000)}")
            servers.append({"text": f"{host}:{port}", "weight": weight})
        return {"system": "ketama", "servers": list({s["text"]: s for s in servers}.values())}

    def answers(self, folder, cases):
        lib = self.library()
        pointer = ctypes.c_void_p
        lib.memcached_create.restype = pointer
        lib.memcached_create.argtypes = [pointer]
        lib.memcached_behavior_set.argtypes = [pointer, ctypes.c_int, ctypes.c_uint64]
        lib.memcached_server_add_with_weight.argtypes = [
            pointer,
            ctypes.c_char_p,
            ctypes.c_uint16,
            ctypes.c_uint32,
        ]
        lib.memcached_generate_hash.argtypes = [pointer, ctypes.c_char_p, ctypes.c_size_t]
        lib.memcached_generate_hash.restype = ctypes.c_uint32
        lib.memcached_free.argtypes = [pointer]
        result = []
        for case in cases:
            client = lib.memcached_create(None)
            lib.memcached_behavior_set(client, self.KETAMA_WEIGHTED, 1)
            for server in case["servers"]:
                host, port = server["text"].rsplit(":", 1)
                lib.memcached_server_add_with_weight(
                    client, host.encode(), int(port), server["weight"]
                )
            texts = [server["text"] for server in case["servers"]]
            result.append(
                [
                    [texts[lib.memcached_generate_hash(client, key, len(key))]]
                    for key in case["keys"]
                ]
            )
            lib.memcached_free(client)
        return result


class Guava:
    forbidden = b""

    def missing(self):
        return None if importlib.util.find_spec("guavahash") else "no Python module `guavahash`"

    def version(self):
        return "(guavahash)"

    def draw(self, rng, number, weights):
        count = rng.choice([1, 2, 3, 10, 100, 1000, 5000])
        return {"system": "jump", "servers": [{"text": str(i), "weight": 1} for i in range(count)]}

    def answers(self, folder, cases):
        import guavahash

        for case in cases:
            # Only numbers are keys here.
            case["keys"] = [(key * 8)[:8] for key in case["keys"]]
        return [
            [
                [
                    str(
                        guavahash.guava(
                            int.from_bytes(key, "little", signed=True), len(case["servers"])
                        )
                    )
                ]
                for key in case["keys"]
            ]
            for case in cases
        ]


class Envoy:
    # Header values are bytes, but Envoy cuts blanks and refuses control bytes.
    forbidden = bytes(range(32)) + b"\x7f"

    def missing(self):
        return unless_found("envoy")

    def version(self):
        return "Envoy" + first_line("envoy", "--version").partition(" version:")[2]

    def draw(self, rng, number, weights):
        count = rng.choice([1, 2, 3, 5, 8, 20, 100])
        greatest = rng.choice([10, 1000])
        ports = rng.sample(range(1024, 65536), count)
        servers = [
            {"text": f"127.{10 + number}.{i // 250}.{1 + i % 250}:{port}", "weight": weight}
            for i, (port, weight) in enumerate(zip(ports, weights(rng, count, greatest)))
        ]
        if rng.random() < 0.3:
            for i, server in enumerate(servers):
                server["address"], server["text"] = (
                    server["text"],
                    f"host-key-{rng.randrange(1000)}-{i}",
                )
        if count > 3 and rng.random() < 0.5:
            for server in rng.sample(servers, rng.randint(1, count // 3)):
                server["down"] = True
        options, system = {}, rng.choice(["envoy-ring", "envoy-maglev"])
        if system == "envoy-maglev" and rng.random() < 0.5:
            options["table_size"] = rng.choice([2, 3, 7, 251, 5003, 65537, 655373])
        if system == "envoy-ring" and rng.random() < 0.7:
            options["minimum_ring_size"] = rng.choice([1, 7, 100, 1024, 5000])
            if rng.random() < 0.6:
                options["maximum_ring_size"] = options["minimum_ring_size"] + rng.choice(
                    [0, 1, 10, 3000]
                )
        return {"system": system, "servers": servers, "options": options}

    def answers(self, folder, cases):
        [port] = free_ports(1)
        clusters, routes = [], []
        for number, case in enumerate(cases):
            endpoints = []
            for server in case["servers"]:
                host, _, at = server.get("address", server["text"]).rpartition(":")
                endpoint = {
                    "endpoint": {
                        "address": {"socket_address": {"address": host, "port_value": int(at)}}
                    },
                    "load_balancing_weight": server["weight"],
                }
                if server.get("down"):
                    endpoint["health_status"] = "UNHEALTHY"
                if "address" in server:
                    endpoint["metadata"] = {
                        "filter_metadata": {"envoy.lb": {"hash_key": server["text"]}}
                    }
                endpoints.append(endpoint)
            policy = "ring_hash" if case["system"] == "envoy-ring" else "maglev"
            clusters.append(
                {
                    "name": f"c{number}",
                    "type": "STATIC",
                    "connect_timeout": "1s",
                    "lb_policy": policy.upper(),
                    f"{policy}_lb_config": case["options"],
                    "load_assignment": {
                        "cluster_name": f"c{number}",
                        "endpoints": [{"lb_endpoints": endpoints}],
                    },
                }
            )
            routes.append(
                {
                    "match": {
                        "prefix": "/",
                        "headers": [{"name": "x-up", "string_match": {"exact": f"c{number}"}}],
                    },
                    "route": {
                        "cluster": f"c{number}",
                        "hash_policy": [{"header": {"header_name": "x-key"}}],
                    },
                }
            )
        # No server listens at the addresses. Envoy's own answer names the host that it would ask.
        reply = {
            "mappers": [
                {
                    "filter": {
                        "status_code_filter": {
                            "comparison": {
                                "op": "GE",
                                "value": {"default_value": 500, "runtime_key": "x"},
                            }
                        }
                    },
                    "headers_to_add": [{"header": {"key": "x-asked", "value": "%UPSTREAM_HOST%"}}],
                }
            ]
        }
        manager = {
            "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
            "stat_prefix": "i",
            "local_reply_config": reply,
            "route_config": {"virtual_hosts": [{"name": "v", "domains": ["*"], "routes": routes}]},
            "http_filters": [
                {
                    "name": "router",
                    "typed_config": {
                        "@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"
                    },
                }
            ],
        }
        config = {
            "static_resources": {
                "listeners": [
                    {
                        "name": "l",
                        "address": {"socket_address": {"address": "127.0.0.1", "port_value": port}},
                        "filter_chains": [{"filters": [{"name": "http", "typed_config": manager}]}],
                    }
                ],
                "clusters": clusters,
            }
        }
        with open(f"{folder}/envoy.json", "w") as f:
            json.dump(config, f)
        with running(
            [
                "envoy",
                "-c",
                f"{folder}/envoy.json",
                "--concurrency",
                "1",
                "--base-id-path",
                f"{folder}/id",
                "--use-dynamic-base-id",
                "-l",
                "error",
            ],
            port,
        ):
            http = Http(port)
            result = []
            for number, case in enumerate(cases):
                text = {
                    server.get("address", server["text"]): server["text"]
                    for server in case["servers"]
                }
                answers = []
                for key in case["keys"]:
                    status, fields = http.get([(b"x-up", b"c%d" % number), (b"x-key", key)])
                    asked = fields.get(b"x-asked", b"").decode()
                    answers.append([text[asked]] if asked in text else None)
                result.append(answers)
            return result


ALL = {
    "envoy": Envoy,
    "grpc": Grpc,
    "nginx": Nginx,
    "haproxy": Haproxy,
    "twemproxy": Twemproxy,
    "libmemcached": Libmemcached,
    "guava": Guava,
}
