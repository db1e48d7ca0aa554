"""A small workshop: its members, its machines, and a day's work in it."""
from mqtt_client import Machine


def user(number, name, authorizations=(), **more):
    return dict({"fob_codes": [f"{number:010}"], "account_id": str(number), "full_name": name,
                 "first_name": name, "last_name": "", "preferred_name": name,
                 "email": f"{name.lower()}@example.org", "expiration_ymd": "2099-12-31",
                 "authorizations": list(authorizations)}, **more)


ADA = "0000000001"  # may use everything
BOB = "0000000002"  # may use nothing
MAX = "0000000003"  # may override oops and lockout
EVE = "0000000009"  # is not known

USERS = [user(1, "Ada", ["woodshop", "laser", "rotary"]),
         user(2, "Bob"),
         user(3, "Max", ["woodshop"], oops_override=True)]

MACHINES = {
    "saw": {"authorizations_or": ["woodshop"], "alias": "Table Saw"},
    "laser": {"authorizations_or": ["laser"], "second_relay": {"authorizations_or": ["rotary"]}},
    "lathe": {"authorizations_or": ["woodshop"]},
    "mill": {"authorizations_or": ["woodshop"]},
    "drill": {"authorizations_or": ["woodshop"]},
    "fan": {"authorizations_or": ["woodshop"], "always_enabled": True},
    "press": {"authorizations_or": ["woodshop"], "unauthorized_warn_only": True},
}


class Shop:
    """Its machines by name, each in a state of its own after `open`: saw and laser in use, the
    fan always on, the press in use by somebody without the training, the lathe oopsed, the mill
    locked out, the drill locked out and running by override."""

    ON = ("saw", "laser", "drill", "fan", "press")

    def __init__(self, client):
        self.client = client
        self.machines = {name: Machine(client, name) for name in MACHINES}

    def __getitem__(self, name):
        return self.machines[name]

    def open(self):
        for machine in self.machines.values():
            machine.report()
        self["saw"].report(card=ADA)
        self["laser"].report(card=ADA)
        self["press"].report(card=BOB)
        self["lathe"].report(oops=True)
        self["lathe"].report(oops=False)
        for name in ("mill", "drill"):
            answer = self.client.request("lockout", {"machine": name, "value": True,
                                                     "reason": "blade is cracked", "by": "Zoë"})
            assert answer["status"] == "ok", answer
        self["drill"].report(card=MAX)
        return self

    def report_all(self, **more):
        """Every machine says once more how it is; the commands that answer."""
        return {name: machine.report(**more) for name, machine in self.machines.items()}
