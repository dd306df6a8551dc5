"""Java's object serialization stream: what `ObjectOutputStream` writes, read and written without any Java class."""
