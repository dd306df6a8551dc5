package app;

import demo.Catalog;
import demo.OutOfStock;
import demo.Product;
import demo.ProductNotFound;
import demo.Status;
import demo.Types;
import java.math.BigDecimal;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Date;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.HashSet;

/** Every method of demo.Catalog: overloads, exceptions, oneway, no arguments, timeouts. */
final class BasicScenario {
    static final int TIMEOUT_CODE = 2;

    private BasicScenario() {}

    static void run(Session session) {
        Checks checks = session.checks;
        Catalog catalog = session.refer(Catalog.class, "touch");
        long[] before = new long[1];
        checks.isTrue("count has no arguments", () -> (before[0] = catalog.count()) >= 3);

        String name = "Interop \u8336\u58F6 " + System.nanoTime();
        Product product = product(name);
        checks.isTrue("put returns an id", () -> {
            product.setId(catalog.put(product));
            return product.getId() > 0;
        });
        long id = product.getId();
        checks.same("count has grown", before[0] + 1, catalog::count);
        checks.same("find by id", product, () -> catalog.find(id));
        checks.same("find by name is the other overload", product, () -> catalog.find(name));
        checks.same("find again gives equal answers", product, () -> catalog.find(id));

        checks.same("search without tags", List.of(product), () -> catalog.search(name, 10, null));
        checks.same("search with a tag", List.of(product), () -> catalog.search(name, 10, tags("interop")));
        checks.same("search with another tag", List.of(), () -> catalog.search(name, 10, tags("no such tag")));
        checks.same("search with limit", 1, () -> catalog.search("", 1, null).size());
        checks.isTrue("price history", () -> {
            Map<?, BigDecimal> history = catalog.priceHistory(id);
            return !history.isEmpty() && history.values().stream().allMatch(price -> price.signum() > 0);
        });

        checks.isTrue("reserve", () -> catalog.reserve(id, "north", 2) >= 0);
        OutOfStock empty = checks.raises("reserve too many", OutOfStock.class, () -> catalog.reserve(id, "north", 100));
        if (empty != null) {
            checks.same("OutOfStock.warehouse", "north", empty::getWarehouse);
            checks.same("OutOfStock.missing", 95, empty::getMissing);
            checks.isTrue("OutOfStock has a message", () -> empty.getMessage() != null);
        }
        ProductNotFound missing = checks.raises("find unknown", ProductNotFound.class, () -> catalog.find(-5L));
        if (missing != null) {
            checks.same("ProductNotFound.productId", -5L, missing::getProductId);
            checks.isTrue("ProductNotFound has a message", () -> missing.getMessage() != null);
        }
        checks.raises("find unknown name", ProductNotFound.class, () -> catalog.find("no such product"));
        checks.raises("price history of unknown", ProductNotFound.class, () -> catalog.priceHistory(-5L));

        checks.isTrue("touch is oneway", () -> {
            catalog.touch(id);
            return true;
        });
        checks.isTrue("touch had an effect", () -> isTouched(catalog, id));
        checks.same("remove", true, () -> catalog.remove(id));
        checks.same("remove again", false, () -> catalog.remove(id));
        checks.same("count is back", before[0], catalog::count);

        checks.same("slow", "slept 50 ms", () -> catalog.slow(50));
        runTimeout(session);
        runTypes(session);
    }

    private static void runTimeout(Session session) {
        Checks checks = session.checks;
        Catalog hasty = session.dubbo.refer(Catalog.class, session.peers, session.options.with("timeout=300"));
        Throwable late = checks.fails("slow with a short timeout fails", () -> hasty.slow(1500));
        Integer code = Dubbo.code(late);
        String more = code != null && code == TIMEOUT_CODE ? "" : " instead of " + late;
        checks.same("... with Dubbo's timeout code" + more, TIMEOUT_CODE, () -> code);
        checks.isTrue("... and the connection is still good", () -> hasty.count() >= 0);
    }

    private static void runTypes(Session session) {
        Checks checks = session.checks;
        Types types = session.refer(Types.class);
        checks.same("a method that returns nothing", null, () -> {
            types.echoNothing();
            return null;
        });
        checks.same("a null argument and answer", null, () -> types.echoNullable(null));
        checks.same("a nullable argument that is there", "here", () -> types.echoNullable("here"));
        demo.TypesFailure declared =
                checks.raises("declared exception", demo.TypesFailure.class, () -> types.failDeclared("why \u8336"));
        if (declared != null) {
            checks.same("... its message", "why \u8336", declared::getMessage);
            checks.isTrue("... its int field", () -> declared.getCode() != 0);
            checks.isTrue("... its bean field", () -> declared.getCulprit().getName() != null);
        }
        Throwable undeclared = checks.fails("undeclared exception", () -> types.failUndeclared("because \u8336"));
        checks.isTrue("... is a RuntimeException of the service, not of Dubbo", () -> {
            if (undeclared instanceof RuntimeException && Dubbo.code(undeclared) == null) {
                return true;
            }
            throw undeclared;
        });
        checks.isTrue("... with its message", () -> undeclared.getMessage().contains("because \u8336"));
        checks.isTrue("... and the connection is still good", () -> types.echoI32(1) == 1);
    }

    /** A oneway call has no answer to wait for, so its effect is looked for until it shows. */
    private static boolean isTouched(Catalog catalog, long id) throws Exception {
        for (int attempt = 0; attempt < 100; attempt++) {
            if (catalog.find(id).getUpdatedAt() != null) {
                return true;
            }
            Thread.sleep(20);
        }
        return false;
    }

    private static Product product(String name) {
        Product product = new Product();
        product.setName(name);
        product.setPrice(new BigDecimal("12.3400"));
        product.setTags(new ArrayList<>(List.of("interop", "\u8336")));
        product.setCreatedAt(Instant.parse("2024-01-02T03:04:05.678901Z"));
        product.setUpdatedAt((Date) null);
        product.setStock(new HashMap<>(Map.of("north", 7, "south", 0)));
        product.setStatus(Status.PREORDER);
        product.setMaker(Edges.maker("Maker"));
        product.getMaker().setParent(Edges.maker("Owner"));
        return product;
    }

    private static Set<String> tags(String... tags) {
        return new HashSet<>(List.of(tags));
    }
}
