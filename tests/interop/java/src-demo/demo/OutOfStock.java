package demo;

/** A warehouse holds less than was asked for. */
public class OutOfStock extends Exception {
    private static final long serialVersionUID = 1L;

    private String warehouse;
    private int missing;

    public OutOfStock() {}

    public OutOfStock(String message) {
        super(message);
    }

    public String getWarehouse() {
        return warehouse;
    }

    public void setWarehouse(String warehouse) {
        this.warehouse = warehouse;
    }

    public int getMissing() {
        return missing;
    }

    public void setMissing(int missing) {
        this.missing = missing;
    }
}
