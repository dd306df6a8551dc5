"""thrift://: Apache Thrift's encodings and transports, and a contract's values in them; pure."""
