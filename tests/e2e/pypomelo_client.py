"""Lets a test drive pypomelo, as it comes from the registry, over TCP.

Commands are lines of JSON on standard input: {"connect": port}, {"request": route, "body": {...}}, {"close": true}.
What happens is told by lines of JSON on standard output: {"connected": true}, {"response": route, "body": ...},
{"push": route, "body": ...}, {"closed": true}. Ends with its input.
"""
import json
import os
import select
import socket
import sys
import time

from pypomelo.client import Client
from pypomelo.protocol import Protocol

HEARTBEAT_PAUSE = 1.0  # In seconds; the server echoes each heartbeat at once.


def tell(**event):
    print(json.dumps(event), flush=True)


class Handler:
    """Tells what pypomelo finds."""

    def on_connected(self, client, user):
        tell(connected=True)

    def on_heartbeat(self, client):
        client.heartbeat_at = time.monotonic() + HEARTBEAT_PAUSE

    def on_response(self, client, route, request, response):
        tell(response=route, body=response)

    def on_push(self, client, route, body):
        tell(push=route, body=body)


class TcpClient(Client):
    """The transport, which pypomelo leaves to its users; its own one is for releases of Tornado that are no more."""

    def __init__(self):
        super().__init__(Handler())
        self.socket = None
        self.rest = b''
        self.heartbeat_at = None

    def connect(self, host, port):
        self.socket = socket.create_connection((host, port), timeout=10)
        self.send_sync()

    def send(self, data):
        self.socket.sendall(data if isinstance(data, bytes) else data.encode())

    def close(self):
        if self.socket is None:
            return
        self.socket.close()
        self.socket = None
        self.rest = b''
        self.heartbeat_at = None
        tell(closed=True)

    def receive(self):
        data = self.socket.recv(65536)
        if not data:
            return self.close()
        self.rest += data
        while len(self.rest) >= 4 and self.socket is not None:
            package = Protocol.unpack(self.rest[:4])
            end = 4 + package.length
            if len(self.rest) < end:
                return None
            package.append(self.rest[4:end])
            self.rest = self.rest[end:]
            self.on_protocol(package)
        return None

    def beat(self):
        if self.heartbeat_at is not None and time.monotonic() >= self.heartbeat_at:
            self.heartbeat_at = None
            self.send_heartbeat()


def obey(client, command):
    if 'connect' in command:
        client.__init__()
        client.connect('127.0.0.1', command['connect'])
    elif 'request' in command:
        client.send_request(command['request'], command['body'])
    else:
        client.close()


def main():
    client = TcpClient()
    commands = b''
    while True:
        sources = [sys.stdin.fileno()] + ([client.socket] if client.socket is not None else [])
        ready, _, _ = select.select(sources, [], [], 0.1)
        if client.socket is not None and client.socket in ready:
            client.receive()
        if client.socket is not None:
            client.beat()
        if sys.stdin.fileno() in ready:
            data = os.read(sys.stdin.fileno(), 65536)
            if not data:
                return
            *lines, commands = (commands + data).split(b'\n')
            for line in lines:
                obey(client, json.loads(line))


main()
