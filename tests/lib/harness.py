"""What integration tests import: private services, a client that remembers, a bad network.

    def test_a_member_is_welcomed(broker, redis, client, start_controller):
        start_controller(machines=..., users=...)
        saw = Machine(client, "table-saw")
        saw.report()
        assert saw.report(card="1234567890")["relay"] is True

The fixtures are in tests/integration/conftest.py.
"""
from mqtt_client import Client, Machine, Message
from processes import TIMEOUT_S, Process, free_port, wait_until
from proxy import Proxy
from services import BIN, ROOT, Broker, Controller, Redis, clean_environment
from shop import ADA, BOB, EVE, MACHINES, MAX, USERS, Shop, user

__all__ = ["ADA", "BIN", "BOB", "EVE", "MACHINES", "MAX", "ROOT", "TIMEOUT_S", "USERS", "Broker",
           "Client", "Controller", "Machine", "Message", "Process", "Proxy", "Redis", "Shop",
           "clean_environment", "free_port", "user", "wait_until"]
