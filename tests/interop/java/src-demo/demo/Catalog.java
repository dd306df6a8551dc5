package demo;

import java.math.BigDecimal;
import java.time.LocalDate;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Products, as a service. */
public interface Catalog {
    Product find(long id) throws ProductNotFound;

    Product find(String name) throws ProductNotFound;

    List<Product> search(String text, int limit, Set<String> tags);

    long put(Product product);

    boolean remove(long id);

    Map<LocalDate, BigDecimal> priceHistory(long id) throws ProductNotFound;

    int reserve(long id, String warehouse, int quantity) throws ProductNotFound, OutOfStock;

    String slow(long millis);

    long count();

    void touch(long id);
}
