package shop;

public enum State {
    OPEN,
    PAID
}
