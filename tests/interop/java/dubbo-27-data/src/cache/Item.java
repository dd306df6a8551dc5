package cache;

import java.io.Serializable;
import java.math.BigDecimal;
import java.util.Arrays;
import java.util.Date;
import java.util.List;
import java.util.Map;

public class Item implements Serializable {
    private static final long serialVersionUID = 42;

    public long id;
    public String name;
    public int stock;
    public boolean sold;
    public Double rating;
    public BigDecimal price;
    public Date added;
    public Colour colour;
    public List<String> tags;
    public Map<String, Integer> counts;
    public byte[] data;
    public Item follows;

    private Object[] all() {
        return new Object[] {id, name, stock, sold, rating, price, added, colour, tags, counts, data, follows};
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Item && Arrays.deepEquals(all(), ((Item) other).all());
    }

    @Override
    public int hashCode() {
        return Arrays.deepHashCode(all());
    }

    @Override
    public String toString() {
        return Arrays.deepToString(all());
    }
}
