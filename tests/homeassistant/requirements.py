"""Of the packages that the installed Home Assistant wants, those that its MQTT code needs. The rest
(speech, pictures, Bluetooth, its cloud) takes long to install and is not used here."""
import importlib.metadata
import re

LEFT_OUT = re.compile(r"bluetooth|nabucasa|hassil|intents|ffmpeg|numpy|uv\b|vad|speex|jpeg|audioop|"
                      r"securetar|mutagen|standard-|hasupervisor|aiodns|pillow|av\b", re.I)

for requirement in importlib.metadata.requires("homeassistant"):
    if not LEFT_OUT.search(requirement.split(";")[0]):
        print(requirement)
print("aiodns")
print("pillow")
print("paho-mqtt")
