package demo;

/** Whether a product can be bought. */
public enum Status {
    ACTIVE,
    PREORDER,
    DISCONTINUED
}
