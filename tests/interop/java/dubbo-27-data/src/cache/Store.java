package cache;

/** What Dubbo's redis:// and memcached:// make of an interface. */
public interface Store {
    Object get(String key);

    void set(String key, Object value);

    void delete(String key);
}
