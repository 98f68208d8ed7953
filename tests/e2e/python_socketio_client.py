"""Lets a test drive python-socketio, as it comes from the registry.

Commands are lines of JSON on standard input: {"connect": url, "transports": [...], "namespace": "/"}, {"ask": event, "body": {...}},
{"close": true}. What happens is told by lines of JSON on standard output: {"connected": true}, {"answer": event, "body": ...},
{"push": event, "body": ...}, {"closed": true}. Ends with its input.
"""
import json
import sys
import threading

import socketio

LINES = threading.Lock()  # Events come on threads of their own.


def tell(**event):
    with LINES:
        print(json.dumps(event), flush=True)


def main():
    client = socketio.Client(reconnection=False)
    namespace = "/"
    for line in sys.stdin:
        command = json.loads(line)
        if "connect" in command:
            namespace = command["namespace"]
            for event in ("onChat", "onAdd", "onLeave", "onKick"):
                client.on(event, lambda body, event=event: tell(push=event, body=body), namespace=namespace)
            client.on("disconnect", lambda *_: tell(closed=True), namespace=namespace)
            client.connect(command["connect"], transports=command["transports"], namespaces=[namespace])
            tell(connected=True)
        elif "ask" in command:
            answer = client.call(command["ask"], command["body"], namespace=namespace, timeout=15)
            tell(answer=command["ask"], body=answer)
        elif "close" in command:
            client.disconnect()


if __name__ == "__main__":
    main()
