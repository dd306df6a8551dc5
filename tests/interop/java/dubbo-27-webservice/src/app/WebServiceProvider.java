package app;

import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.Date;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import shop.Order;
import shop.OrderNotFound;
import shop.Orders;
import shop.State;

/** Serves shop.Orders over Dubbo's webservice:// until its standard input ends. Prints {@code READY <port>}. */
public final class WebServiceProvider implements Orders {
    private final Map<Long, Order> orders = new TreeMap<>();

    public static void main(String[] args) throws Exception {
        int port = FreePort.find();
        Dubbo dubbo = new Dubbo();
        dubbo.export(Orders.class, new WebServiceProvider(), port, Options.parse("protocol=webservice&server=jetty"));
        System.out.println("READY " + port);
        System.out.flush();
        while (System.in.read() >= 0) {
            continue; // only the end of the input matters
        }
        dubbo.close();
        System.exit(0);
    }

    private WebServiceProvider() {
        Order first = new Order();
        first.customer = "Ann";
        first.total = new BigDecimal("49.90");
        first.placedAt = new Date(1_767_342_600_250L);
        first.state = State.PAID;
        first.tags.add("gift");
        first.stock.put("berlin", 12);
        put(first);
        Order second = new Order();
        second.customer = "\u8336 \ud83d\ude00";
        second.follows = first;
        second.discount = 10;
        put(second);
    }

    @Override
    public synchronized Order find(long id) throws OrderNotFound {
        Order order = orders.get(id);
        if (order == null) {
            throw new OrderNotFound("no order " + id, id);
        }
        return order;
    }

    @Override
    public synchronized List<Order> search(String text, Integer limit, Set<String> tags) {
        List<Order> found = new ArrayList<>();
        for (Order order : orders.values()) {
            boolean tagged = tags == null || order.tags.containsAll(tags);
            if (order.customer.contains(text) && tagged && (limit == null || found.size() < limit)) {
                found.add(order);
            }
        }
        return found;
    }

    @Override
    public BigDecimal sum(List<BigDecimal> prices) {
        return prices.stream().reduce(BigDecimal.ZERO, BigDecimal::add);
    }

    @Override
    public State state(State state) {
        return state;
    }

    @Override
    public synchronized long put(Order order) {
        if (order.id == 0) {
            order.id = orders.size() + 1;
        }
        orders.put(order.id, order);
        return order.id;
    }

    @Override
    public synchronized void cancel(long id) {
        orders.remove(id);
    }

    @Override
    public String fail(String message) {
        throw new IllegalStateException(message);
    }
}
