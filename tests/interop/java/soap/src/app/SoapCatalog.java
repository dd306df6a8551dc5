package app;

import jakarta.jws.Oneway;
import jakarta.jws.WebService;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import soap.catalog.Catalog;
import soap.catalog.Maker;
import soap.catalog.MapOfDateToDecimal;
import soap.catalog.MapOfStringToInt;
import soap.catalog.OutOfStock;
import soap.catalog.OutOfStockFault;
import soap.catalog.Product;
import soap.catalog.ProductNotFound;
import soap.catalog.ProductNotFoundFault;
import soap.catalog.SetOfString;
import soap.catalog.Status;

/** Three products to begin with; kept in memory. */
@WebService(
        endpointInterface = "soap.catalog.Catalog",
        targetNamespace = "http://demo/",
        serviceName = "CatalogService",
        portName = "CatalogPort")
public final class SoapCatalog implements Catalog {
    private static final int DEFAULT_LIMIT = 10;

    private final Map<Long, Product> products = new TreeMap<>();

    SoapCatalog() {
        put(product("Kettle", "39.90", Status.ACTIVE, "kitchen", "electric"));
        put(product("Teapot", "24.50", Status.PREORDER, "kitchen"));
        put(product("Lantern", "18.00", Status.DISCONTINUED, "garden"));
    }

    @Override
    public synchronized Product find(long id) throws ProductNotFoundFault {
        Product product = products.get(id);
        if (product == null) {
            throw notFound("no product " + id, id);
        }
        return product;
    }

    @Override
    public synchronized Product findByName(String name) throws ProductNotFoundFault {
        for (Product product : products.values()) {
            if (product.getName().equals(name)) {
                return product;
            }
        }
        throw notFound("no product called " + name, 0);
    }

    @Override
    public synchronized List<Product> search(String text, Integer limit, SetOfString tags) {
        List<Product> found = new ArrayList<>();
        int most = limit == null ? DEFAULT_LIMIT : limit;
        for (Product product : products.values()) {
            boolean tagged = tags == null || product.getTags().containsAll(tags.getItem());
            if (tagged && product.getName().contains(text) && found.size() < most) {
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
    public MapOfDateToDecimal priceHistory(long id) throws ProductNotFoundFault {
        BigDecimal price = find(id).getPrice();
        MapOfDateToDecimal history = new MapOfDateToDecimal();
        history.getEntry().add(day("2024-02-29", price.add(BigDecimal.ONE)));
        history.getEntry().add(day("2025-01-01", price));
        return history;
    }

    @Override
    public synchronized int reserve(long id, String warehouse, int quantity)
            throws ProductNotFoundFault, OutOfStockFault {
        MapOfStringToInt.Entry stock = null;
        for (MapOfStringToInt.Entry each : find(id).getStock().getEntry()) {
            stock = each.getKey().equals(warehouse) ? each : stock;
        }
        int left = (stock == null ? 0 : stock.getValue()) - quantity;
        if (left < 0) {
            OutOfStock failure = new OutOfStock();
            failure.setWarehouse(warehouse);
            failure.setMissing(-left);
            throw new OutOfStockFault(warehouse + " lacks " + -left, failure);
        }
        stock.setValue(left);
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
    @Oneway
    public synchronized void touch(long id) {
        Product product = products.get(id);
        if (product != null) {
            product.setUpdatedAt(SoapPeer.CATALOG.createProductUpdatedAt(SoapPeer.time("2026-08-14T09:26:53.589Z")));
        }
    }

    private static ProductNotFoundFault notFound(String message, long id) {
        ProductNotFound failure = new ProductNotFound();
        failure.setProductId(id);
        failure.setMessage(SoapPeer.CATALOG.createProductNotFoundMessage(message));
        return new ProductNotFoundFault(message, failure);
    }

    private static MapOfDateToDecimal.Entry day(String date, BigDecimal price) {
        MapOfDateToDecimal.Entry entry = new MapOfDateToDecimal.Entry();
        entry.setKey(SoapPeer.time(date));
        entry.setValue(price);
        return entry;
    }

    private static Product product(String name, String price, Status status, String... tags) {
        Maker maker = new Maker();
        maker.setName("Acme");
        Product product = new Product();
        product.setName(name);
        product.setPrice(new BigDecimal(price));
        product.setStatus(status);
        product.getTags().addAll(List.of(tags));
        product.setCreatedAt(SoapPeer.time("2024-01-02T03:04:05.678901Z"));
        product.setStock(new MapOfStringToInt());
        for (String warehouse : List.of("north", "south")) {
            MapOfStringToInt.Entry entry = new MapOfStringToInt.Entry();
            entry.setKey(warehouse);
            entry.setValue(warehouse.equals("north") ? 10 : 3);
            product.getStock().getEntry().add(entry);
        }
        product.setMaker(SoapPeer.CATALOG.createProductMaker(maker));
        return product;
    }
}
