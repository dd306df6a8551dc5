package demo;

import java.io.Serializable;
import java.util.Objects;

/** A value that can be a map key. */
public class Point implements Serializable {
    private static final long serialVersionUID = 1L;

    private int x;
    private int y;

    public int getX() {
        return x;
    }

    public void setX(int x) {
        this.x = x;
    }

    public int getY() {
        return y;
    }

    public void setY(int y) {
        this.y = y;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Point that && Objects.equals(x, that.x) && Objects.equals(y, that.y);
    }

    @Override
    public int hashCode() {
        return Objects.hash(x, y);
    }
}
