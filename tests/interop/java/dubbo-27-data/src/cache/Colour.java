package cache;

public enum Colour {
    RED,
    BLUE
}
