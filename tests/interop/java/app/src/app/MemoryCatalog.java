package app;

import demo.Catalog;
import demo.Maker;
import demo.OutOfStock;
import demo.Product;
import demo.ProductNotFound;
import demo.Status;
import java.math.BigDecimal;
import java.time.Instant;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/** Three products to begin with; kept in memory. */
final class MemoryCatalog implements Catalog {
    private final Map<Long, Product> products = new TreeMap<>();

    MemoryCatalog() {
        put(product("Kettle", "39.90", Status.ACTIVE, "kitchen", "electric"));
        put(product("Teapot", "24.50", Status.PREORDER, "kitchen"));
        put(product("Lantern", "18.00", Status.DISCONTINUED, "garden"));
    }

    @Override
    public synchronized Product find(long id) throws ProductNotFound {
        Product product = products.get(id);
        if (product == null) {
            throw notFound("no product " + id, id);
        }
        return product;
    }

    @Override
    public synchronized Product find(String name) throws ProductNotFound {
        for (Product product : products.values()) {
            if (product.getName().equals(name)) {
                return product;
            }
        }
        throw notFound("no product called " + name, 0);
    }

    @Override
    public synchronized List<Product> search(String text, int limit, Set<String> tags) {
        List<Product> found = new ArrayList<>();
        for (Product product : products.values()) {
            boolean tagged = tags == null || product.getTags().containsAll(tags);
            if (tagged && product.getName().contains(text) && found.size() < limit) {
                found.add(product);
            }
        }
        return found;
    }

    @Override
    public synchronized long put(Product product) {
        if (product.getId() == 0) {
            product.setId(products.keySet().stream().mapToLong(id -> id).max().orElse(0) + 1);
        }
        products.put(product.getId(), product);
        return product.getId();
    }

    @Override
    public synchronized boolean remove(long id) {
        return products.remove(id) != null;
    }

    @Override
    public Map<LocalDate, BigDecimal> priceHistory(long id) throws ProductNotFound {
        BigDecimal price = find(id).getPrice();
        Map<LocalDate, BigDecimal> history = new LinkedHashMap<>();
        history.put(LocalDate.of(2024, 2, 29), price.add(BigDecimal.ONE));
        history.put(LocalDate.of(2025, 1, 1), price);
        return history;
    }

    @Override
    public synchronized int reserve(long id, String warehouse, int quantity) throws ProductNotFound, OutOfStock {
        Map<String, Integer> stock = find(id).getStock();
        int left = stock.getOrDefault(warehouse, 0) - quantity;
        if (left < 0) {
            OutOfStock failure = new OutOfStock(warehouse + " lacks " + -left);
            failure.setWarehouse(warehouse);
            failure.setMissing(-left);
            throw failure;
        }
        stock.put(warehouse, left);
        return left;
    }

    @Override
    public String slow(long millis) {
        try {
            Thread.sleep(millis);
        } catch (InterruptedException stopped) {
            Thread.currentThread().interrupt();
        }
        return "slept " + millis + " ms";
    }

    @Override
    public synchronized long count() {
        return products.size();
    }

    @Override
    public synchronized void touch(long id) {
        Product product = products.get(id);
        if (product != null) {
            product.setUpdatedAt(new java.util.Date());
        }
    }

    private static ProductNotFound notFound(String message, long id) {
        ProductNotFound failure = new ProductNotFound(message);
        failure.setProductId(id);
        return failure;
    }

    private static Product product(String name, String price, Status status, String... tags) {
        Maker maker = new Maker();
        maker.setName("Acme");
        maker.setCountry("DE");
        Product product = new Product();
        product.setName(name);
        product.setPrice(new BigDecimal(price));
        product.setStatus(status);
        product.setTags(new ArrayList<>(List.of(tags)));
        product.setCreatedAt(Instant.parse("2024-01-02T03:04:05.678901Z"));
        product.setStock(new HashMap<>(Map.of("north", 10, "south", 3)));
        product.setMaker(maker);
        return product;
    }
}
