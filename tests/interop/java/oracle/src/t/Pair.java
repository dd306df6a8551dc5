package t;

import java.io.Serializable;

/** A record, which only hessian-lite 4 supports. */
public record Pair(String left, int right) implements Serializable {}
