package app;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.googlecode.jsonrpc4j.JsonRpcHttpClient;
import com.googlecode.jsonrpc4j.ProxyUtil;
import demo.Catalog;
import demo.OutOfStock;
import demo.Product;
import demo.ProductNotFound;
import demo.Types;
import demo.TypesFailure;
import java.math.BigDecimal;
import java.net.MalformedURLException;
import java.net.URL;
import java.time.LocalDate;
import java.util.Arrays;
import java.util.Date;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Uses demo.Catalog and demo.Types with jsonrpc4j: {@code JsonRpcPeer BASE_URL SCENARIO,…}.
 *
 * <p>{@code contract} calls by the contract's names, {@code java} through typed proxies, which use Java's.
 */
public final class JsonRpcPeer {
    private final Checks checks = new Checks();
    private final String base;

    private JsonRpcPeer(String base) {
        this.base = base;
    }

    public static void main(String[] args) throws MalformedURLException {
        JsonRpcPeer peer = new JsonRpcPeer(args[0]);
        for (String name : args[1].split(",")) {
            System.out.println("scenario " + name);
            if (name.equals("java")) {
                peer.javaNames();
            } else {
                peer.contractNames();
            }
        }
        peer.checks.summary();
    }

    private JsonRpcHttpClient client(ObjectMapper mapper, Class<?> service) throws MalformedURLException {
        return new JsonRpcHttpClient(mapper, new URL(base + "/" + service.getName()), new HashMap<>());
    }

    private void contractNames() throws MalformedURLException {
        JsonRpcHttpClient catalog = client(Jackson.contractNames(), Catalog.class);
        Product product = HttpClientPeer.product();
        checks.isTrue("put", () -> {
            product.setId(catalog.invoke("put", List.of(product), Long.class));
            return product.getId() > 0;
        });
        Map<String, Object> byId = Map.of("product_id", product.getId());
        checks.same("find, named", product, () -> catalog.invoke("find", byId, Product.class));
        checks.same("find, in order", product, () -> catalog.invoke("find", List.of(product.getId()), Product.class));
        checks.same("search", List.of(product), () -> Arrays.asList(
                catalog.invoke("search", Arrays.asList(product.getName(), 5, null), Product[].class)));
        checks.raises("exception", ProductNotFound.class,
                () -> catalog.invoke("price_history", Map.of("product_id", -5), Map.class));
        checks.same("remove", true, () -> catalog.invoke("remove", byId, Boolean.class));
    }

    private void javaNames() throws MalformedURLException {
        ClassLoader loader = JsonRpcPeer.class.getClassLoader();
        ObjectMapper mapper = Jackson.javaNames();
        Catalog catalog = ProxyUtil.createClientProxy(loader, Catalog.class, client(mapper, Catalog.class));
        long[] before = new long[1];
        checks.isTrue("count", () -> (before[0] = catalog.count()) >= 3);
        Product product = HttpClientPeer.product();
        checks.isTrue("put", () -> {
            product.setId(catalog.put(product));
            return product.getId() > 0;
        });
        long id = product.getId();
        checks.same("count has grown", before[0] + 1, catalog::count);
        checks.same("find by id", product, () -> catalog.find(id));
        checks.same("find by name", product, () -> catalog.find(product.getName()));
        checks.same("search", List.of(product), () -> catalog.search(product.getName(), 5, Set.of("interop")));
        checks.isTrue("price history", () -> {
            Map<LocalDate, BigDecimal> history = catalog.priceHistory(id);
            return history.values().stream().anyMatch(new BigDecimal("12.3400")::equals);
        });
        checks.same("reserve", 5, () -> catalog.reserve(id, "north", 2));
        OutOfStock empty = checks.raises("reserve too many", OutOfStock.class, () -> catalog.reserve(id, "north", 100));
        checks.isTrue("... with its message", () -> empty.getMessage() != null);
        checks.raises("find unknown", ProductNotFound.class, () -> catalog.find(-5));
        checks.isTrue("touch", () -> {
            catalog.touch(id);
            while (catalog.find(id).getUpdatedAt() == null) {
                continue;
            }
            return true;
        });
        checks.same("remove", true, () -> catalog.remove(id));
        checks.same("slow", "slept 30 ms", () -> catalog.slow(30));

        Types types = ProxyUtil.createClientProxy(loader, Types.class, client(mapper, Types.class));
        for (long number : new long[] {(1L << 53) + 1, Long.MIN_VALUE, Long.MAX_VALUE}) {
            checks.same("i64 " + number, number, () -> types.echoI64(number));
        }
        checks.same("decimal", new BigDecimal("1.20"), () -> types.echoDecimal(new BigDecimal("1.20")));
        checks.same("date", LocalDate.of(2024, 2, 29), () -> types.echoDate(LocalDate.of(2024, 2, 29)));
        checks.same("java.util.Date", new Date(1_700_000_000_123L), () -> types.echoJavaDate(new Date(1_700_000_000_123L)));
        checks.same("null", null, () -> types.echoNullable(null));
        TypesFailure failure =
                checks.raises("declared exception", TypesFailure.class, () -> types.failDeclared("why \u8336"));
        checks.same("... its message", "why \u8336", failure::getMessage);
        Throwable undeclared = checks.fails("undeclared exception", () -> types.failUndeclared("because"));
        checks.isTrue("... its message", () -> undeclared.getMessage().contains("because"));
    }
}
