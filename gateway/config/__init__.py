"""The configuration file: read, checked as a whole, and handed on as one immutable object."""

from gateway.config.load import Examined, examine, examine_text, load, load_text
from gateway.config.model import GatewayConfig
from gateway.config.secret import Secret
from gateway.config.units import Bytes, Seconds

__all__ = ["Bytes", "Examined", "GatewayConfig", "Seconds", "Secret", "examine", "examine_text", "load", "load_text"]
