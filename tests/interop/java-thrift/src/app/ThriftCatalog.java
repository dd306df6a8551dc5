package app;

import demo.Catalog;
import demo.Maker;
import demo.OutOfStock;
import demo.Product;
import demo.ProductNotFound;
import demo.Status;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;

/** A catalog whose answers can be predicted. */
public final class ThriftCatalog implements Catalog.Iface {
    private final AtomicLong touched = new AtomicLong();

    @Override
    public Product find(long id) throws ProductNotFound {
        if (id == 42) {
            throw new ProductNotFound(42).setMessage("no product 42");
        }
        Maker parent = new Maker("Northwind").setCountry("SE");
        Map<String, Integer> stock = Map.of("berlin", 12, "oslo", 0);
        List<String> tags = List.of("kitchen");
        return new Product(id, "Teekanne 茶 😀", "49.90", tags, 1_767_342_600_123_456L, stock, Status.PREORDER)
                .setUpdated_at(1_700_000_000_123_000L)
                .setMaker(new Maker("Lumen").setParent(parent));
    }

    @Override
    public Product find_by_name(String name) throws ProductNotFound {
        return find(7);
    }

    @Override
    public List<Product> search(String text, int limit, Set<String> tags) {
        try {
            List<String> sorted = tags == null ? List.of() : tags.stream().sorted().toList();
            return Collections.nCopies(limit, find(7).setName(text).setTags(sorted));
        } catch (ProductNotFound impossible) {
            throw new AssertionError(impossible);
        }
    }

    @Override
    public long put(Product product) {
        return product.getId();
    }

    @Override
    public boolean remove(long id) {
        return id == 7;
    }

    @Override
    public Map<String, String> price_history(long id) {
        return Map.of("2026-01-02", "49.90");
    }

    @Override
    public int reserve(long id, String warehouse, int quantity) throws OutOfStock {
        throw new OutOfStock(warehouse, quantity).setMessage("empty");
    }

    @Override
    public String slow(long millis) {
        try {
            Thread.sleep(millis);
        } catch (InterruptedException ended) {
            Thread.currentThread().interrupt();
        }
        return "slept " + millis + " ms";
    }

    @Override
    public long count() {
        return touched.get();
    }

    @Override
    public void touch(long id) {
        touched.incrementAndGet();
    }
}
