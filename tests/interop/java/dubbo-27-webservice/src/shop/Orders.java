package shop;

import java.math.BigDecimal;
import java.util.List;
import java.util.Set;

/** A service as Dubbo's webservice:// takes it: a plain interface, whose parameters are arg0, arg1, … on the wire. */
public interface Orders {
    Order find(long id) throws OrderNotFound;

    List<Order> search(String text, Integer limit, Set<String> tags);

    BigDecimal sum(List<BigDecimal> prices);

    State state(State state);

    long put(Order order);

    void cancel(long id);

    String fail(String message);
}
