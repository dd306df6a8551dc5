package demo;

/** There is no such product. */
public class ProductNotFound extends Exception {
    private static final long serialVersionUID = 1L;

    private long productId;

    public ProductNotFound() {}

    public ProductNotFound(String message) {
        super(message);
    }

    public long getProductId() {
        return productId;
    }

    public void setProductId(long productId) {
        this.productId = productId;
    }
}
