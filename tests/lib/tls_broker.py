"""A broker with two listeners, TLS for the controller and a plain one for the test's client."""
import os
import subprocess

from processes import free_port
from services import Broker


def make_certificate(folder, name, address, days=2, environment=None):
    """A certificate that signs itself; (certificate, key)."""
    certificate, key = (os.path.join(folder, f"{name}.{end}") for end in ("crt", "key"))
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
         "-nodes", "-days", str(days), "-subj", f"/CN={name}", "-addext",
         f"subjectAltName=IP:{address}", "-keyout", key, "-out", certificate],
        check=True, capture_output=True, env=environment)
    return certificate, key


class TlsBroker(Broker):
    def __init__(self, scratch):
        self.certificate, key = make_certificate(scratch, "broker", "127.0.0.1")
        self.tls_port = free_port()
        super().__init__(scratch, extra=f"listener {self.tls_port} 127.0.0.1\n"
                                        f"certfile {self.certificate}\nkeyfile {key}\n")

    @property
    def tls_url(self):
        return f"mqtts://127.0.0.1:{self.tls_port}"

    @property
    def tls_address(self):
        return ("127.0.0.1", self.tls_port)
