"""shop.Stock as one writes it with spyne, until standard input ends. Prints `READY <port>`."""

import datetime as dt
import decimal
import sys
import threading
from wsgiref.simple_server import WSGIRequestHandler, make_server

from spyne import Application, ComplexModel, DateTime, Decimal, Integer64, ServiceBase, Unicode, rpc
from spyne.model.enum import Enum
from spyne.model.fault import Fault
from spyne.protocol.soap import Soap11
from spyne.server.wsgi import WsgiApplication

NAMESPACE = "http://shop/"
OPENING = dt.datetime(2026, 1, 2, 8, 30, tzinfo=dt.UTC)

State = Enum("OPEN", "SOLD", type_name="State")


class Item(ComplexModel):
    """Checked by libxml2 on the way in."""

    __namespace__ = NAMESPACE
    id = Integer64(min_occurs=1)
    name = Unicode
    price = Decimal
    made_at = DateTime
    state = State
    tags = Unicode(max_occurs="unbounded")


class Stock(ServiceBase):
    """spyne calls its methods without a self."""

    @rpc(Integer64, _returns=Item, _out_variable_name="return")
    def find(ctx, item_id):
        """One item, or a fault with a code of its own."""
        if item_id != 1:
            raise Fault("Client.NotFound", f"no item {item_id}")
        price = decimal.Decimal("49.90")
        return Item(id=1, name="Lämp", price=price, made_at=OPENING, state="SOLD", tags=["a", "b"])

    @rpc(Item, _returns=Item, _out_variable_name="return")
    def echo(ctx, item):
        """What it was given."""
        return item

    @rpc(Integer64)
    def forget(ctx, item_id):
        """Nothing."""


class Quiet(WSGIRequestHandler):
    """Standard error stays empty."""

    def log_message(self, format, *args):
        """Says nothing."""


def main():
    """Serves until standard input ends."""
    soap = {"in_protocol": Soap11(validator="lxml"), "out_protocol": Soap11()}
    app = WsgiApplication(Application([Stock], tns=NAMESPACE, name="Stock", **soap))
    server = make_server("127.0.0.1", 0, app, handler_class=Quiet)
    print(f"READY {server.server_port}", flush=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    sys.stdin.read()


if __name__ == "__main__":
    main()
