"""Home Assistant, as far as its broker sees it: it says when it starts, listens to announcements,
presses buttons, and deletes a device."""
import uuid

from mqtt_client import Client

TOPICS = "homeassistant/device/+/config"


def topic(device):
    return f"homeassistant/device/{device}/config"


class HomeAssistant:
    """`heard` is a client that listens from the start on; what the broker retains is asked of a
    fresh one each time, as Home Assistant asks after a restart."""

    def __init__(self, broker):
        self.broker = broker
        self.heard = Client(broker, client_id=f"home-{uuid.uuid4().hex[:8]}")
        self.heard.subscribe(TOPICS)

    def start(self):
        self.heard.publish("homeassistant/status", "online", qos=0)

    def stop(self):
        self.heard.publish("homeassistant/status", "offline", qos=0)

    def devices(self):
        """{device: its message} of all that is retained."""
        client = Client(self.broker)
        try:
            return {message.topic.split("/")[2]: message.json
                    for message in client.retained(TOPICS).values()}
        finally:
            client.close()

    def wait_for(self, device, predicate=None, since=0):
        return self.heard.wait_for(topic(device), predicate, since=since)

    def delete(self, device):
        """What it does when somebody deletes a device there."""
        self.heard.publish(topic(device), b"", retain=True)

    def press(self, message, key):
        """Presses a button of a device's message."""
        button = message["components"][key]
        self.heard.publish(button["command_topic"], button["payload_press"], button["qos"],
                           button["retain"])

    def close(self):
        self.heard.close()
