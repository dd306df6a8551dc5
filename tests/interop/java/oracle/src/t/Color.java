package t;

/** The enum of the sample values. */
public enum Color {
    RED,
    BLUE
}
