package app;

import java.math.BigDecimal;
import java.util.Date;
import java.util.List;
import java.util.Map;
import java.util.Set;
import shop.Order;
import shop.OrderNotFound;
import shop.Orders;
import shop.State;

/** Uses shop.Orders over Dubbo's webservice://: {@code WebServicePeer HOST:PORT}. */
public final class WebServicePeer {
    private WebServicePeer() {}

    public static void main(String[] args) throws Exception {
        Dubbo dubbo = new Dubbo();
        Checks checks = new Checks();
        Orders orders = dubbo.refer(Orders.class, List.of("webservice://" + args[0]), Options.parse(""));
        Order first = orders.find(1);
        checks.same("a text", "Ann", () -> first.customer);
        checks.same("a decimal", new BigDecimal("49.90"), () -> first.total);
        checks.same("a Date", new Date(1_767_342_600_250L), () -> first.placedAt);
        checks.same("an enum", State.PAID, () -> first.state);
        checks.same("a list", List.of("gift"), () -> first.tags);
        checks.same("a map", Map.of("berlin", 12), () -> first.stock);
        checks.isTrue("null", () -> first.discount == null && first.follows == null);
        Order second = orders.find(2);
        checks.same("text beyond ASCII", "\u8336 \ud83d\ude00", () -> second.customer);
        checks.same("a bean in a bean", "Ann", () -> second.follows.customer);
        checks.same("a number that may be null", 10, () -> second.discount);
        checks.same("search", 2, () -> orders.search("", null, null).size());
        checks.same("search with a limit", 1, () -> orders.search("", 1, null).size());
        checks.same("search with a set", 1, () -> orders.search("", 10, Set.of("gift")).size());
        checks.same("search finds nothing", List.of(), () -> {
            List<Order> found = orders.search("nobody", null, null);
            return found == null ? List.of() : found;
        });
        List<BigDecimal> prices = List.of(new BigDecimal("0.10"), new BigDecimal("0.20"));
        checks.same("a list of decimals", new BigDecimal("0.30"), () -> orders.sum(prices));
        checks.same("an enum, there and back", State.OPEN, () -> orders.state(State.OPEN));
        second.id = 0;
        second.stock = Map.of("oslo", 3);
        second.placedAt = new Date(1_767_342_600_251L);
        long number = orders.put(second);
        Order put = orders.find(number);
        checks.same("put", Map.of("oslo", 3), () -> put.stock);
        checks.same("its Date", second.placedAt, () -> put.placedAt);
        checks.isTrue("void", () -> {
            orders.cancel(number);
            return true;
        });
        OrderNotFound missing = checks.raises("declared", OrderNotFound.class, () -> orders.find(number));
        checks.same("its text", "no order " + number, missing::getMessage);
        checks.same("its field", number, missing::getOrderId);
        Throwable failed = checks.fails("undeclared", () -> orders.fail("because"));
        checks.isTrue("its text", () -> String.valueOf(failed).contains("because"));
        checks.summary();
        dubbo.close();
        System.exit(0);
    }
}
