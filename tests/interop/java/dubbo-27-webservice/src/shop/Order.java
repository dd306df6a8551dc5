package shop;

import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.Date;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** A bean as JAXB takes it without a word: public fields, all of which but the numbers may be null. */
public class Order {
    public long id;
    public String customer;
    public BigDecimal total;
    public Date placedAt;
    public Integer discount;
    public State state;
    public List<String> tags = new ArrayList<>();
    public Map<String, Integer> stock = new HashMap<>();
    public Order follows;
}
