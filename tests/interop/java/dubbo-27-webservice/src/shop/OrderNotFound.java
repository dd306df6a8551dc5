package shop;

public class OrderNotFound extends Exception {
    private long orderId;

    public OrderNotFound() {}

    public OrderNotFound(String message, long orderId) {
        super(message);
        this.orderId = orderId;
    }

    public long getOrderId() {
        return orderId;
    }

    public void setOrderId(long orderId) {
        this.orderId = orderId;
    }
}
