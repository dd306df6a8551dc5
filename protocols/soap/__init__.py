"""SOAP 1.1 and 1.2: document/literal wrapped, with WSDL 1.1. See `protocols.soap.mapping`."""
