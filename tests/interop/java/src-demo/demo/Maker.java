package demo;

import java.io.Serializable;

/** Who makes a product. */
public class Maker implements Serializable {
    private static final long serialVersionUID = 1L;

    private String name;
    private String country;
    private Maker parent;

    public String getName() {
        return name;
    }

    public void setName(String name) {
        this.name = name;
    }

    public String getCountry() {
        return country;
    }

    public void setCountry(String country) {
        this.country = country;
    }

    public Maker getParent() {
        return parent;
    }

    public void setParent(Maker parent) {
        this.parent = parent;
    }
}
