package t;

import java.io.Serializable;
import java.util.List;

/** A bean with primitive, boxed, collection and self-referring fields. */
public class User implements Serializable {
    public String name;
    public int age;
    public Long id;
    public List<String> tags;
    public User next;

    public User() {}

    public User(String name, int age, Long id, List<String> tags) {
        this.name = name;
        this.age = age;
        this.id = id;
        this.tags = tags;
    }
}
