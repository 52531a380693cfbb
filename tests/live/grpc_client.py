"""gRPC's `ring_hash`: servers in this process, and one channel for each case."""

import concurrent.futures
import importlib.util
import json
import os


class Grpc:
    # Values of metadata are printable ASCII.
    forbidden = bytes(range(32)) + bytes(range(127, 256))

    def missing(self):
        return None if importlib.util.find_spec("grpc") else "no Python module `grpc`"

    def version(self):
        import grpc

        return f"grpcio {grpc.__version__} (C-core)"

    def draw(self, rng, number, weights):
        # The ports are known once the servers run.
        servers = [{"text": f"port {i}", "weight": 1} for i in range(rng.choice([1, 2, 5, 20]))]
        least = rng.choice([1, 7, 1024, 4095, 5000, 100_000])
        options = {"minimum_ring_size": least, "maximum_ring_size": least + rng.choice([0, 3000])}
        if rng.random() < 0.3:
            options["ring_size_cap"] = rng.choice([1, 500, 10_000])
        return {"system": "grpc", "servers": servers, "options": options}

    def answers(self, folder, cases):
        os.environ["GRPC_EXPERIMENTAL_RING_HASH_SET_REQUEST_HASH_KEY"] = "true"
        import grpc

        running, ports = [], []

        def start(address):
            """Starts a server that answers every call with its port."""
            server = grpc.server(concurrent.futures.ThreadPoolExecutor(2))
            port = server.add_insecure_port(address)
            answer = lambda request, context: str(port).encode()
            handlers = {"Ask": grpc.unary_unary_rpc_method_handler(answer)}
            server.add_generic_rpc_handlers(
                (grpc.method_handlers_generic_handler("clockwise.Test", handlers),)
            )
            server.start()
            running.append(server)
            return port

        try:
            result = []
            for case in cases:
                for i, server in enumerate(case["servers"]):
                    if "address" in server:
                        start(server["address"])
                    else:
                        if i == len(ports):
                            ports.append(start("127.0.0.1:0"))
                        server["text"] = f"127.0.0.1:{ports[i]}"
                result.append(self.ask(grpc, case))
            return result
        finally:
            for server in running:
                server.stop(None)

    def ask(self, grpc, case):
        options = case["options"]
        policy = {"requestHashHeader": "x-key"}
        for ours, theirs in (
            ("minimum_ring_size", "minRingSize"),
            ("maximum_ring_size", "maxRingSize"),
        ):
            if ours in options:
                policy[theirs] = options[ours]
        config = {"loadBalancingConfig": [{"ring_hash_experimental": policy}]}
        arguments = [("grpc.service_config", json.dumps(config))]
        if "ring_size_cap" in options:
            arguments.append(("grpc.lb.ring_hash.ring_size_cap", options["ring_size_cap"]))
        texts = [server["text"] for server in case["servers"]]
        with grpc.insecure_channel("ipv4:" + ",".join(texts), arguments) as channel:
            ask = channel.unary_unary("/clockwise.Test/Ask")
            answers = []
            for key in case["keys"]:
                metadata = (("x-key", key.decode()),)
                port = ask(b"", metadata=metadata, wait_for_ready=True, timeout=30).decode()
                answers.append([f"127.0.0.1:{port}"])
            return answers
