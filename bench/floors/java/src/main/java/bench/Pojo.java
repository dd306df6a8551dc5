package bench;

import java.io.Serializable;
import java.util.List;

/** Ten fields of the kinds that business objects are made of. The same class as in bench/services.py. */
public class Pojo implements Serializable {
    private static final long serialVersionUID = 1L;

    public long id;
    public String name;
    public String email;
    public int age;
    public double score;
    public boolean active;
    public long visits;
    public String city;
    public List<String> tags;
    public String note;
}
