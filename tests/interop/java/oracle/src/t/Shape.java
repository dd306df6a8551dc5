package t;

import java.io.Serializable;

/** An outer class whose subclass shadows one of its fields. */
public class Shape implements Serializable {
    public String name;
    public int sides;

    /** A nested subclass: its wire name contains a dollar sign. */
    public static class Square extends Shape {
        public String name;
        public double length;
    }
}
